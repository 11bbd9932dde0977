//! Passwords work, and are seen nowhere: not in an error, not in a log at any level.

use crate::support::{Log, address, listen, text, until};
use broker::Broker;
use testkit::servers::{Nats, Redis};

const PASSWORD: &str = "s3cret-pass";
const WRONG: &str = "wr0ng-pass";

/// Uses a server with the right and the wrong password, and looks through all that was logged.
async fn check(right: &str, wrong: &str) {
    let (log, guard) = Log::record();
    let broker = Broker::new();
    let (right, wrong) = (address(right), address(wrong));
    let listener = listen(&broker, &right, "c", "welcome");
    listener.called(&broker, &right, "c", "hello").await;
    let _unwelcome = listen(&broker, &wrong, "c", "unwelcome");
    until("a refusal", || {
        (log.lines(&["DEBUG", "unwelcome", "still without"]) >= 1).then_some(())
    })
    .await;
    let error = broker.publish(&wrong, "c", text("x")).await.unwrap_err();
    let shown = format!("{error} {error:?} {right} {right:?} {wrong:?} {broker:?}");
    drop(guard);
    for secret in [PASSWORD, WRONG] {
        assert!(!shown.contains(secret), "{shown}");
        assert!(!log.text().contains(secret), "{}", log.text());
    }
}

#[tokio::test]
async fn redis() {
    let Some(server) = Redis::start_with(&["--requirepass", PASSWORD]) else {
        return;
    };
    let at = |password: &str| format!("redis://:{password}@127.0.0.1:{}", server.port());
    check(&at("s3cret%2Dpass"), &at(WRONG)).await;
}

#[tokio::test]
async fn nats() {
    let Some(server) = Nats::start_with(&["--user", "shop", "--pass", PASSWORD]) else {
        return;
    };
    let at = |password: &str| format!("nats://shop:{password}@127.0.0.1:{}", server.port());
    check(&at("s3cret%2Dpass"), &at(WRONG)).await;
    let at = |password: &str| format!("{}?stream=SHOP", at(password));
    check(&at(PASSWORD), &at(WRONG)).await;
}
