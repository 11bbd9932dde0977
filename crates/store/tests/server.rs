//! What a server says of those who use it.

use store::{params, postgres};
use testkit::servers::Postgres;

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
