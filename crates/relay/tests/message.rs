//! What travels, word for word, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use expect_test::{Expect, expect};
use kernel::Instant;
use proptest::prelude::*;
use relay::message::{EncodeError, MAX_BYTES, MAX_EVENTS, MAX_TAKEN_BYTES, channel, pack};
use relay::{Delivery, Event, Message};

fn event(position: u64, data: &str) -> Event {
    Event {
        id: format!("payment.completed:{position}"),
        topic: "payment.completed".to_owned(),
        key: "17".to_owned(),
        position,
        occurred_at: Instant::from_micros(1_795_217_020_000_000),
        data: data.to_owned(),
        traceparent: None,
    }
}

fn delivery(position: u64, published: u32, data_bytes: usize) -> Delivery {
    let data = format!(r#"{{"x":"{}"}}"#, "x".repeat(data_bytes));
    Delivery {
        event: event(position, &data),
        published,
    }
}

#[test]
fn a_message_is_this_text_and_comes_back_from_it() {
    let message = Message {
        producer: "payment".to_owned(),
        events: vec![
            event(1, r#"{"amount":25000,"이름":"상품 \"A\""}"#),
            event(2, "{}"),
        ],
    };
    let text = message.encode().unwrap();
    expect![[r#"{"producer":"payment","events":[{"id":"payment.completed:1","topic":"payment.completed","key":"17","position":1,"occurredAt":1795217020000000,"data":{"amount":25000,"이름":"상품 \"A\""}},{"id":"payment.completed:2","topic":"payment.completed","key":"17","position":2,"occurredAt":1795217020000000,"data":{}}]}"#]]
        .assert_eq(&text);
    assert_eq!(Message::decode(text.as_bytes()).unwrap(), message);
    assert_eq!(channel("payment"), "shop.payment");
}

#[test]
fn every_kind_of_junk_is_told_apart() {
    let check = |text: &[u8], expected: Expect| {
        expected.assert_eq(&Message::decode(text).unwrap_err().to_string());
    };
    let with = |event: &str| format!(r#"{{"producer":"payment","events":[{event}]}}"#).into_bytes();
    let good = r#"{"id":"a","topic":"b","key":"c","position":1,"occurredAt":0,"data":{}}"#;
    assert!(Message::decode(&with(good)).is_ok());
    check(b"", expect!["not a message: expected a JSON object"]);
    check(b"hello", expect!["not a message: expected a JSON object"]);
    check(b"\xff\xfe", expect!["not a text"]);
    check(
        b"[\"payment\",[]]",
        expect!["not a message: expected a JSON object"],
    );
    check(
        b"{}",
        expect!["not a message: missing field `producer` at line 1 column 2"],
    );
    check(
        b"{\"producer\":1,\"events\":[]}",
        expect!["not a message: invalid type: integer `1`, expected a string at line 1 column 13"],
    );
    check(
        b"{\"producer\":\"\",\"events\":[]}",
        expect!["producer must have 1 to 64 characters, none of them a control character"],
    );
    check(&with(""), expect!["0 events; a message has 1 to 100"]);
    check(
        &with(&[good; MAX_EVENTS + 1].join(",")),
        expect!["101 events; a message has 1 to 100"],
    );
    check(
        &vec![b' '; MAX_TAKEN_BYTES + 1],
        expect!["more than the 1048576 bytes that are read"],
    );
    check(
        &"[".repeat(100_000).into_bytes(),
        expect!["not a message: expected a JSON object"],
    );
    check(
        &with(&"[".repeat(100_000)),
        expect!["not a message: expected `,` or `]` at line 1 column 100034"],
    );
    check(
        &with(&format!("{good},[]")),
        expect!["events[1]: expected a JSON object"],
    );
    check(
        &with(r#"["a","b","c",1,0,{}]"#),
        expect!["events[0]: expected a JSON object"],
    );
    for (from, to, expected) in [
        (
            "\"a\"",
            "\"\"",
            expect!["events[0]: id must have 1 to 500 characters, none of them a control character"],
        ),
        (
            "\"b\"",
            "\"\\u0000\"",
            expect!["events[0]: topic must have 1 to 100 characters, none of them a control character"],
        ),
        (
            "\"c\"",
            "null",
            expect!["events[0]: invalid type: null, expected a string at line 1 column 32"],
        ),
        (
            ":1",
            ":0",
            expect!["events[0]: position must be from 1 to 9007199254740991"],
        ),
        (
            ":1",
            ":-1",
            expect!["events[0]: invalid value: integer `-1`, expected u64 at line 1 column 45"],
        ),
        (
            ":1",
            ":1.0",
            expect!["events[0]: invalid type: floating point `1.0`, expected u64 at line 1 column 46"],
        ),
        (
            ":1",
            ":9007199254740992",
            expect!["events[0]: position must be from 1 to 9007199254740991"],
        ),
        (
            ":0",
            ":\"today\"",
            expect![[r#"events[0]: invalid type: string "today", expected i64 at line 1 column 65"#]],
        ),
        ("{}", "[]", expect!["events[0]: data must be a JSON object"]),
        ("{}", "null", expect!["events[0]: data must be a JSON object"]),
        (
            ",\"data\":{}",
            "",
            expect!["events[0]: missing field `data` at line 1 column 60"],
        ),
    ] {
        check(&with(&good.replacen(from, to, 1)), expected);
    }
    check(
        &with(&good.replacen("\"a\"", &format!("{:?}", "a".repeat(501)), 1)),
        expect!["events[0]: id must have 1 to 500 characters, none of them a control character"],
    );
}

#[test]
fn what_a_newer_producer_adds_is_passed_over() {
    let text = br#"{"v":2,"producer":"p","events":[{"id":"a","topic":"b","key":"c","position":1,"occurredAt":0,"data":{"d":[1]},"tenant":"x"}]}"#;
    assert_eq!(Message::decode(text).unwrap().events[0].data, r#"{"d":[1]}"#);
}

#[test]
fn messages_are_full_and_every_fourth_time_an_event_travels_alone() {
    let sizes = |deliveries: &[Delivery]| {
        let packed = pack("payment", deliveries);
        assert_eq!(packed.refused, []);
        let positions = packed.parcels.iter().flat_map(|parcel| {
            let message = Message::decode(parcel.text.as_bytes()).unwrap();
            assert_eq!(message.events.len(), parcel.events as usize);
            message.events
        });
        assert!(positions.eq(deliveries.iter().map(|delivery| delivery.event.clone())));
        packed
            .parcels
            .iter()
            .map(|parcel| parcel.events)
            .collect::<Vec<_>>()
    };
    let many = |count: u64, published| (1..=count).map(move |place| delivery(place, published, 10));
    assert_eq!(sizes(&[]), [0; 0]);
    assert_eq!(sizes(&many(100, 0).collect::<Vec<_>>()), [100]);
    assert_eq!(sizes(&many(201, 0).collect::<Vec<_>>()), [100, 100, 1]);
    for (published, expected) in [
        (1, vec![3]),
        (2, vec![3]),
        (3, vec![1, 1, 1]),
        (4, vec![3]),
        (7, vec![1, 1, 1]),
    ] {
        assert_eq!(
            sizes(&many(3, published).collect::<Vec<_>>()),
            expected,
            "{published}"
        );
    }
    let mixed: Vec<_> = many(2, 0).chain(many(1, 7)).chain(many(2, 0)).collect();
    assert_eq!(sizes(&mixed), [2, 1, 2]);
    let large: Vec<_> = (1..=5)
        .map(|place| delivery(place, 0, MAX_BYTES / 2 - 300))
        .collect();
    assert_eq!(sizes(&large), [2, 2, 1]);
    let huge = [delivery(1, 0, 1), delivery(2, 0, MAX_BYTES), delivery(3, 0, 1)];
    assert_eq!(sizes(&huge), [1, 1, 1]);
}

#[test]
fn a_tombstone_goes_in_the_place_of_an_event_that_can_not_travel() {
    let bent = |position, bend: fn(&mut Event)| {
        let mut bent = delivery(position, 0, 1);
        bend(&mut bent.event);
        bent
    };
    let deliveries = [
        bent(1, |event| event.id.clear()),
        bent(2, |event| event.data = "{".to_owned()),
        bent(3, |event| event.data = "[]".to_owned()),
        delivery(4, 0, MAX_TAKEN_BYTES),
        bent(5, |event| event.topic = "t\n".repeat(60)),
        bent(6, |event| event.key.clear()),
        delivery(7, 0, 1),
    ];
    let packed = pack("payment", &deliveries);
    let told = |(position, error): &(u64, EncodeError)| format!("{position}: {error}");
    expect![[r#"
        1: id must have 1 to 500 characters, none of them a control character
        2: data must be a JSON object
        3: data must be a JSON object
        4: more than the 1048576 bytes that are read
        5: topic must have 1 to 100 characters, none of them a control character
        6: key must have 1 to 200 characters, none of them a control character"#]]
    .assert_eq(&packed.refused.iter().map(told).collect::<Vec<_>>().join("\n"));
    assert_eq!(packed.parcels.len(), 1);
    let events = Message::decode(packed.parcels[0].text.as_bytes()).unwrap().events;
    let line = |event: &Event| {
        let Event {
            id,
            topic,
            key,
            position,
            ..
        } = event;
        format!("{position} {id} {topic:.19} {key}: {:?}\n", event.undeliverable())
    };
    expect![[r#"
        1 undeliverable:1 payment.completed 17: Some("id must have 1 to 500 characters, none of them a control character")
        2 payment.completed:2 payment.completed 17: Some("data must be a JSON object")
        3 payment.completed:3 payment.completed 17: Some("data must be a JSON object")
        4 payment.completed:4 payment.completed 17: Some("more than the 1048576 bytes that are read")
        5 payment.completed:5 t�t�t�t�t�t�t�t�t�t 17: Some("topic must have 1 to 100 characters, none of them a control character")
        6 payment.completed:6 payment.completed -: Some("key must have 1 to 200 characters, none of them a control character")
        7 payment.completed:7 payment.completed 17: None
    "#]].assert_eq(&events.iter().map(line).collect::<String>());
    let again = deliveries.map(|delivery| Delivery {
        published: 3,
        ..delivery
    });
    let packed = pack("payment", &again);
    assert_eq!((packed.parcels.len(), packed.refused), (7, vec![]), "told once");
    let nobody = pack("", &again);
    assert_eq!((nobody.parcels.len(), nobody.refused.len()), (0, 7));
}

#[test]
fn only_a_tombstone_is_one() {
    for data in [
        "{}",
        r#"{"undeliverable":1}"#,
        r#"{"undeliverable":"x","orderId":1}"#,
        r#"["x"]"#,
    ] {
        assert_eq!(event(1, data).undeliverable(), None, "{data}");
    }
    let told = event(1, r#"{"undeliverable":"x"}"#).undeliverable();
    assert_eq!(told.as_deref(), Some("x"));
}

#[test]
fn a_message_tells_of_1_to_100_events_that_somebody_would_read() {
    let encode = |events| {
        let producer = "payment".to_owned();
        Message { producer, events }.encode()
    };
    assert_eq!(encode(vec![]), Err(EncodeError::Count(0)));
    assert_eq!(encode(vec![event(1, "{}"); 101]), Err(EncodeError::Count(101)));
    let large = delivery(1, 0, MAX_TAKEN_BYTES / 2).event;
    assert!(matches!(encode(vec![large; 2]), Err(EncodeError::TooLarge)));
}

#[test]
fn the_trace_goes_along_and_is_never_a_reason_to_refuse_anything() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (given, expected) in [(parent, Some(parent)), ("00-1-2-3", None), ("\n", None)] {
        let mut traced = delivery(1, 0, 1);
        traced.event.traceparent = Some(given.to_owned());
        let packed = pack("payment", &[traced]);
        assert_eq!(packed.refused, []);
        let text = &packed.parcels[0].text;
        assert_eq!(text.contains("traceparent"), expected.is_some(), "{text}");
        let message = Message::decode(text.as_bytes()).unwrap();
        assert_eq!(message.events[0].traceparent.as_deref(), expected);
    }
    let forged = r#"{"producer":"p","events":[{"id":"a","topic":"t","key":"k","position":1,"occurredAt":0,
        "traceparent":"not a trace","data":{}}]}"#;
    let message = Message::decode(forged.as_bytes()).unwrap();
    assert_eq!(message.events[0].traceparent, None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_encoded_is_decoded(
        events in prop::collection::vec(
            ("\\PC{1,20}", "\\PC{1,20}", 1u64..1 << 53, any::<i64>(), "\\PC{0,20}"), 1..20
        )
    ) {
        let events = events.into_iter().map(|(id, key, position, at, word)| Event {
            id,
            topic: "t".to_owned(),
            key,
            position,
            occurred_at: Instant::from_micros(at),
            data: serde_json::json!({ "word": word }).to_string(),
            traceparent: None,
        });
        let message = Message { producer: "payment".to_owned(), events: events.collect() };
        let text = message.encode().unwrap();
        prop_assert_eq!(Message::decode(text.as_bytes()).unwrap(), message);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..300) {
        let _ = Message::decode(&bytes);
        let good = Message { producer: "p".to_owned(), events: vec![event(1, "{}")] }.encode().unwrap();
        let mut bent = good.into_bytes();
        bent.truncate(cut);
        bent.extend(bytes);
        let _ = Message::decode(&bent);
    }
}
