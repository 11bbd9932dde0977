//! The store's suite, in wasm, on the databases that the host gives to a guest.

use crate::support::{Running, component, options, start};
use store_suite::CASES;
use testkit::servers::Postgres;

#[tokio::test(flavor = "multi_thread")]
async fn the_spin_driver_keeps_every_promise() {
    let labels: Vec<String> = (0..CASES.len()).map(|place| format!("suite{place}")).collect();
    let grants = format!("sqlite_databases = {labels:?}");
    let tables = component("storage", "storage", "\"/storage/...\"", &grants);
    let mut options = options();
    let state = tempfile::tempdir().expect("a folder");
    options.state_dir = Some(state.path().to_owned());
    assert_every_promise(&start(&tables, options).await).await;
}

async fn assert_every_promise(running: &Running) {
    for (place, case) in CASES.iter().enumerate() {
        let answer = running.get(&format!("/storage/{place}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (200, case.name),
            "{}",
            case.name
        );
    }
}

/// The role that owns the databases, one of those that the shop's own provisioning makes.
const ROLE: &str = "bodega_stock";

/// A guest whose databases are in this server, each at its address with something behind it.
fn elsewhere(server: &Postgres, behind: &str, allowed: &str) -> String {
    let variables: String = (0..CASES.len())
        .map(|place| {
            let address = server.address(ROLE, &format!("suite{place}"));
            format!("suite{place}_database = \"{address}{behind}\"\n")
        })
        .collect();
    let grants =
        format!("allowed_outbound_hosts = [{allowed:?}]\n[component.storage.variables]\n{variables}");
    component("storage", "storage", "\"/storage/...\"", &grants)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_postgres_driver_keeps_every_promise() {
    let Some(server) = Postgres::start() else { return };
    server.provision();
    for place in 0..CASES.len() {
        let create = format!(
            "create database suite{place} owner {ROLE} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'"
        );
        server.run_sql("postgres", &[&create]);
    }
    let allowed = format!("postgres://127.0.0.1:{}", server.port());
    // What is not granted is not reached, also not by another way to write it: the case is refused before it can pass.
    for (behind, allowed) in [
        ("", "postgres://127.0.0.1:1"),
        ("", "postgres://elsewhere"),
        ("?hostaddr=127.0.0.1", allowed.as_str()),
    ] {
        let running = start(&elsewhere(&server, behind, allowed), options()).await;
        let answer = running.get("/storage/0").await;
        assert_eq!(answer.status.as_u16(), 500, "{behind} {allowed}");
    }
    assert_every_promise(&start(&elsewhere(&server, "", &allowed), options()).await).await;
}
