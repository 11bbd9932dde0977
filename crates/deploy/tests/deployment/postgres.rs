//! The databases of a Postgres: made by the script that containers run, dumped and restored by the one of the runbook.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use testkit::servers::{DATABASES, Postgres};

use crate::tools::{ask, root};

/// `PATH` with the programs of the newest Postgres that Debian has installed, which no path leads to.
fn path() -> String {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let newest = folders.pop().unwrap_or_default();
    format!(
        "{}:{}",
        newest.display(),
        std::env::var("PATH").unwrap_or_default()
    )
}

/// A script of ours, as the administrator of this server.
fn script(server: &Postgres, words: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.args(words).current_dir(root()).env("PATH", path());
    command
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", server.port().to_string());
    command.env("PGUSER", "postgres").env("PGPASSWORD", "postgres");
    command
}

fn provision(server: &Postgres) -> Result<String, String> {
    let mut command = script(server, &["infra/postgres/init.sh"]);
    command.env("PROVISION_SQL", "infra/postgres/provision.sql");
    for label in DATABASES {
        command.env(
            format!("{}_PASSWORD", label.to_uppercase()),
            format!("bodega_{label}"),
        );
    }
    ask(&mut command)
}

/// What a role sees in a database of its own or another's.
fn select(server: &Postgres, address: &str, statement: &str) -> Result<String, String> {
    let mut command = script(
        server,
        &["-c", "psql --no-psqlrc -At --dbname \"$0\" --command \"$1\""],
    );
    ask(command.args([address, statement])).map(|text| text.trim().to_owned())
}

#[test]
fn what_was_dumped_comes_back_whole_and_belongs_to_its_role() {
    let Some(server) = Postgres::start() else {
        return;
    };
    for _ in 0..2 {
        provision(&server).unwrap_or_else(|complaint| panic!("{complaint}"));
    }
    for label in DATABASES {
        let own = server.shop_address(label);
        select(&server, &own, "create table note (text text primary key)")
            .unwrap_or_else(|complaint| panic!("{complaint}"));
        select(&server, &own, &format!("insert into note values ('{label}')"))
            .unwrap_or_else(|complaint| panic!("{complaint}"));
    }
    let foreign = server.address("bodega_order", "stock");
    assert!(
        select(&server, &foreign, "select 1").is_err(),
        "order reads the stock's database"
    );

    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("dump").display().to_string();
    let run = |verb: &str| ask(&mut script(&server, &["infra/backup/postgres.sh", verb, &target]));
    run("dump").unwrap_or_else(|complaint| panic!("{complaint}"));
    assert!(run("dump").unwrap_err().contains("is there already"));
    for label in DATABASES {
        let own = server.shop_address(label);
        select(&server, &own, "insert into note values ('later')")
            .unwrap_or_else(|complaint| panic!("{complaint}"));
    }
    run("restore").unwrap_or_else(|complaint| panic!("{complaint}"));
    for label in DATABASES {
        let own = server.shop_address(label);
        assert_eq!(
            select(&server, &own, "select text from note").as_deref(),
            Ok(*label)
        );
        select(&server, &own, "drop table note")
            .unwrap_or_else(|complaint| panic!("{label} lost its table: {complaint}"));
    }
}

#[test]
fn nothing_is_restored_beside_a_shop_that_runs_or_from_half_a_dump() {
    let Some(server) = Postgres::start() else {
        return;
    };
    provision(&server).unwrap_or_else(|complaint| panic!("{complaint}"));
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("dump").display().to_string();
    let run = |verb: &str| ask(&mut script(&server, &["infra/backup/postgres.sh", verb, &target]));
    run("dump").unwrap_or_else(|complaint| panic!("{complaint}"));
    let mut session = script(
        &server,
        &[
            "-c",
            "psql --no-psqlrc -At --dbname \"$0\" --command 'select pg_sleep(60)'",
        ],
    );
    let mut session = session.arg(server.shop_address("order")).spawn().unwrap();
    let refused = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        run("restore").is_err_and(|complaint| complaint.contains("stop it first"))
    });
    session.kill().unwrap();
    session.wait().unwrap();
    assert!(refused, "it was restored beside a session of the shop");
    fs::remove_file(home.path().join("dump/order.dump")).unwrap();
    assert!(run("restore").unwrap_err().contains("order.dump is missing"));
}
