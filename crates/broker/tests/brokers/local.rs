//! The bus inside the process.

use crate::support::{Log, address, listen, listen_with, text, until};
use broker::{Broker, BrokerError, MAX_PAYLOAD, Subscription, Verdict};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

#[tokio::test]
async fn every_subscription_gets_every_message_in_order_and_one_at_a_time() {
    let (broker, bus) = (Broker::new(), address("local://bus"));
    let busy = Arc::new(AtomicUsize::new(0));
    let at_work = busy.clone();
    let careful = listen_with(&broker, &bus, "shop.order", "careful", move |_| {
        let at_work = at_work.clone();
        async move {
            assert_eq!(at_work.fetch_add(1, Ordering::SeqCst), 0, "two at a time");
            tokio::task::yield_now().await;
            at_work.fetch_sub(1, Ordering::SeqCst);
            Verdict::Done
        }
    });
    let other = listen(&broker, &bus, "shop.order", "other");
    for listener in [&careful, &other] {
        listener.called(&broker, &bus, "shop.order", "begin").await;
    }
    for number in 0..100 {
        let receivers = broker
            .publish(&bus, "shop.order", text(&number.to_string()))
            .await;
        assert_eq!(receivers, Ok(2));
    }
    let expected: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    for listener in [&careful, &other] {
        listener.hears("99").await;
        let mut texts = listener.texts();
        texts.retain(|it| it != "begin");
        assert_eq!(texts, expected);
        assert!(
            listener
                .messages()
                .iter()
                .all(|it| it.delivery == 1 && it.channel == "shop.order")
        );
    }
}

#[tokio::test]
async fn buses_channels_and_brokers_are_apart() {
    let (broker, bus) = (Broker::new(), address("local://bus"));
    let listener = listen(&broker, &bus, "shop.order", "one");
    listener.called(&broker.clone(), &bus, "shop.order", "mine").await;
    let elsewhere = address("local://other");
    assert_eq!(broker.publish(&elsewhere, "shop.order", text("x")).await, Ok(0));
    assert_eq!(broker.publish(&bus, "shop.payment", text("x")).await, Ok(0));
    assert_eq!(broker.publish(&bus, "shop.*", text("x")).await, Ok(0));
    assert_eq!(Broker::new().publish(&bus, "shop.order", text("x")).await, Ok(0));
    assert!(!listener.has("x"));
}

#[tokio::test]
async fn a_full_queue_drops_the_newest_and_holds_nobody_up() {
    let (log, _guard) = Log::record();
    let (broker, bus) = (Broker::new(), address("local://bus"));
    let gate = Arc::new(Semaphore::new(0));
    let waits = gate.clone();
    let slow = listen_with(&broker, &bus, "c", "slow", move |_| {
        let gate = waits.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Verdict::Done
        }
    });
    // The first one is in the hand of the subscriber, and 1024 wait behind it.
    until("a subscriber", || {
        slow.messages().first().map(drop).or_else(|| {
            let publishing = broker.publish(&bus, "c", text("0"));
            let taken = futures_util::FutureExt::now_or_never(publishing);
            assert!(matches!(taken, Some(Ok(0 | 1))), "{taken:?}");
            None
        })
    })
    .await;
    let mut taken = 0;
    for number in 1..=3000 {
        taken += broker
            .publish(&bus, "c", text(&number.to_string()))
            .await
            .unwrap();
    }
    assert!((1000..=1024).contains(&taken), "{taken}");
    let (dropped, lines) = (3000 - taken, log.lines(&["WARN", "queue is full"]));
    assert!(
        dropped > 1900 && (1..20).contains(&lines),
        "{dropped} dropped, {lines} lines"
    );
    gate.add_permits(4000);
    slow.hears(&taken.to_string()).await;
    // It is there for new messages, and what it got is in order.
    slow.called(&broker, &bus, "c", "after").await;
    let mut numbers: Vec<u64> = slow.texts().iter().filter_map(|it| it.parse().ok()).collect();
    assert!(numbers.is_sorted());
    numbers.retain(|number| *number > 0);
    assert_eq!(numbers, (1..=taken).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_queue_of_large_messages_is_full_at_16_mib_and_has_room_again_when_they_are_handled() {
    let (log, _guard) = Log::record();
    let (broker, bus) = (Broker::new(), address("local://bus"));
    let gate = Arc::new(Semaphore::new(0));
    let waits = gate.clone();
    let slow = listen_with(&broker, &bus, "c", "slow", move |_| {
        let gate = waits.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Verdict::Done
        }
    });
    // One is in the hand of the subscriber; what waits behind it counts.
    slow.called(&broker, &bus, "c", "").await;
    let large = Bytes::from(vec![b'x'; MAX_PAYLOAD]);
    let mut taken = 0;
    for _ in 0..40 {
        taken += broker.publish(&bus, "c", large.clone()).await.unwrap();
    }
    assert_eq!(taken, 16);
    assert_eq!(
        broker.publish(&bus, "c", text("x")).await,
        Ok(0),
        "not one byte more"
    );
    assert!(log.lines(&["WARN", "queue is full"]) > 0);
    gate.add_permits(1_000);
    slow.called(&broker, &bus, "c", "after").await;
    let large = slow
        .messages()
        .iter()
        .filter(|it| it.payload.len() == MAX_PAYLOAD)
        .count();
    assert_eq!(large, 16);
}

#[tokio::test]
async fn failing_and_panicking_handlers_lose_one_message_and_no_more() {
    let (log, _guard) = Log::record();
    let (broker, bus) = (Broker::new(), address("local://bus"));
    let listener = listen_with(&broker, &bus, "c", "clumsy", |message| async move {
        match &message.payload[..] {
            b"fail" => Verdict::Failed,
            b"panic" => panic!("on purpose"),
            _ => Verdict::Done,
        }
    });
    listener.called(&broker, &bus, "c", "begin").await;
    for payload in ["fail", "panic", "end"] {
        assert_eq!(broker.publish(&bus, "c", text(payload)).await, Ok(1));
    }
    listener.hears("end").await;
    let mut texts = listener.texts();
    texts.retain(|it| it != "begin");
    assert_eq!(texts, ["fail", "panic", "end"]);
    assert_eq!(log.lines(&["WARN", "clumsy", "was not handled"]), 2);
}

#[tokio::test]
async fn stopping_finishes_the_message_in_hand_and_takes_no_other() {
    let (broker, bus) = (Broker::new(), address("local://bus"));
    let gate = Arc::new(Semaphore::new(0));
    let done = Arc::new(AtomicUsize::new(0));
    let (waits, counts) = (gate.clone(), done.clone());
    let listener = listen_with(&broker, &bus, "c", "one", move |_| {
        let (gate, done) = (waits.clone(), counts.clone());
        async move {
            gate.acquire().await.unwrap().forget();
            done.fetch_add(1, Ordering::SeqCst);
            Verdict::Done
        }
    });
    listener.called(&broker, &bus, "c", "first").await;
    broker.publish(&bus, "c", text("second")).await.unwrap();
    let stopping = tokio::spawn(listener.stop());
    tokio::task::yield_now().await;
    assert!(!stopping.is_finished());
    gate.add_permits(10);
    stopping.await.unwrap();
    assert_eq!(done.load(Ordering::SeqCst), 1);
    assert_eq!(broker.publish(&bus, "c", text("third")).await, Ok(0));
}

#[tokio::test]
async fn oversized_messages_are_refused_everywhere() {
    let broker = Broker::new();
    let size = MAX_PAYLOAD + 1;
    for to in ["local://bus", "redis://127.0.0.1:1", "nats://127.0.0.1:1"] {
        let answer = broker
            .publish(&address(to), "c", Bytes::from(vec![0; size]))
            .await;
        assert_eq!(answer, Err(BrokerError::TooBig { size }), "{to}");
    }
    let bus = address("local://bus");
    let answer = broker.publish(&bus, "c", Bytes::from(vec![0; MAX_PAYLOAD])).await;
    assert_eq!(answer, Ok(0));
}

#[tokio::test]
async fn a_subscription_that_can_never_work_says_so_and_waits_to_be_stopped() {
    let (log, _guard) = Log::record();
    let broker = Broker::new();
    let nats = address("nats://127.0.0.1:1");
    let subscription = Subscription {
        address: nats.clone(),
        channel: "two words".to_owned(),
        name: "never".to_owned(),
    };
    assert!(matches!(subscription.check(), Err(BrokerError::Channel { .. })));
    let listener = listen(&broker, &nats, "two words", "never");
    until("an error", || {
        (log.lines(&["ERROR", "never", "can never work"]) == 1).then_some(())
    })
    .await;
    listener.stop().await;
    let answer = broker.publish(&nats, "shop.*", text("x")).await;
    assert!(matches!(answer, Err(BrokerError::Channel { .. })), "{answer:?}");
    let answer = broker.publish(&address("local://bus"), "", text("x")).await;
    assert!(matches!(answer, Err(BrokerError::Channel { .. })), "{answer:?}");
}
