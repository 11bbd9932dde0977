use std::ffi::OsStr;

use super::*;

fn answer(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

fn ask(cluster: &Postgres, address: &str, statement: &str) -> Result<String, String> {
    let mut psql = cluster.program("psql");
    answer(psql.args([OsStr::new("-XAtqc"), statement.as_ref(), address.as_ref()]))
}

#[test]
fn every_domain_has_its_database_and_no_other() {
    let Some(cluster) = Postgres::start() else { return };
    cluster.provision();
    cluster.provision();
    for label in DATABASES {
        let own = cluster.shop_address(label);
        let session = "select current_user, current_setting('default_transaction_isolation'), \
             current_setting('server_encoding'), datcollate from pg_database where datname = current_database()";
        let expected = format!("bodega_{label}|serializable|UTF8|C");
        assert_eq!(ask(&cluster, &own, session), Ok(expected));
        assert_eq!(ask(&cluster, &own, "create table a (b text)"), Ok(String::new()));
        for other in DATABASES.iter().filter(|other| *other != label) {
            let theirs = cluster.address(&format!("bodega_{label}"), other);
            let refused = ask(&cluster, &theirs, "select 1").expect_err("it is another's");
            assert!(refused.contains("permission denied for database"), "{refused}");
        }
    }
    let wrong = format!("postgres://bodega_stock:wrong@127.0.0.1:{}/stock", cluster.port());
    assert!(ask(&cluster, &wrong, "select 1").is_err());
}

#[test]
fn a_killed_cluster_has_what_was_committed() {
    let Some(mut cluster) = Postgres::start_with(Sync::On) else {
        return;
    };
    cluster.run_sql(
        "postgres",
        &["create table a (b int)", "insert into a values (7)"],
    );
    let port = cluster.port();
    cluster.kill();
    assert!(ask(&cluster, &cluster.admin_address("postgres"), "select 1").is_err());
    cluster.restart();
    assert_eq!(cluster.port(), port);
    assert_eq!(cluster.run_sql("postgres", &["select b from a"]), "7\n");
}

#[test]
fn a_frozen_cluster_says_nothing_until_it_thaws() {
    let Some(mut cluster) = Postgres::start() else {
        return;
    };
    cluster.freeze();
    let mut psql = cluster.psql("postgres");
    let mut asking = psql
        .args(["-c", "select 1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    sleep(PAUSE * 20);
    assert!(asking.try_wait().unwrap().is_none());
    cluster.thaw();
    assert!(asking.wait().unwrap().success());
}
