//! HTTP versions, streams, and the end of serving.

use crate::support::{client, options, probe, start};
use bytes::Bytes;
use host::Options;
use http::Request;
use http_body_util::{BodyExt, Full};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn http2_without_tls_works_on_the_same_port() {
    let server = start(&probe(), options()).await;
    let answer = server.get_h2("/probe/headers").await;
    assert!(
        answer.body.contains("spin-path-info: /headers"),
        "{}",
        answer.body
    );
    assert_eq!(server.get("/probe/sleep?ms=1").await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_serves_many_requests() {
    let server = start(&probe(), options()).await;
    let get = "GET /probe/sleep?ms=1 HTTP/1.1\r\nhost: a\r\n\r\n";
    let last = "GET /probe/sleep?ms=2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answers = server.raw(format!("{get}{get}{last}").into_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
    assert!(
        answers.ends_with("slept 2 ms") || answers.contains("slept 2 ms"),
        "{answers}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_clear_host_is_a_400() {
    let server = start(&probe(), options()).await;
    for head in [
        "GET /probe/headers HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET /probe/headers HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
        "GET http://a/probe/headers HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n",
    ] {
        let answer = server.raw(head.as_bytes().to_vec()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{head}{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_with_two_lengths_is_not_let_in() {
    let server = start(&probe(), options()).await;
    let before = server.app.stats().instances;
    for framing in [
        "content-length: 3\r\ncontent-length: 4\r\n",
        "content-length: +3\r\n",
        "transfer-encoding: chunked, identity\r\n",
    ] {
        let request = format!("POST /probe/echo HTTP/1.1\r\nhost: a\r\n{framing}\r\nabc");
        let answer = server.raw(request.into_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{framing}{answer}");
    }
    assert_eq!(server.app.stats().instances, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_answers_while_the_request_still_comes() {
    let server = start(&probe(), options()).await;
    let address = server.address;
    let talk = move || {
        let mut stream = TcpStream::connect(address).expect("a connection");
        let patience = Some(Duration::from_secs(2));
        stream.set_read_timeout(patience).expect("a timeout");
        let head = "POST /probe/echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("sent");
        let mut seen = String::new();
        for word in ["one", "two", "six"] {
            let chunk = format!("3\r\n{word}\r\n");
            stream.write_all(chunk.as_bytes()).expect("sent");
            while !seen.ends_with(&chunk) {
                let mut piece = [0; 512];
                let length = stream
                    .read(&mut piece)
                    .expect("the word comes back before the next");
                seen.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        }
        stream.write_all(b"0\r\n\r\n").expect("sent");
    };
    tokio::task::spawn_blocking(talk).await.expect("words come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_arrives_while_it_is_being_made() {
    let server = start(&probe(), options()).await;
    let request = Request::get(server.url("/probe/drip?n=3&ms=300"))
        .body(Full::<Bytes>::default())
        .expect("a request");
    let started = Instant::now();
    let response = client(false).request(request).await.expect("an answer");
    let mut body = response.into_body();
    let first = body.frame().await.expect("a frame").expect("data");
    assert_eq!(first.into_data().expect("data"), "0\n");
    assert!(
        started.elapsed() < Duration::from_millis(280),
        "{:?}",
        started.elapsed()
    );
    let rest = body.collect().await.expect("the rest").to_bytes();
    assert_eq!(rest, "1\n2\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_lets_running_requests_end_and_takes_no_new_ones() {
    let mut server = start(&probe(), options()).await;
    let url = server.url("/probe/sleep?ms=500");
    let address = server.address;
    let slow = tokio::spawn(async move {
        let request = Request::get(url)
            .body(Full::<Bytes>::default())
            .expect("a request");
        let response = client(false).request(request).await.expect("an answer");
        response.into_body().collect().await.expect("a body").to_bytes()
    });
    tokio::time::sleep(Duration::from_millis(150)).await;
    server.stop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "the port is closed"
    );
    assert_eq!(slow.await.expect("no panic"), "slept 500 ms");
    assert!(server.drained().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_waits_only_so_long() {
    let options = Options {
        drain_timeout: Duration::from_millis(200),
        ..options()
    };
    let mut server = start(&probe(), options).await;
    let url = server.url("/probe/sleep?ms=3000");
    tokio::spawn(async move {
        let request = Request::get(url)
            .body(Full::<Bytes>::default())
            .expect("a request");
        client(false).request(request).await.map(drop)
    });
    tokio::time::sleep(Duration::from_millis(150)).await;
    let started = Instant::now();
    server.stop();
    assert!(!server.drained().await);
    assert!(started.elapsed() < Duration::from_secs(1));
}
