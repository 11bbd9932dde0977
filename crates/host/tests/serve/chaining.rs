//! Components that send requests: to each other, to themselves, to the network.

use crate::support::{component, options, start};
use expect_test::expect;

fn shop() -> String {
    let hosts = "allowed_outbound_hosts = [\"http://inner.spin.internal\", \"http://self.alt\", \"http://self\", \
                 \"http://nobody.spin.internal\", \"http://127.0.0.1:*\"]";
    let probe = component("probe", "probe", "\"/probe/...\"", hosts);
    let inner = component(
        "inner",
        "probe",
        "{ private = true }",
        "allowed_outbound_hosts = [\"http://inner.spin.internal\"]",
    );
    format!("{probe}{inner}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_component_is_reached_by_chaining_only() {
    let server = start(&shop(), options()).await;
    server.get("/inner").await.assert_problem(404);
    let request = http::Request::get(server.url("/anything")).header("host", "inner.spin.internal");
    server.send(request, "").await.assert_problem(404);
    let answer = server
        .get("/probe/fetch?url=http://inner.spin.internal/a/b")
        .await;
    expect![[r#"
        200
        GET inner.spin.internal /a/b
        x-probe: 1
        spin-path-info: /a/b
        spin-full-url: http://localhost/a/b
        spin-matched-route: /...
        spin-base-path: /
        spin-raw-component-route: /...
        spin-component-route: 
        spin-client-addr: 0.0.0.0:0
    "#]]
    .assert_eq(&answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_in_a_chained_component_is_a_500_to_the_caller() {
    let server = start(&shop(), options()).await;
    let answer = server
        .get("/probe/fetch?url=http://inner.spin.internal/trap")
        .await;
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.body.starts_with("500\n"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_does_not_exist_is_not_found() {
    let server = start(&shop(), options()).await;
    let answer = server.get("/probe/fetch?url=http://nobody.spin.internal/").await;
    assert!(answer.body.contains("DestinationNotFound"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn components_that_call_each_other_for_ever_are_stopped() {
    let server = start(&shop(), options()).await;
    // Each level asks for the next with what is left of the URL.
    let level = "http://inner.spin.internal/fetch?url=";
    let url = level.repeat(20);
    let answer = server.get(&format!("/probe/fetch?url={url}")).await;
    assert!(answer.body.contains("LoopDetected"), "{}", answer.body);
    let instances = server.app.stats().instances;
    assert!(instances <= 17, "{instances} instances");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_the_application_itself_goes_through_its_routes() {
    let tables = component(
        "probe",
        "probe",
        "\"/probe/...\"",
        "allowed_outbound_hosts = [\"http://self\"]",
    );
    let server = start(&tables, options()).await;
    let answer = server.get("/probe/fetch?url=http://self.alt/probe/headers").await;
    assert!(answer.body.starts_with("200\n"), "{}", answer.body);
    assert!(
        answer.body.contains("spin-path-info: /headers"),
        "{}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_host_is_reached_over_the_network() {
    let far = start(&component("hello", "hello", "\"/...\"", ""), options()).await;
    let server = start(&shop(), options()).await;
    for _ in 0..2 {
        let answer = server.get(&format!("/probe/fetch?url={}", far.url("/x"))).await;
        assert_eq!(answer.body, "200\nhello\n");
    }
    assert_eq!(far.app.stats().requests, 2);
    assert_eq!(server.app.stats().host_calls["http"], 2);
}
