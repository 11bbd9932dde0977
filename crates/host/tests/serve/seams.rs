//! What tests own: time, randomness, and the fate of every host call of a run.

use crate::support::{component, options, start, ticker};
use bytes::Bytes;
use host::{Action, Call, Cause, Clock, Faults, Gate, Kind, Moment, Options, TriggerError};
use manifest::Limits;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct Hands(AtomicU64);

impl Clock for Hands {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn components_see_the_time_that_a_test_sets() {
    let clock = Arc::new(Hands(AtomicU64::new(1_800_000_000)));
    let set = Options {
        clock: clock.clone(),
        ..options()
    };
    let server = start(&ticker(&[], ""), set).await;
    assert_eq!(server.get("/ticker/now").await.body, "1800000000");
    clock.0.store(1_900_000_000, Ordering::Relaxed);
    assert_eq!(server.get("/ticker/now").await.body, "1900000000");
    server.app.run_cron("ticker").await.expect("a tick");
    assert_eq!(server.notes().await[0], "tick 1900000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_makes_random_numbers_the_same_in_every_start() {
    let mut starts = Vec::new();
    for random_seed in [Some(1), Some(1), Some(2), None] {
        let seeded = Options {
            random_seed,
            ..options()
        };
        let server = start(&ticker(&[], ""), seeded).await;
        let first = server.get("/ticker/random").await.body;
        let second = server.get("/ticker/random").await.body;
        assert_ne!(first, second);
        starts.push((first, second));
    }
    assert_eq!(starts[0], starts[1]);
    assert_ne!(starts[1], starts[2]);
    assert_ne!(starts[2], starts[3]);
}

type Rule = dyn Fn(&Call<'_>) -> Action + Send + Sync;

/// Does what its rule says, and counts the host calls of every run.
struct Ruled {
    rule: Box<Rule>,
    calls: Mutex<BTreeMap<u64, u64>>,
}

impl Faults for Ruled {
    fn decide(&self, call: &Call<'_>) -> Action {
        let mut calls = self.calls.lock().expect("no panic");
        let count = calls.entry(call.run).or_default();
        *count = call.number.max(*count);
        drop(calls);
        (self.rule)(call)
    }
}

fn ruled(rule: impl Fn(&Call<'_>) -> Action + Send + Sync + 'static) -> (Arc<Ruled>, Options) {
    let faults = Arc::new(Ruled {
        rule: Box::new(rule),
        calls: Mutex::default(),
    });
    let options = Options {
        faults: faults.clone(),
        ..options()
    };
    (faults, options)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_host_call_of_a_run_can_end_it() {
    let (counted, counting) = ruled(|_| Action::Go);
    let server = start(&ticker(&[], ""), counting).await;
    server
        .app
        .deliver("ticker", Bytes::from("x"))
        .await
        .expect("a message");
    let calls = counted.calls.lock().expect("no panic").clone();
    assert_eq!(calls.keys().copied().collect::<Vec<_>>(), [1]);
    // Two notes, each of them opening, making the table and inserting.
    assert_eq!(calls[&1], 6);
    for number in 1..=calls[&1] {
        for moment in [Moment::Before, Moment::After] {
            let (_, trapping) = ruled(move |call| match call {
                call if call.cause != Cause::Message => Action::Go,
                call if call.number == number && call.moment == moment => Action::Trap,
                _ => Action::Go,
            });
            let server = start(&ticker(&[], ""), trapping).await;
            let ended = server.app.deliver("ticker", Bytes::from("x")).await;
            // Nobody is asked after opening a connection: it changes nothing.
            let opening = matches!(number, 1 | 4) && moment == Moment::After;
            assert_eq!(ended.is_ok(), opening, "{number} {moment:?}");
            if let Err(error) = ended {
                assert!(matches!(error, TriggerError::Broken { .. }), "{error}");
            }
            let wrote =
                |insert: &&u64| opening || number > **insert || number == **insert && moment == Moment::After;
            let notes = server.notes().await;
            assert_eq!(
                notes.len(),
                [3, 6].iter().filter(wrote).count(),
                "{number} {moment:?}: {notes:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_can_be_held_while_others_go_on() {
    let gate = Gate::new();
    let at_gate = gate.clone();
    let (_, holding) = ruled(move |call| {
        let held = call.cause == Cause::Request
            && call.moment == Moment::Before
            && call.detail.starts_with("insert");
        match held {
            true => Action::Hold(at_gate.clone()),
            false => Action::Go,
        }
    });
    let server = Arc::new(start(&ticker(&[], ""), holding).await);
    let held = server.clone();
    let held = tokio::spawn(async move { held.get("/ticker/note?text=held").await.body });
    gate.reached().await;
    server.app.run_cron("ticker").await.expect("recovery goes on");
    assert!(!held.is_finished());
    assert_eq!(server.notes().await.len(), 2);
    gate.open();
    assert_eq!(held.await.expect("no panic"), "noted");
    assert_eq!(server.notes().await[2], "held");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_request_still_has_its_deadline() {
    let gate = Gate::new();
    let at_gate = gate.clone();
    let (_, mut holding) = ruled(move |_| Action::Hold(at_gate.clone()));
    holding.limits = Limits {
        request_timeout_ms: Some(500),
        ..Limits::default()
    };
    let server = start(&ticker(&[], ""), holding).await;
    server.get("/ticker/note?text=late").await.assert_problem(504);
    gate.open();
    assert_eq!(server.notes().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_one_run_and_a_trap_at_its_call_is_a_trap() {
    let tables = |grants: &str| {
        let caller = component("probe", "probe", "\"/probe/...\"", grants);
        let called = component("hello", "hello", "{ private = true }", "");
        format!("{caller}{called}")
    };
    let tables = tables("allowed_outbound_hosts = [\"http://hello.spin.internal\"]");
    for moment in [Moment::Before, Moment::After] {
        let (_, trapping) = ruled(move |call| match call.kind {
            Kind::Chain if call.moment == moment => Action::Trap,
            _ => Action::Go,
        });
        let server = start(&tables, trapping).await;
        let path = "/probe/fetch?url=http://hello.spin.internal/";
        server.get(path).await.assert_problem(500);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_can_be_published_and_its_answer_get_lost() {
    let hears = "[[trigger.redis]]\nchannel = \"shop\"\naddress = \"local://bus\"\ncomponent = \"ticker\"\n";
    let (_, losing) = ruled(|call| match (call.kind, call.detail, call.moment) {
        (Kind::Publish, "shop", Moment::After) => Action::Fail("no answer".to_owned()),
        (Kind::Publish, "never", Moment::Before) => Action::Fail("not sent".to_owned()),
        _ => Action::Go,
    });
    let server = start(&ticker(&["local://bus"], hears), losing).await;
    let triggers = host::Triggers::start(&server.app);
    let publish = async |channel: &str| {
        let path = format!("/ticker/publish?address=local://bus&text=x&channel={channel}");
        server.get(&path).await.body
    };
    assert_eq!(publish("never").await, "Err(Error::Other(\"not sent\"))");
    // The subscription begins with the first poll of its task.
    let started = std::time::Instant::now();
    while server.notes().await.is_empty() {
        assert_eq!(publish("shop").await, "Err(Error::Other(\"no answer\"))");
        assert!(started.elapsed() < Duration::from_secs(60));
    }
    assert_eq!(server.app.stats().host_calls["publish"] % 2, 0);
    assert!(triggers.stop().await);
}
