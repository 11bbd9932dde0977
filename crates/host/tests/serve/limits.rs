//! Limits on bodies, heads and the number of requests.

use crate::support::{options, probe, start};
use host::Options;
use http::Request;
use manifest::Limits;

fn limited(limits: Limits) -> Options {
    Options { limits, ..options() }
}

fn small_bodies() -> Options {
    limited(Limits {
        body_limit_bytes: Some(1000),
        ..Limits::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_a_413_before_the_component_runs() {
    let server = start(&probe(), small_bodies()).await;
    let url = server.url("/probe/count-bytes");
    let within = server.send(Request::post(&url), &"x".repeat(1000)).await;
    assert_eq!(within.body, "1000");
    let before = server.app.stats().instances;
    let over = server.send(Request::post(&url), &"x".repeat(1001)).await;
    over.assert_problem(413);
    assert_eq!(server.app.stats().instances, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_body_over_the_limit_is_a_413_too() {
    let server = start(&probe(), small_bodies()).await;
    let chunk = format!("1f4\r\n{}\r\n", "x".repeat(500));
    let post = |chunks: usize| {
        let head = "POST /probe/count-bytes HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
        format!(
            "{head}transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
            chunk.repeat(chunks)
        )
        .into_bytes()
    };
    let within = server.raw(post(2)).await;
    assert!(within.starts_with("HTTP/1.1 200"), "{within}");
    assert!(within.contains("1000"), "{within}");
    let over = server.raw(post(3)).await;
    assert!(over.starts_with("HTTP/1.1 413"), "{over}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_over_the_limit_is_a_431() {
    let options = limited(Limits {
        header_limit_bytes: Some(8192),
        ..Limits::default()
    });
    let server = start(&probe(), options).await;
    let get = |size: usize| {
        let filler = "x".repeat(size);
        format!("GET /probe/tx-count HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-filler: {filler}\r\n\r\n")
            .into_bytes()
    };
    let within = server.raw(get(4000)).await;
    assert!(within.starts_with("HTTP/1.1 "), "{within}");
    assert!(!within.starts_with("HTTP/1.1 431"), "{within}");
    let over = server.raw(get(20_000)).await;
    assert!(over.starts_with("HTTP/1.1 431"), "{over}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_too_many_is_told_to_come_back() {
    let options = limited(Limits {
        max_concurrent_requests: Some(2),
        ..Limits::default()
    });
    let server = start(&probe(), options).await;
    let slow = || server.get("/probe/sleep?ms=600");
    let third = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let health = server.get("/.well-known/spin/health").await;
        assert_eq!(health.status.as_u16(), 200);
        server.get("/probe/sleep?ms=1").await
    };
    let (one, two, third) = tokio::join!(slow(), slow(), third);
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
    third.assert_problem(503);
    assert_eq!(third.headers["retry-after"], "1");
    assert_eq!(server.get("/probe/sleep?ms=1").await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_room_waits_in_line_and_who_finds_the_line_full_comes_back() {
    let options = limited(Limits {
        max_concurrent_requests: Some(1),
        max_waiting_requests: Some(1),
        ..Limits::default()
    });
    let server = start(&probe(), options).await;
    let later = |ms: u64, path: &'static str| {
        let server = &server;
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
            server.get(path).await
        }
    };
    let (running, waiting, refused) = tokio::join!(
        later(0, "/probe/sleep?ms=900"),
        later(300, "/probe/sleep?ms=1"),
        later(500, "/probe/sleep?ms=1"),
    );
    assert_eq!((running.status.as_u16(), waiting.status.as_u16()), (200, 200));
    refused.assert_problem(503);
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(server.get("/probe/sleep?ms=1").await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_is_hung_up_on() {
    let options = Options {
        header_timeout: std::time::Duration::from_millis(200),
        ..options()
    };
    let server = start(&probe(), options).await;
    for start in ["", "G", "GET /probe/tx-count HTTP/1.1\r\nhost:"] {
        let started = std::time::Instant::now();
        server.raw(start.as_bytes().to_vec()).await;
        let waited = started.elapsed();
        assert!(
            waited < std::time::Duration::from_secs(1),
            "{start:?}: {waited:?}"
        );
    }
}
