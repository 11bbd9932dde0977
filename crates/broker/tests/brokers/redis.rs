//! A real Redis.

use crate::support::{DEADLINE, Log, address, listen, listen_with, silent_server, text, until};
use broker::{Broker, BrokerError, MAX_PAYLOAD, RedisArgument, RedisValue, Verdict};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use testkit::servers::Redis;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream as AsyncStream};
use tokio::time::Instant;

fn words(words: &[&str]) -> Vec<RedisArgument> {
    let binary = |word: &&str| RedisArgument::Binary(word.as_bytes().to_vec());
    words.iter().map(binary).collect()
}

fn binary(text: &str) -> RedisValue {
    RedisValue::Binary(text.as_bytes().to_vec())
}

#[tokio::test]
async fn every_subscriber_gets_every_message_in_order() {
    let Some(server) = Redis::start() else { return };
    let (broker, at) = (Broker::new(), address(&server.address()));
    let one = listen(&broker, &at, "shop.order", "one");
    let two = listen_with(&broker, &at, "shop.order", "two", |_| async {
        tokio::task::yield_now().await;
        Verdict::Failed
    });
    for listener in [&one, &two] {
        listener.called(&broker, &at, "shop.order", "begin").await;
    }
    for number in 0..200 {
        let receivers = broker.publish(&at, "shop.order", text(&number.to_string())).await;
        assert_eq!(receivers, Ok(2));
    }
    let expected: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    for listener in [&one, &two] {
        listener.hears("199").await;
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
    one.stop().await;
    let gone = async || broker.publish(&at, "shop.order", text("x")).await;
    let deadline = Instant::now() + DEADLINE;
    while gone().await != Ok(1) {
        assert!(Instant::now() < deadline, "the stopped one is still there");
    }
}

#[tokio::test]
async fn a_server_that_was_killed_and_restarted_is_no_trouble() {
    let Some(mut server) = Redis::start() else { return };
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
        // The publisher's connection is from before, and the first try already works.
        broker.publish(&at, "c", text("first try")).await.unwrap();
        let payload = format!("after {round}");
        listener.called(&broker, &at, "c", &payload).await;
    }
    assert_eq!(log.lines(&["INFO", "steady", "subscribed"]), 4);
}

#[tokio::test]
async fn a_server_that_is_absent_at_first_is_waited_for() {
    let Some(mut server) = Redis::start() else { return };
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
    let Some(mut server) = Redis::start() else { return };
    let (broker, at) = (Broker::new(), address(&server.address()));
    broker.publish(&at, "c", text("alive")).await.unwrap();
    server.kill();
    let (_silent, port) = silent_server();
    let silent = address(&format!("redis://127.0.0.1:{port}"));
    for dead in [&at, &silent] {
        let began = Instant::now();
        let answer = broker.publish(dead, "c", text("x")).await;
        assert!(
            matches!(answer, Err(BrokerError::Unavailable { .. })),
            "{answer:?}"
        );
        let answer = broker.command(dead, "GET", words(&["key"])).await;
        assert!(
            matches!(answer, Err(BrokerError::Unavailable { .. })),
            "{answer:?}"
        );
        assert!(began.elapsed() < DEADLINE / 2, "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn commands_answer_as_redis_does() {
    let Some(mut server) = Redis::start() else { return };
    let (broker, at) = (Broker::new(), address(&server.address()));
    let run = async |name: &str, arguments: Vec<RedisArgument>| broker.command(&at, name, arguments).await;
    let status = |word: &str| vec![RedisValue::Status(word.to_owned())];
    assert_eq!(run("GET", words(&["key"])).await, Ok(vec![RedisValue::Nil]));
    assert_eq!(run("SET", words(&["key", "한글\0"])).await, Ok(status("OK")));
    assert_eq!(run("get", words(&["key"])).await, Ok(vec![binary("한글\0")]));
    assert_eq!(run("INCR", words(&["count"])).await, Ok(vec![RedisValue::Int(1)]));
    let by = [words(&["count"]), vec![RedisArgument::Int(-3)]].concat();
    assert_eq!(run("INCRBY", by).await, Ok(vec![RedisValue::Int(-2)]));
    assert_eq!(
        run("DEL", words(&["key", "none"])).await,
        Ok(vec![RedisValue::Int(1)])
    );
    assert_eq!(
        run("SADD", words(&["set", "b", "a", "b"])).await,
        Ok(vec![RedisValue::Int(2)])
    );
    let mut members = run("SMEMBERS", words(&["set"])).await.unwrap();
    members.sort_by_key(|value| format!("{value:?}"));
    assert_eq!(members, [binary("a"), binary("b")]);
    assert_eq!(run("SMEMBERS", words(&["nothing"])).await, Ok(vec![]));
    assert_eq!(
        run("SREM", words(&["set", "a", "c"])).await,
        Ok(vec![RedisValue::Int(1)])
    );
    assert_eq!(run("PING", vec![]).await, Ok(status("PONG")));
    let nested = run("EVAL", words(&["return {1, {'two', false}}", "0"])).await;
    assert_eq!(
        nested,
        Ok(vec![RedisValue::Int(1), binary("two"), RedisValue::Nil])
    );
    for (name, arguments) in [("INCR", words(&["set"])), ("NOSUCH", vec![]), ("GET", vec![])] {
        let answer = run(name, arguments).await;
        assert!(
            matches!(answer, Err(BrokerError::Refused { .. })),
            "{name}: {answer:?}"
        );
    }
    let answer = run("blpop", words(&["list", "0"])).await;
    assert!(matches!(answer, Err(BrokerError::NotShared { .. })), "{answer:?}");
    // After a restart one command may fail, since nobody knows whether it was done; then it works.
    server.restart();
    let _ = run("PING", vec![]).await;
    assert_eq!(run("PING", vec![]).await, Ok(status("PONG")));
}

#[tokio::test]
async fn what_others_publish_too_big_comes_cut_so_that_it_can_be_put_aside() {
    let Some(server) = Redis::start() else { return };
    let (broker, at) = (Broker::new(), address(&server.address()));
    let listener = listen(&broker, &at, "c", "guarded");
    listener.called(&broker, &at, "c", "before").await;
    let publish = |size| {
        vec![
            RedisArgument::Binary(b"c".to_vec()),
            RedisArgument::Binary(vec![b'a'; size]),
        ]
    };
    for size in [MAX_PAYLOAD, MAX_PAYLOAD + 1, 3 * MAX_PAYLOAD] {
        let answer = broker.command(&at, "PUBLISH", publish(size)).await;
        assert_eq!(answer, Ok(vec![RedisValue::Int(1)]));
    }
    listener.called(&broker, &at, "c", "after").await;
    let sizes: Vec<usize> = listener.messages().iter().map(|it| it.payload.len()).collect();
    let big: Vec<usize> = sizes.into_iter().filter(|size| *size > 100).collect();
    assert_eq!(big, [MAX_PAYLOAD, MAX_PAYLOAD + 1, MAX_PAYLOAD + 1]);
}

#[tokio::test]
async fn databases_are_apart() {
    let Some(server) = Redis::start() else { return };
    let broker = Broker::new();
    let (zero, three) = (
        address(&server.address()),
        address(&format!("{}/3", server.address())),
    );
    broker
        .command(&zero, "SET", words(&["key", "zero"]))
        .await
        .unwrap();
    assert_eq!(
        broker.command(&three, "GET", words(&["key"])).await,
        Ok(vec![RedisValue::Nil])
    );
}

#[tokio::test]
async fn only_redis_runs_redis_commands() {
    let broker = Broker::new();
    for other in ["local://bus", "nats://127.0.0.1:1"] {
        let answer = broker.command(&address(other), "PING", vec![]).await;
        assert!(matches!(answer, Err(BrokerError::NotRedis { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn a_server_that_freezes_is_noticed() {
    let Some(mut server) = Redis::start() else { return };
    let (log, _guard) = Log::record();
    let (broker, at) = (Broker::new(), address(&server.address()));
    let listener = listen(&broker, &at, "c", "steady");
    listener.called(&broker, &at, "c", "before").await;
    server.freeze();
    // It still takes connections, as far as anybody can see from here.
    let began = Instant::now();
    assert!(broker.publish(&at, "c", text("x")).await.is_err());
    assert!(began.elapsed() < DEADLINE / 2, "{:?}", began.elapsed());
    until("noticing", || {
        (log.lines(&["WARN", "steady", "no messages"]) == 1).then_some(())
    })
    .await;
    server.thaw();
    listener.called(&broker, &at, "c", "after").await;
}

/// Says one line to a server as its operator does, and answers the first line it says.
fn tell(server: &Redis, line: &str) -> String {
    let mut connection = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    connection.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(connection).read_line(&mut answer).unwrap();
    answer.trim_end().to_owned()
}

fn follow(server: &Redis, master: &Redis) {
    let line = format!("REPLICAOF 127.0.0.1 {}", master.port());
    assert_eq!(tell(server, &line), "+OK");
}

fn lead(server: &Redis) {
    assert_eq!(tell(server, "REPLICAOF NO ONE"), "+OK");
}

/// One address whose connections lead to whoever is the master when they are made, as a failover has it.
async fn one_address(master: &Redis) -> (String, Arc<AtomicU16>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("redis://{}", listener.local_addr().unwrap());
    let target = Arc::new(AtomicU16::new(master.port()));
    let leads_to = target.clone();
    tokio::spawn(async move {
        while let Ok((mut here, _)) = listener.accept().await {
            let port = leads_to.load(Ordering::SeqCst);
            tokio::spawn(async move {
                let mut there = AsyncStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = copy_bidirectional(&mut here, &mut there).await;
            });
        }
    });
    (address, target)
}

#[tokio::test]
async fn after_a_failover_commands_find_the_new_master() {
    let (Some(old), Some(new)) = (Redis::start(), Redis::start()) else {
        return;
    };
    let (text_of, leads_to) = one_address(&old).await;
    let (broker, at) = (Broker::new(), address(&text_of));
    let set = async |value: &str| broker.command(&at, "SET", words(&["key", value])).await;
    let script = "return redis.call('SET', KEYS[1], 'by script')";
    let run = async || broker.command(&at, "EVAL", words(&[script, "1", "key"])).await;
    let ok = Ok(vec![RedisValue::Status("OK".to_owned())]);
    let mut masters = [(&old, &new), (&new, &old), (&old, &new)].into_iter();
    for by_script in [false, true, false] {
        let (master, next) = masters.next().unwrap();
        assert_eq!(set("before").await, ok);
        lead(next);
        follow(master, next);
        leads_to.store(next.port(), Ordering::SeqCst);
        let answer = if by_script { run().await } else { set("lost").await };
        assert!(
            matches!(answer, Err(BrokerError::Unavailable { .. })),
            "{answer:?}"
        );
        assert_eq!(set("after").await, ok);
        assert_eq!(tell(next, "STRLEN key"), ":5");
    }
}

#[tokio::test]
async fn a_master_that_became_a_replica_and_is_master_again_is_used_again() {
    let (Some(server), Some(other)) = (Redis::start(), Redis::start()) else {
        return;
    };
    let (broker, at) = (Broker::new(), address(&server.address()));
    let set = async || broker.command(&at, "SET", words(&["key", "x"])).await;
    follow(&server, &other);
    assert_eq!(tell(&server, "CONFIG SET replica-serve-stale-data no"), "+OK");
    for _ in 0..3 {
        let answer = set().await;
        assert!(
            matches!(answer, Err(BrokerError::Unavailable { .. })),
            "{answer:?}"
        );
    }
    lead(&server);
    assert!(set().await.is_ok());
}

#[tokio::test]
async fn what_is_published_after_a_failover_reaches_who_listens_to_the_new_master() {
    let (Some(old), Some(new)) = (Redis::start(), Redis::start()) else {
        return;
    };
    let (text_of, leads_to) = one_address(&old).await;
    let (broker, at) = (Broker::new(), address(&text_of));
    assert_eq!(broker.publish(&at, "c", text("nobody listens")).await, Ok(0));
    follow(&old, &new);
    leads_to.store(new.port(), Ordering::SeqCst);
    let direct = address(&new.address());
    let listener = listen(&broker, &direct, "c", "moved");
    listener.called(&broker, &direct, "c", "ready").await;
    assert_eq!(broker.publish(&at, "c", text("hello")).await, Ok(1));
    listener.hears("hello").await;
}
