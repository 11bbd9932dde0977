//! A real NATS, plain subjects.

use crate::support::{DEADLINE, Listener, Log, address, listen, silent_server, text, until};
use broker::{Address, Broker, BrokerError, MAX_PAYLOAD};
use bytes::Bytes;
use testkit::servers::Nats;
use tokio::time::Instant;

/// How many messages begin with `x`.
fn count(listener: &Listener) -> usize {
    listener.texts().iter().filter(|it| it.starts_with('x')).count()
}

/// Waits until both subscribers of one group are there: each must get something.
async fn both_there(broker: &Broker, at: &Address, one: &Listener, two: &Listener) {
    let deadline = Instant::now() + DEADLINE;
    while one.messages().is_empty() || two.messages().is_empty() {
        assert!(Instant::now() < deadline, "one of the two gets nothing");
        broker.publish(at, "shop.order", text("begin")).await.unwrap();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn messages_come_in_order() {
    let Some(server) = Nats::start() else { return };
    let (broker, at) = (Broker::new(), address(&server.address()));
    let listener = listen(&broker, &at, "shop.>", "all");
    listener.called(&broker, &at, "shop.order", "begin").await;
    for number in 0..200 {
        broker
            .publish(&at, "shop.order.new", text(&number.to_string()))
            .await
            .unwrap();
    }
    broker
        .publish(&at, "shop.order", Bytes::from(vec![b'a'; MAX_PAYLOAD]))
        .await
        .unwrap();
    listener.hears("199").await;
    let expected: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let messages = listener
        .messages()
        .into_iter()
        .filter(|it| it.channel == "shop.order.new");
    let texts: Vec<Bytes> = messages.map(|it| it.payload).collect();
    assert_eq!(texts, expected);
    until("the biggest one", || {
        listener
            .messages()
            .iter()
            .any(|it| it.payload.len() == MAX_PAYLOAD)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_group_shares_the_messages_and_groups_do_not() {
    let Some(server) = Nats::start() else { return };
    let plain = address(&server.address());
    let named = address(&format!("{}?queue=workers", server.address()));
    // Three processes: two subscribers of one name, and two names in one group that the address names.
    let (here, there) = (Broker::new(), Broker::new());
    let (one, two) = (
        listen(&here, &plain, "shop.order", "settlement"),
        listen(&there, &plain, "shop.order", "settlement"),
    );
    let (three, four) = (
        listen(&here, &named, "shop.order", "three"),
        listen(&there, &named, "shop.order", "four"),
    );
    both_there(&here, &plain, &one, &two).await;
    both_there(&here, &plain, &three, &four).await;
    for number in 0..300 {
        here.publish(&plain, "shop.order", text(&format!("x{number}")))
            .await
            .unwrap();
    }
    for (left, right) in [(&one, &two), (&three, &four)] {
        until("all messages", || {
            (count(left) + count(right) >= 300).then_some(())
        })
        .await;
        assert_eq!(count(left) + count(right), 300);
        assert!(count(left) > 0 && count(right) > 0);
        let mut all = [left.texts(), right.texts()].concat();
        all.retain(|it| it.starts_with('x'));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 300);
    }
}

#[tokio::test]
async fn a_server_that_was_killed_and_restarted_is_no_trouble() {
    let Some(mut server) = Nats::start() else { return };
    let (log, _guard) = Log::record();
    let (broker, at) = (Broker::new(), address(&server.address()));
    let listener = listen(&broker, &at, "c", "steady");
    listener.called(&broker, &at, "c", "before").await;
    for round in 1..=3 {
        server.kill();
        let what = "the subscriber to notice";
        until(what, || {
            (log.lines(&["WARN", "steady", "no messages"]) == round).then_some(())
        })
        .await;
        server.restart();
        broker.publish(&at, "c", text("first try")).await.unwrap();
        let payload = format!("after {round}");
        listener.called(&broker, &at, "c", &payload).await;
    }
    assert_eq!(log.lines(&["INFO", "steady", "subscribed"]), 4);
}

#[tokio::test]
async fn a_server_that_is_absent_at_first_is_waited_for() {
    let Some(mut server) = Nats::start() else { return };
    server.kill();
    let (log, _guard) = Log::record();
    let (broker, at) = (Broker::new(), address(&server.address()));
    let listener = listen(&broker, &at, "c", "early");
    until("three tries", || {
        (log.lines(&["DEBUG", "early", "still without"]) >= 2).then_some(())
    })
    .await;
    assert_eq!(log.lines(&["WARN", "early"]), 1, "{}", log.text());
    server.restart();
    listener.called(&broker, &at, "c", "hello").await;
}

#[tokio::test]
async fn a_dead_or_silent_server_is_an_error_in_good_time() {
    let Some(mut server) = Nats::start() else { return };
    let broker = Broker::new();
    let (_silent, port) = silent_server();
    for sharing in ["", "?stream=SHOP"] {
        server.restart();
        let at = address(&format!("{}{sharing}", server.address()));
        broker.publish(&at, "c", text("alive")).await.unwrap();
        server.kill();
        let silent = address(&format!("nats://127.0.0.1:{port}{sharing}"));
        for dead in [&at, &silent] {
            let deadline = Instant::now() + DEADLINE;
            // A plain subject is at most once: until the client knows that the server is gone, it
            // only knows that it has sent the message.
            loop {
                let began = Instant::now();
                let answer = broker.publish(dead, "c", text("x")).await;
                assert!(began.elapsed() < DEADLINE / 2, "{:?}", began.elapsed());
                match answer {
                    Err(error) => {
                        assert!(matches!(error, BrokerError::Unavailable { .. }), "{error:?}");
                        break;
                    }
                    Ok(_) => assert!(Instant::now() < deadline && sharing.is_empty(), "{dead}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_freezes_is_noticed() {
    let Some(mut server) = Nats::start() else { return };
    let (log, _guard) = Log::record();
    let (broker, at) = (Broker::new(), address(&server.address()));
    let listener = listen(&broker, &at, "c", "steady");
    listener.called(&broker, &at, "c", "before").await;
    server.freeze();
    until("noticing", || {
        (log.lines(&["WARN", "steady", "no messages"]) == 1).then_some(())
    })
    .await;
    server.thaw();
    listener.called(&broker, &at, "c", "after").await;
}
