//! Cron triggers, messages over the local bus, and what handlers may do to them.

use crate::support::{load, options, probe, start, ticker};
use bytes::Bytes;
use expect_test::{Expect, expect};
use host::{Options, TriggerError, Triggers};
use manifest::{Limits, RuntimeConfig};
use std::time::Duration;

const EVERY_SECOND: &str = "[[trigger.cron]]\ncron_expression = \"* * * * * *\"\ncomponent = \"ticker\"\n";
const HEARS: &str =
    "[[trigger.redis]]\nchannel = \"shop\"\naddress = \"local://bus\"\ncomponent = \"ticker\"\n";

fn impatient() -> Options {
    Options {
        limits: Limits {
            request_timeout_ms: Some(2500),
            ..Limits::default()
        },
        ..options()
    }
}

fn count(notes: &[String], start: &str) -> usize {
    notes.iter().filter(|note| note.starts_with(start)).count()
}

/// The times of the ticks that began.
fn ticks(notes: &[String]) -> Vec<u64> {
    let time = |note: &String| note.strip_prefix("tick ")?.parse().ok();
    notes.iter().filter_map(time).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_ticks_every_second_until_it_is_stopped() {
    let server = start(&ticker(&[], EVERY_SECOND), options()).await;
    let triggers = Triggers::start(&server.app);
    let notes = server
        .wait_for("three ticks", |notes| count(notes, "tick done") >= 3)
        .await;
    let times = ticks(&notes);
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert!(triggers.stop().await);
    let notes = server.notes().await;
    assert_eq!(server.app.stats().ticks, ticks(&notes).len() as u64);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(server.notes().await, notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_has_one_tick_at_a_time_and_makes_up_for_none() {
    let twice = format!("{EVERY_SECOND}{EVERY_SECOND}");
    let server = start(&ticker(&[], &twice), options()).await;
    server.get("/ticker/tick?do=sleep+2500").await;
    let triggers = Triggers::start(&server.app);
    server
        .wait_for("two ticks", |notes| count(notes, "tick done") >= 2)
        .await;
    assert!(triggers.stop().await);
    let notes = server.notes().await;
    for pair in notes.chunks(2) {
        assert!(pair.len() == 2 && pair[1] == "tick done", "{notes:?}");
    }
    let times = ticks(&notes);
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] >= 2),
        "some were not skipped: {times:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_tick_does_the_next_one_comes() {
    let server = start(&ticker(&[], EVERY_SECOND), impatient()).await;
    server.get("/ticker/tick?do=fail").await;
    let triggers = Triggers::start(&server.app);
    for deed in ["fail", "trap", "loop", "fail"] {
        server.get(&format!("/ticker/tick?do={deed}")).await;
        let before = ticks(&server.notes().await).len();
        let notes = server
            .wait_for(deed, |notes| ticks(notes).len() >= before + 2)
            .await;
        assert_eq!(count(&notes, "tick done"), 0, "{notes:?}");
    }
    server.get("/ticker/tick?do=nothing").await;
    server
        .wait_for("a good one", |notes| count(notes, "tick done") >= 1)
        .await;
    assert!(triggers.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_publishes_a_component_of_the_same_application_hears() {
    let server = start(&ticker(&["local://bus"], HEARS), impatient()).await;
    let triggers = Triggers::start(&server.app);
    let publish = async |what: &str| {
        let path = format!("/ticker/publish?address=local://bus&channel={what}");
        server.get(&path).await.body
    };
    assert_eq!(publish("shop&text=first").await, "Ok(())");
    server
        .wait_for("the first", |notes| count(notes, "message done") == 1)
        .await;
    for bad in ["fail", "trap", "loop"] {
        assert_eq!(publish(&format!("shop&text={bad}")).await, "Ok(())");
    }
    assert_eq!(publish("shop&size=0").await, "Ok(())");
    assert_eq!(publish("shop&size=1048576").await, "Ok(())");
    assert_eq!(publish("elsewhere&text=unheard").await, "Ok(())");
    expect![[r#"Err(Error::Other("a message of 2000000 bytes is more than the 1048576 that are allowed"))"#]]
        .assert_eq(&publish("shop&size=2000000").await);
    assert_eq!(publish("shop&text=n{}&times=20").await, "Ok(())");
    let notes = server
        .wait_for("all of them", |notes| count(notes, "message done") == 23)
        .await;
    let heard: Vec<&str> = notes
        .iter()
        .map(String::as_str)
        .filter(|note| note.starts_with("message ") && *note != "message done")
        .collect();
    assert_eq!(
        heard[..6],
        [
            "message 5 first",
            "message 4 fail",
            "message 4 trap",
            "message 4 loop",
            "message 0 ",
            "message 1048576 xxxxxxxxxxxxxxxxxxxx"
        ]
    );
    assert_eq!(heard[6], "message 2 n0");
    assert_eq!(heard.last(), Some(&"message 3 n19"));
    assert!(triggers.stop().await);
    assert_eq!(server.app.stats().messages, 26);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_publishes_only_where_it_may() {
    let variables = "[variables]\nplace = { default = \"nats://127.0.0.1:1?stream=shop\" }\n";
    let tables = ticker(&["{{ place }}", "redis://localhost:*"], variables);
    let server = start(&tables, options()).await;
    let check = async |address: &str, expected: Expect| {
        let path = format!("/ticker/publish?address={address}&channel=c&text=x");
        expected.assert_eq(&server.get(&path).await.body);
    };
    check("local://bus", expect!["Err(Error::InvalidAddress)"]).await;
    check("redis://127.0.0.1:6379", expect!["Err(Error::InvalidAddress)"]).await;
    check("nats://127.0.0.1:4222", expect!["Err(Error::InvalidAddress)"]).await;
    check("nonsense", expect!["Err(Error::InvalidAddress)"]).await;
    check("redis://localhost:0", expect!["Err(Error::InvalidAddress)"]).await;
    let path = "/ticker/publish?address=nats://127.0.0.1:1&channel=c&text=x";
    let unreachable = server.get(path).await.body;
    assert!(unreachable.contains("is not available"), "{unreachable}");
    let unreachable = server
        .get("/ticker/commands?address=redis://localhost:1")
        .await
        .body;
    assert!(unreachable.starts_with("Err(Error::Other("), "{unreachable}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_lets_a_run_end_within_the_drain_timeout() {
    for (drain_ms, ended) in [(20_000, true), (50, false)] {
        let options = Options {
            drain_timeout: Duration::from_millis(drain_ms),
            ..options()
        };
        let server = start(&ticker(&["local://bus"], HEARS), options).await;
        let triggers = Triggers::start(&server.app);
        server
            .get("/ticker/publish?address=local://bus&channel=shop&text=sleep+1500&times=2")
            .await;
        server
            .wait_for("its begin", |notes| count(notes, "message 10") == 1)
            .await;
        assert_eq!(triggers.stop().await, ended);
        tokio::time::sleep(Duration::from_millis(2000)).await;
        let notes = server.notes().await;
        assert_eq!(count(&notes, "message 10"), 1, "{notes:?}");
        assert_eq!(count(&notes, "message done"), usize::from(ended), "{notes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_can_be_run_by_hand_and_says_how_it_went() {
    let tables = format!("{}{}", ticker(&[], ""), probe());
    let server = start(&tables, impatient()).await;
    let app = &server.app;
    app.run_cron("ticker").await.expect("a tick");
    app.deliver("ticker", Bytes::from_static(b"\xff\x00\xfe"))
        .await
        .expect("a message");
    let failed = |done: Result<(), TriggerError>| done.expect_err("it failed").to_string();
    let deliver = async |text: &'static str| failed(app.deliver("ticker", Bytes::from(text)).await);
    expect!["the handler of component `ticker` failed: it says no more"].assert_eq(&deliver("fail").await);
    expect!["component `ticker` broke off"].assert_eq(&deliver("trap").await);
    expect!["component `ticker` was stopped: it ran into its deadline"].assert_eq(&deliver("loop").await);
    server.get("/ticker/tick?do=fail").await;
    expect!["the handler of component `ticker` failed: as told"]
        .assert_eq(&failed(app.run_cron("ticker").await));
    expect!["there is no component `nobody` with a trigger"].assert_eq(&failed(app.run_cron("nobody").await));
    expect!["component `probe` exports no handle-cron-event (fermyon:spin-cron@2.0.0)"]
        .assert_eq(&failed(app.run_cron("probe").await));
    expect!["component `probe` exports no fermyon:spin/inbound-redis"]
        .assert_eq(&failed(app.deliver("probe", Bytes::new()).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_and_messages_see_the_stores_that_requests_see() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("runtime-config.toml");
    let config = "[key_value_store.default]\ntype = \"spin\"\npath = \"kv.db\"\n";
    std::fs::write(&path, config).expect("a file");
    let kept = || Options {
        runtime_config: RuntimeConfig::load(&path).expect("it makes sense"),
        state_dir: Some(dir.path().to_owned()),
        ..options()
    };
    let first = start(&ticker(&[], ""), kept()).await;
    assert_eq!(first.get("/ticker/tick?do=fail").await.body, "Ok(())");
    first.app.close().await;
    drop(first);
    assert!(dir.path().join("kv.db").exists());
    let second = start(&ticker(&[], ""), kept()).await;
    second
        .app
        .run_cron("ticker")
        .await
        .expect_err("it was told to fail");
    second
        .app
        .deliver("ticker", Bytes::new())
        .await
        .expect("a message");
    let notes = second.notes().await;
    assert_eq!(notes.len(), 3, "{notes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_without_a_route_needs_no_http() {
    let whole = ticker(&[], EVERY_SECOND);
    let (_, tables) = whole
        .split_once("component = \"ticker\"\n")
        .expect("its own trigger");
    let (app, _dir) = load(tables, options()).await;
    let app = app.unwrap_or_else(|error| panic!("{error}"));
    app.run_cron("ticker").await.expect("a tick");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_its_turn_among_the_requests() {
    let one = Options {
        limits: Limits {
            max_concurrent_requests: Some(1),
            ..Limits::default()
        },
        ..options()
    };
    let server = start(&ticker(&[], ""), one).await;
    let slow = server.app.clone();
    let slow = tokio::spawn(async move { slow.deliver("ticker", Bytes::from("sleep 1000")).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.get("/ticker/notes").await.assert_problem(503);
    server.app.run_cron("ticker").await.expect("its turn");
    slow.await.expect("no panic").expect("a good end");
    let notes = server.notes().await;
    assert_eq!(count(&notes, "message done"), 1);
    let done = notes.iter().position(|note| note == "message done");
    let tick = notes.iter().position(|note| note.starts_with("tick "));
    assert!(done < tick, "{notes:?}");
}
