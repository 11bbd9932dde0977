//! The store's suite, in wasm, on the databases that the host gives to a guest.

use crate::support::{component, options, start};
use store_suite::CASES;

#[tokio::test(flavor = "multi_thread")]
async fn the_spin_driver_keeps_every_promise() {
    let labels: Vec<String> = (0..CASES.len()).map(|place| format!("suite{place}")).collect();
    let grants = format!("sqlite_databases = {labels:?}");
    let tables = component("storage", "storage", "\"/storage/...\"", &grants);
    let mut options = options();
    let state = tempfile::tempdir().expect("a folder");
    options.state_dir = Some(state.path().to_owned());
    let running = start(&tables, options).await;
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
