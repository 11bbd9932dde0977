//! A real NATS with streams.

use crate::support::{Listener, Log, address, listen, listen_with, text, until};
use broker::{Address, Broker, MAX_PAYLOAD, Message, Verdict};
use bytes::Bytes;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::servers::Nats;
use tokio::sync::Semaphore;

fn stream(server: &Nats, more: &str) -> Address {
    address(&format!("{}?stream=SHOP{more}", server.address()))
}

async fn send(broker: &Broker, at: &Address, payload: &str) {
    broker.publish(at, "shop.order", text(payload)).await.unwrap();
}

/// Publishes for as long as the server can't take it.
async fn send_in_the_end(broker: &Broker, at: &Address, payload: &str) {
    let mut tries = 0;
    while let Err(error) = broker.publish(at, "shop.order", text(payload)).await {
        tries += 1;
        assert!(tries < 60, "{error}");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

/// The deliveries of one message.
fn deliveries(listener: &Listener, payload: &str) -> Vec<u32> {
    let messages = listener.messages().into_iter().filter(|it| it.payload == payload);
    messages.map(|it| it.delivery).collect()
}

#[tokio::test]
async fn a_stream_keeps_what_was_published_before_anybody_listened() {
    let Some(server) = Nats::start() else { return };
    let (broker, at) = (Broker::new(), stream(&server, ""));
    for number in 0..100 {
        send(&broker, &at, &number.to_string()).await;
    }
    broker
        .publish(&at, "shop.order", Bytes::from(vec![b'a'; MAX_PAYLOAD]))
        .await
        .unwrap();
    let busy = Arc::new(AtomicUsize::new(0));
    let listener = listen_with(&broker, &at, "shop.order", "settlement", move |_: Message| {
        let busy = busy.clone();
        async move {
            assert_eq!(busy.fetch_add(1, Ordering::SeqCst), 0, "two at a time");
            tokio::task::yield_now().await;
            busy.fetch_sub(1, Ordering::SeqCst);
            Verdict::Done
        }
    });
    let messages = listener.count(101).await;
    let expected: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(listener.texts()[..100], expected);
    assert_eq!(messages[100].payload.len(), MAX_PAYLOAD);
    assert!(
        messages
            .iter()
            .all(|it| it.delivery == 1 && it.channel == "shop.order")
    );
    listener.stop().await;
    // Another one of the same name goes on behind what was done.
    send(&broker, &at, "later").await;
    let next = listen(&broker, &at, "shop.order", "settlement");
    next.hears("later").await;
    assert_eq!(next.texts(), ["later"]);
    // Another name has a durable consumer of its own, and gets everything.
    let other = listen(&broker, &at, "shop.order", "other");
    other.count(102).await;
}

#[tokio::test]
async fn what_failed_comes_again_and_is_given_up_in_the_end() {
    let Some(server) = Nats::start() else { return };
    let (log, _guard) = Log::record();
    let (broker, at) = (Broker::new(), stream(&server, "&max_deliver=3"));
    let listener = listen_with(&broker, &at, "shop.order", "settlement", |message| {
        ready(match (&message.payload[..], message.delivery) {
            (b"hopeless", _) | (b"second time", 1) => Verdict::Failed,
            _ => Verdict::Done,
        })
    });
    for payload in ["hopeless", "second time", "good"] {
        send(&broker, &at, payload).await;
    }
    listener.hears("good").await;
    until("a second time", || {
        (deliveries(&listener, "second time") == [1, 2]).then_some(())
    })
    .await;
    let given_up = || log.lines(&["ERROR", "settlement", "is given up", "failed each time"]);
    until("giving up", || (given_up() > 0).then_some(())).await;
    // Nothing of it is left behind for others of the same name.
    listener.stop().await;
    let next = listen(&broker, &at, "shop.order", "settlement");
    send(&broker, &at, "end").await;
    next.hears("end").await;
    assert_eq!(next.texts(), ["end"]);
    assert_eq!(given_up(), 1);
    assert_eq!(
        log.lines(&["WARN", "comes again"]),
        3,
        "hopeless twice, second time once"
    );
}

#[tokio::test]
async fn subscribers_of_one_name_share_the_messages() {
    let Some(server) = Nats::start() else { return };
    let (here, there, at) = (Broker::new(), Broker::new(), stream(&server, ""));
    let (one, two) = (
        listen(&here, &at, "shop.order", "settlement"),
        listen(&there, &at, "shop.order", "settlement"),
    );
    let mut sent = 0;
    while one.messages().is_empty() || two.messages().is_empty() || sent < 100 {
        send(&here, &at, &format!("{sent:06}")).await;
        sent += 1;
    }
    until("all", || {
        (one.messages().len() + two.messages().len() >= sent).then_some(())
    })
    .await;
    let mut all = [one.texts(), two.texts()].concat();
    all.sort();
    let expected: Vec<String> = (0..sent).map(|number| format!("{number:06}")).collect();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn what_a_crashed_subscriber_did_not_finish_comes_again() {
    let Some(server) = Nats::start() else { return };
    let at = stream(&server, "&ack_wait_ms=1000");
    let broker = Broker::new();
    let doomed = listen_with(&broker, &at, "shop.order", "settlement", |_| pending());
    send(&broker, &at, "unfinished").await;
    doomed.hears("unfinished").await;
    doomed.crash().await;
    let next = listen(&Broker::new(), &at, "shop.order", "settlement");
    next.hears("unfinished").await;
    assert_eq!(deliveries(&next, "unfinished"), [2]);
}

#[tokio::test]
async fn what_kills_every_subscriber_is_given_up_too() {
    let Some(server) = Nats::start() else { return };
    let (log, _guard) = Log::record();
    let at = stream(&server, "&ack_wait_ms=500&max_deliver=2");
    let broker = Broker::new();
    send(&broker, &at, "deadly").await;
    send(&broker, &at, "good").await;
    let deadly = |message: Message| async move {
        if message.payload == "deadly" {
            pending().await
        } else {
            Verdict::Done
        }
    };
    for delivery in [1, 2] {
        let doomed = listen_with(&broker, &at, "shop.order", "settlement", deadly);
        until("the deadly one", || {
            (deliveries(&doomed, "deadly") == [delivery]).then_some(())
        })
        .await;
        doomed.crash().await;
    }
    let survivor = listen_with(&broker, &at, "shop.order", "settlement", deadly);
    until("giving up", || {
        (log.lines(&["ERROR", "never finished"]) == 1).then_some(())
    })
    .await;
    send(&broker, &at, "end").await;
    survivor.hears("end").await;
    assert!(!survivor.has("deadly"));
}

#[tokio::test]
async fn a_handler_at_work_keeps_its_message() {
    let Some(server) = Nats::start() else { return };
    let at = stream(&server, "&ack_wait_ms=1000");
    let (broker, gate) = (Broker::new(), Arc::new(Semaphore::new(0)));
    let waits = gate.clone();
    let slow = listen_with(&broker, &at, "shop.order", "settlement", move |message| {
        let gate = waits.clone();
        async move {
            if message.payload == "slow" {
                gate.acquire().await.unwrap().forget();
            }
            Verdict::Done
        }
    });
    send(&broker, &at, "slow").await;
    slow.hears("slow").await;
    // Somebody who would get it when its time ran out, and who is seen to be there all the while.
    let idle = listen(&broker, &at, "shop.order", "settlement");
    for number in 0..4 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let payload = format!("meanwhile {number}");
        send(&broker, &at, &payload).await;
        idle.hears(&payload).await;
    }
    gate.add_permits(1);
    until("the end", || (gate.available_permits() == 0).then_some(())).await;
    slow.stop().await;
    assert!(!idle.has("slow"));
}

#[tokio::test]
async fn stopping_acknowledges_the_message_in_hand() {
    let Some(server) = Nats::start() else { return };
    let at = stream(&server, "&ack_wait_ms=1000");
    let (broker, gate) = (Broker::new(), Arc::new(Semaphore::new(0)));
    let waits = gate.clone();
    let listener = listen_with(&broker, &at, "shop.order", "settlement", move |_| {
        let gate = waits.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Verdict::Done
        }
    });
    send(&broker, &at, "in hand").await;
    listener.hears("in hand").await;
    send(&broker, &at, "not taken").await;
    let stopping = tokio::spawn(listener.stop());
    tokio::task::yield_now().await;
    gate.add_permits(10);
    stopping.await.unwrap();
    let next = listen(&broker, &at, "shop.order", "settlement");
    next.hears("not taken").await;
    assert_eq!(next.texts(), ["not taken"]);
}

#[tokio::test]
async fn a_killed_server_loses_nothing_that_it_confirmed() {
    let Some(mut server) = Nats::start() else { return };
    let (log, _guard) = Log::record();
    let (broker, at) = (Broker::new(), stream(&server, "&ack_wait_ms=1000"));
    let listener = listen(&broker, &at, "shop.order", "settlement");
    send(&broker, &at, "before").await;
    listener.hears("before").await;
    server.kill();
    until("noticing", || {
        (log.lines(&["WARN", "settlement", "no messages"]) == 1).then_some(())
    })
    .await;
    assert!(broker.publish(&at, "shop.order", text("lost")).await.is_err());
    server.restart();
    send_in_the_end(&broker, &at, "after").await;
    listener.hears("after").await;
    assert!(!listener.has("lost"));
}

#[tokio::test]
async fn a_server_that_lost_everything_gets_its_stream_and_consumer_again() {
    let Some(mut server) = Nats::start() else { return };
    let (broker, at) = (Broker::new(), stream(&server, ""));
    let listener = listen(&broker, &at, "shop.order", "settlement");
    send(&broker, &at, "before").await;
    listener.hears("before").await;
    server.restart_empty();
    send_in_the_end(&broker, &at, "after").await;
    listener.hears("after").await;
}

#[tokio::test]
async fn a_server_that_is_absent_at_first_is_waited_for() {
    let Some(mut server) = Nats::start() else { return };
    server.kill();
    let (log, _guard) = Log::record();
    let (broker, at) = (Broker::new(), stream(&server, ""));
    let listener = listen(&broker, &at, "shop.order", "early");
    until("three tries", || {
        (log.lines(&["DEBUG", "early", "still without"]) >= 2).then_some(())
    })
    .await;
    assert_eq!(log.lines(&["WARN", "early"]), 1, "{}", log.text());
    server.restart();
    send_in_the_end(&broker, &at, "hello").await;
    listener.hears("hello").await;
}

#[tokio::test]
async fn one_stream_takes_many_channels() {
    let Some(server) = Nats::start() else { return };
    let at = stream(&server, "");
    let (here, there) = (Broker::new(), Broker::new());
    let orders = listen(&here, &at, "shop.order", "settlement");
    let payments = listen(&here, &at, "shop.payment", "settlement");
    let stock = listen(&there, &at, "shop.stock", "settlement");
    for (channel, listener) in [
        ("shop.order", &orders),
        ("shop.payment", &payments),
        ("shop.stock", &stock),
    ] {
        here.publish(&at, channel, text(channel)).await.unwrap();
        listener.hears(channel).await;
        assert_eq!(listener.texts(), [channel]);
    }
    // A wildcard takes the place of the subjects that it covers.
    let all = listen(&there, &at, "shop.*", "audit");
    all.count(3).await;
    here.publish(&at, "shop.cart", text("shop.cart")).await.unwrap();
    all.hears("shop.cart").await;
    assert_eq!(all.messages().last().unwrap().channel, "shop.cart");
}

#[tokio::test]
async fn a_durable_consumer_of_another_channel_is_left_alone() {
    let Some(server) = Nats::start() else { return };
    let (log, _guard) = Log::record();
    let (broker, at) = (Broker::new(), stream(&server, "&durable=mine"));
    let first = listen(&broker, &at, "shop.order", "first");
    send(&broker, &at, "one").await;
    first.hears("one").await;
    let _second = listen(&broker, &at, "shop.payment", "second");
    until("a complaint", || {
        (log.lines(&["WARN", "second", "name another one"]) == 1).then_some(())
    })
    .await;
    send(&broker, &at, "two").await;
    first.hears("two").await;
}
