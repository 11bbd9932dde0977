//! Addresses, the good and the nonsense.

use broker::{Address, AddressError, JetStream, Sharing};
use std::time::Duration;

fn shown(text: &str) -> String {
    Address::parse(text).unwrap().to_string()
}

fn refused(text: &str) -> AddressError {
    match Address::parse(text) {
        Err(error) => error,
        Ok(address) => panic!("{text} is {address}"),
    }
}

#[test]
fn good_addresses_are_shown_in_full_but_for_the_password() {
    for (text, expected) in [
        ("local://bus", "local://bus"),
        ("local://My-bus_2", "local://My-bus_2"),
        ("local://bus:0", "local://bus"),
        ("redis://localhost", "redis://localhost:6379"),
        ("redis://localhost:", "redis://localhost:6379"),
        ("redis://localhost:7000/3", "redis://localhost:7000/3"),
        ("redis://[::1]:7000/", "redis://[::1]:7000"),
        ("redis://:s3cret@cache", "redis://:***@cache:6379"),
        ("redis://shop:s3cret@cache/1", "redis://shop:***@cache:6379/1"),
        ("nats://bus", "nats://bus:4222"),
        ("nats://shop:s3cret@bus:4333/", "nats://shop:***@bus:4333"),
        ("nats://bus?queue=workers", "nats://bus:4222?queue=workers"),
        (
            "nats://shop:s3cret@bus?stream=SHOP",
            "nats://shop:***@bus:4222?stream=SHOP",
        ),
    ] {
        assert_eq!(shown(text), expected, "{text}");
        let debug = format!("{:?}", Address::parse(text).unwrap());
        assert!(!debug.contains("s3cret"), "{debug}");
    }
}

#[test]
fn a_stream_has_sensible_defaults() {
    let sharing = |text: &str| match Address::parse(text).unwrap() {
        Address::Nats(address) => address.sharing().clone(),
        other => panic!("{other}"),
    };
    let defaults = JetStream {
        stream: "SHOP".to_owned(),
        durable: None,
        max_deliver: 10,
        ack_wait: Duration::from_secs(30),
    };
    assert_eq!(
        sharing("nats://bus?stream=SHOP"),
        Sharing::Stream(defaults.clone())
    );
    let all = "nats://bus?ack_wait_ms=1500&max_deliver=3&durable=settlement&stream=SHOP";
    let expected = JetStream {
        durable: Some("settlement".to_owned()),
        max_deliver: 3,
        ack_wait: Duration::from_millis(1500),
        ..defaults
    };
    assert_eq!(sharing(all), Sharing::Stream(expected));
    assert_eq!(sharing("nats://bus"), Sharing::Group(None));
}

#[test]
fn nonsense_is_refused_and_never_repeated() {
    for text in [
        "",
        "bus",
        "local",
        "local:bus",
        "://",
        "http://bus",
        "Redis://h",
        "redis:h",
        "amqp://s3cret@h",
        "local://",
        "local://a/b",
        "local://a b",
        "local://a?b",
        "local://가게",
        "local://a.b",
        "local://a:1",
        "local://:0",
        "redis://",
        "redis:///0",
        "redis://:6379",
        "redis://h:x",
        "redis://h:0",
        "redis://h:65536",
        "redis://h/x",
        "redis://h/-1",
        "redis://h/1/2",
        "redis://h/65536",
        "redis://h#f",
        "redis://h?",
        "redis://h?db=1",
        "redis://user@h",
        "redis://:%ff@h",
        "redis://h h",
        "redis://[::1",
        "nats://",
        "nats://:4222",
        "nats://h:x",
        "nats://h:0",
        "nats://h/x",
        "nats://h#f",
        "nats://user@h",
        "nats://:s3cret@h",
        "nats://u:%ff@h",
    ] {
        let error = refused(text);
        assert!(!error.to_string().contains("s3cret"), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    let long = format!("local://{}", "a".repeat(129));
    refused(&long);
}

#[test]
fn parameters_are_strict() {
    for text in [
        "nats://h?stream=",
        "nats://h?stream=a.b",
        "nats://h?stream=a%20b",
        "nats://h?stream=A&stream=B",
        "nats://h?Stream=A",
        "nats://h?strem=A",
        "nats://h?durable=d",
        "nats://h?max_deliver=3",
        "nats://h?ack_wait_ms=1000",
        "nats://h?stream=A&queue=q",
        "nats://h?queue=",
        "nats://h?queue=a.b",
        "nats://h?stream=A&durable=a.b",
        "nats://h?stream=A&max_deliver=0",
        "nats://h?stream=A&max_deliver=-1",
        "nats://h?stream=A&max_deliver=+3",
        "nats://h?stream=A&max_deliver=1000001",
        "nats://h?stream=A&max_deliver=three",
        "nats://h?stream=A&ack_wait_ms=99",
        "nats://h?stream=A&ack_wait_ms=3600001",
        "nats://h?stream=A&ack_wait_ms=1.5",
        "nats://h?=A",
    ] {
        let error = refused(text);
        assert!(
            matches!(error, AddressError::Parameter { .. }),
            "{text}: {error:?}"
        );
    }
}

#[test]
fn what_is_not_built_in_says_so() {
    assert_eq!(refused("rediss://:s3cret@h"), AddressError::NoTls("rediss"));
    assert_eq!(refused("tls://u:s3cret@h"), AddressError::NoTls("tls"));
    assert!(refused("rediss://h").to_string().contains("not built in"));
}

#[test]
fn two_addresses_are_the_same_when_all_of_them_is() {
    assert_eq!(Address::parse("redis://h"), Address::parse("redis://h:6379/0"));
    assert_ne!(Address::parse("redis://:a@h"), Address::parse("redis://:b@h"));
    assert_ne!(
        Address::parse("nats://h?stream=A"),
        Address::parse("nats://h?stream=B")
    );
}
