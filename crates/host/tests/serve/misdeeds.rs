//! What a component does wrong costs its own request and nothing else.

use crate::support::{Running, options, probe, start};
use host::Options;
use manifest::Limits;
use std::time::{Duration, Instant};

fn hasty() -> Options {
    Options {
        limits: Limits {
            request_timeout_ms: Some(400),
            ..Limits::default()
        },
        ..options()
    }
}

async fn assert_alive(server: &Running) {
    let answer = server.get("/probe/sleep?ms=1").await;
    assert_eq!(answer.body, "slept 1 ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_is_a_500() {
    let server = start(&probe(), options()).await;
    server.get("/probe/trap").await.assert_problem(500);
    assert_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_bomb_is_a_500() {
    let server = start(&probe(), options()).await;
    server.get("/probe/memory").await.assert_problem(500);
    assert_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_is_a_504_while_others_go_on() {
    let server = start(&probe(), hasty()).await;
    // More of them than there are threads.
    let loops = async {
        tokio::join!(
            server.get("/probe/loop"),
            server.get("/probe/loop"),
            server.get("/probe/loop"),
            server.get("/probe/loop")
        )
    };
    let others = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let started = Instant::now();
        assert_alive(&server).await;
        started.elapsed()
    };
    let ((one, two, three, four), waited) = tokio::join!(loops, others);
    for answer in [one, two, three, four] {
        answer.assert_problem(504);
    }
    assert!(waited < Duration::from_millis(300), "waited {waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_sleeps_too_long_is_a_504() {
    let server = start(&probe(), hasty()).await;
    server.get("/probe/sleep?ms=5000").await.assert_problem(504);
    assert_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_in_a_transaction_leaves_nothing_and_blocks_nobody() {
    for (deed, status) in [("tx-trap", 500), ("tx-loop", 504)] {
        let server = start(&probe(), hasty()).await;
        server.get(&format!("/probe/{deed}")).await.assert_problem(status);
        let started = Instant::now();
        assert_eq!(server.get("/probe/tx-count").await.body, "0", "{deed}");
        assert_eq!(server.get("/probe/tx-commit").await.body, "Ok(())", "{deed}");
        assert_eq!(server.get("/probe/tx-count").await.body, "1", "{deed}");
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "{deed} blocked the next"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_left_open_is_rolled_back() {
    let server = start(&probe(), options()).await;
    assert_eq!(server.get("/probe/tx-leave-open").await.body, "left open");
    assert_eq!(server.get("/probe/tx-count").await.body, "0");
    assert_eq!(server.get("/probe/tx-commit").await.body, "Ok(())");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_does_not_look_whole() {
    let server = start(&probe(), options()).await;
    let request = b"GET /probe/half HTTP/1.1\r\nhost: a\r\n\r\n".to_vec();
    let answer = server.raw(request).await;
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    assert_alive(&server).await;
}
