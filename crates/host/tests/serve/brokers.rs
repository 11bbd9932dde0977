//! Triggers and publishing over real brokers, which go away and come back.

use crate::support::{Running, options, start, ticker};
use expect_test::expect;
use host::{Options, Triggers};
use std::io::Write;
use std::time::{Duration, Instant};
use testkit::servers::{Nats, Redis};

fn hears(address: &str) -> String {
    format!("[[trigger.redis]]\nchannel = \"shop\"\naddress = {address:?}\ncomponent = \"ticker\"\n")
}

async fn publish(server: &Running, address: &str, text: &str) -> String {
    let path = format!("/ticker/publish?address={address}&channel=shop&text={text}");
    server.get(&path).await.body
}

/// Publishes until it is heard: nobody promises that the first one is.
async fn publish_until_heard(server: &Running, address: &str, text: &str) {
    let started = Instant::now();
    let heard = format!("message {} {text}", text.len());
    loop {
        publish(server, address, text).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        if server.notes().await.contains(&heard) {
            return;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "{text} is never heard"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_be_away_at_the_start_and_go_away_in_the_middle() {
    let Some(mut redis) = Redis::start() else { return };
    let address = redis.address();
    redis.kill();
    let server = start(&ticker(&[&address], &hears(&address)), options()).await;
    let triggers = Triggers::start(&server.app);
    let lost = publish(&server, &address, "lost").await;
    assert!(lost.starts_with("Err(Error::Other("), "{lost}");
    redis.restart();
    publish_until_heard(&server, &address, "first").await;
    redis.kill();
    let lost = publish(&server, &address, "lost").await;
    assert!(lost.starts_with("Err(Error::Other("), "{lost}");
    redis.restart();
    publish_until_heard(&server, &address, "second").await;
    assert!(triggers.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_may_be_away_at_the_start_and_go_away_in_the_middle() {
    let Some(mut nats) = Nats::start() else { return };
    let address = nats.address();
    nats.kill();
    // The same trigger as for Redis, with another address.
    let server = start(&ticker(&[&address], &hears(&address)), options()).await;
    let triggers = Triggers::start(&server.app);
    nats.restart();
    publish_until_heard(&server, &address, "first").await;
    nats.kill();
    let lost = publish(&server, &address, "lost").await;
    assert!(lost.starts_with("Err(Error::Other("), "{lost}");
    nats.restart();
    publish_until_heard(&server, &address, "second").await;
    assert!(triggers.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_hands_a_message_out_again_until_it_is_handled_or_given_up() {
    let Some(nats) = Nats::start() else { return };
    let address = nats.address();
    let trigger = format!(
        "[[trigger.nats]]\naddress = {address:?}\nsubject = \"shop\"\ncomponent = \"ticker\"\n\
         stream = \"shop\"\nmax_deliver = 2\n"
    );
    let server = start(&ticker(&[&address], &trigger), options()).await;
    let triggers = Triggers::start(&server.app);
    let to_stream = format!("{address}?stream=shop");
    publish_until_heard(&server, &to_stream, "first").await;
    publish(&server, &to_stream, "fail").await;
    publish(&server, &to_stream, "after").await;
    let failed = |notes: &[String]| notes.iter().filter(|note| *note == "message 4 fail").count();
    let notes = server
        .wait_for("the second try", |notes| failed(notes) == 2)
        .await;
    assert!(notes.iter().any(|note| note == "message 5 after"), "{notes:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(failed(&server.notes().await), 2);
    assert!(triggers.stop().await);
}

/// Sends a command to Redis past the host.
fn raw_publish(redis: &Redis, payload: &[u8]) {
    let mut connection = std::net::TcpStream::connect(("127.0.0.1", redis.port())).expect("it listens");
    let head = format!("*3\r\n$7\r\nPUBLISH\r\n$4\r\nshop\r\n${}\r\n", payload.len());
    connection.write_all(head.as_bytes()).expect("sent");
    connection.write_all(payload).expect("sent");
    connection.write_all(b"\r\n").expect("sent");
    // Its answer is the proof that it took the message.
    let mut answer = [0; 4];
    std::io::Read::read_exact(&mut connection, &mut answer).expect("an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_is_handed_on_and_what_is_too_large_is_cut() {
    let Some(redis) = Redis::start() else { return };
    let address = redis.address();
    let server = start(&ticker(&[&address], &hears(&address)), options()).await;
    let triggers = Triggers::start(&server.app);
    publish_until_heard(&server, &address, "first").await;
    raw_publish(&redis, &vec![b'x'; 2_000_000]);
    raw_publish(&redis, b"");
    raw_publish(&redis, b"\xff\xfe\x00");
    raw_publish(&redis, b"trap");
    publish_until_heard(&server, &address, "last").await;
    let notes = server.notes().await;
    assert!(notes.iter().any(|note| note == "message 0 "), "{notes:?}");
    assert!(
        notes.iter().any(|note| note.starts_with("message 3 ")),
        "{notes:?}"
    );
    assert!(notes.iter().any(|note| note == "message 4 trap"), "{notes:?}");
    let cut = format!("message {} ", broker::MAX_PAYLOAD + 1);
    assert!(
        notes.iter().any(|note| note.starts_with(&cut)),
        "it came whole, or not"
    );
    assert!(!notes.iter().any(|note| note.contains("2000000")));
    assert!(triggers.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_redis_answer_in_their_types() {
    let Some(redis) = Redis::start() else { return };
    let address = redis.address();
    let server = start(&ticker(&[&address], ""), options()).await;
    let answers = server
        .get(&format!("/ticker/commands?address={address}/0"))
        .await
        .body;
    expect![[r#"
        Ok(None)
        Ok(())
        Ok(Some([0, 118]))
        Ok(1)
        true
        Ok(2)
        Ok(2)
        Ok(1)
        Ok(["b"])
        Ok(2)
        true
        Ok([RedisResult::Status("OK")])
        Ok([RedisResult::Binary([45, 53]), RedisResult::Nil])
        Ok([RedisResult::Int64(2)])
        true"#]]
    .assert_eq(&answers);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_triggers_may_come_from_a_variable() {
    let Some(redis) = Redis::start() else { return };
    let address = redis.address();
    let more = "[application.trigger.redis]\naddress = \"{{ events_address }}\"\n\
                [variables]\nevents_address = { default = \"local://bus\" }\n\
                [[trigger.redis]]\nchannel = \"shop\"\ncomponent = \"ticker\"\n";
    let given = Options {
        variables: manifest::CliVariables::parse(&[format!("events_address={address}")])
            .expect("an argument"),
        ..options()
    };
    let server = start(&ticker(&["{{ events_address }}"], more), given).await;
    let triggers = Triggers::start(&server.app);
    publish_until_heard(&server, &address, "first").await;
    assert!(triggers.stop().await);
}
