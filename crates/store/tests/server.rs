//! What a server asks of those who look at it, and what it says of them.

use std::process::Command;

use store::{DbError, params, postgres};
use testkit::servers::Postgres;

/// Where the test below finds its server when it runs itself again.
const TLS_ADDRESS: &str = "BODEGA_TEST_TLS_ADDRESS";

/// Whom a process trusts is a matter of its environment, so this test runs itself again in others.
#[test]
fn a_server_that_takes_nobody_without_tls_is_looked_at() {
    let look = |address: &str| {
        let db = postgres::native::open_reader(address)?;
        let rows = db.read(
            "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
            params![],
        )?;
        Ok::<i64, DbError>(rows[0].get("ssl")?)
    };
    if let Ok(address) = std::env::var(TLS_ADDRESS) {
        assert_eq!(look(&address).expect("it lets us in"), 1);
        return;
    }
    let Some(cluster) = Postgres::start_tls() else {
        return;
    };
    let address = cluster.admin_address("postgres");
    let looks = |behind: &str, trusted: &std::path::Path| {
        let mut again = Command::new(std::env::current_exe().expect("a program"));
        again
            .args(["--exact", "a_server_that_takes_nobody_without_tls_is_looked_at"])
            .env(TLS_ADDRESS, format!("{address}{behind}"))
            .env("SSL_CERT_FILE", trusted);
        again.output().expect("it runs").status.success()
    };
    for behind in ["", "?sslmode=require"] {
        assert!(looks(behind, &cluster.certificate()), "{behind}");
    }
    assert!(!looks("?sslmode=disable", &cluster.certificate()));
    assert!(
        !looks("?sslmode=require", "/dev/null".as_ref()),
        "nobody vouches for it"
    );
}

/// Parameters are e-mails, names and password hashes.
#[test]
fn the_server_s_log_shows_no_parameters() {
    let settings = include_str!("../../../infra/postgres/postgresql.conf");
    let mut settings: Vec<String> = settings
        .lines()
        .filter_map(|line| line.strip_prefix("log_")?.split_once(" = "))
        .map(|(name, value)| format!("log_{name}={}", value.trim_matches('\'')))
        .collect();
    settings.push("log_min_duration_statement=0".to_owned());
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let Some(cluster) = Postgres::start_set(&settings) else {
        return;
    };
    let db = postgres::native::open_reader(&cluster.admin_address("postgres")).expect("the database opens");
    for statement in [
        "select length(?1) as slow",
        "select 1 / (length(?1) - 7) as wrong",
    ] {
        drop(db.read(statement, params!["hunter2"]));
    }
    let log = cluster.log();
    for expected in ["as slow", "as wrong", "division by zero"] {
        assert!(log.contains(expected), "{log}");
    }
    assert!(!log.contains("hunter2"), "{log}");
}
