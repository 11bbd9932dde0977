//! Instances that serve several requests, where a component asks for it.

use crate::support::{Running, component, options, probe, start};
use host::Options;

/// The probe, an instance of which may serve so many requests.
fn resting(requests: u32) -> String {
    let grants = format!(
        "sqlite_databases = [\"default\"]\n[component.probe.tool.bodega]\nrequests_per_instance = {requests}"
    );
    component("probe", "probe", "\"/probe/...\"", &grants)
}

/// What the instance that answers has been asked before, this time included.
async fn times(server: &Running) -> String {
    server.get("/probe/remember").await.body
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_serves_one_request_unless_its_component_asks_for_more() {
    let server = start(&probe(), options()).await;
    for _ in 0..3 {
        assert_eq!(times(&server).await, "1");
    }
    assert_eq!(server.app.stats().instances, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_serves_as_many_as_it_may_and_is_then_made_anew() {
    let server = start(&resting(3), options()).await;
    let mut seen = Vec::new();
    for _ in 0..7 {
        seen.push(times(&server).await);
    }
    assert_eq!(seen, ["1", "2", "3", "1", "2", "3", "1"]);
    assert_eq!(server.app.stats().instances, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_at_once_never_share_an_instance() {
    let server = start(&resting(1000), options()).await;
    let slow = || server.get("/probe/sleep?ms=300");
    let (one, two) = tokio::join!(slow(), slow());
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
    assert_eq!(server.app.stats().instances, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_broke_off_or_left_something_open_is_not_used_again() {
    let server = start(&resting(1000), options()).await;
    assert_eq!(times(&server).await, "1");
    assert_eq!(times(&server).await, "2");
    server.get("/probe/trap").await.assert_problem(500);
    assert_eq!(times(&server).await, "1", "after a trap");
    assert_eq!(times(&server).await, "2");
    assert_eq!(server.get("/probe/tx-leave-open").await.body, "left open");
    assert_eq!(times(&server).await, "1", "after an open transaction");
    let rows = server.get("/probe/tx-count").await.body;
    assert!(rows.contains('0'), "what was left open was rolled back: {rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn seeded_random_numbers_come_from_fresh_instances() {
    let seeded = Options {
        random_seed: Some(7),
        ..options()
    };
    let server = start(&resting(1000), seeded).await;
    assert_eq!(
        (times(&server).await, times(&server).await),
        ("1".to_owned(), "1".to_owned())
    );
}
