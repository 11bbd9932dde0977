//! Bodies in both directions, chunk by chunk.

use crate::Query;
use futures::{SinkExt, StreamExt};
use spin_sdk::http::{Headers, IncomingRequest, OutgoingResponse, ResponseOutparam};
use std::time::Duration;

/// Whether the action is one of these.
pub(crate) fn handles(action: &str) -> bool {
    matches!(action, "echo" | "count-bytes" | "drip" | "half")
}

/// Runs the action.
pub(crate) async fn run(action: &str, query: &Query, request: IncomingRequest, out: ResponseOutparam) {
    match action {
        "echo" => echo(request, out).await,
        "count-bytes" => count(request, out).await,
        "drip" => drip(query, out).await,
        _ => half(out).await,
    }
}

fn begin(out: ResponseOutparam) -> impl futures::Sink<Vec<u8>, Error: std::fmt::Debug> {
    let response = OutgoingResponse::new(Headers::new());
    let body = response.take_body();
    out.set(response);
    body
}

/// Answers every chunk as soon as it comes.
async fn echo(request: IncomingRequest, out: ResponseOutparam) {
    let mut incoming = request.into_body_stream();
    let mut body = begin(out);
    while let Some(Ok(chunk)) = incoming.next().await {
        if body.send(chunk).await.is_err() {
            return;
        }
    }
}

/// Reads everything and says how much it was, or that it broke off.
async fn count(request: IncomingRequest, out: ResponseOutparam) {
    let mut incoming = request.into_body_stream();
    let mut size = 0;
    while let Some(chunk) = incoming.next().await {
        match chunk {
            Ok(chunk) => size += chunk.len(),
            Err(_) => return crate::respond(out, 200, format!("broken after {size}")).await,
        }
    }
    crate::respond(out, 200, size.to_string()).await;
}

/// Sends `n` chunks with `ms` between them.
async fn drip(query: &Query, out: ResponseOutparam) {
    let number = |name: &str| query.get(name).and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut body = begin(out);
    for index in 0..number("n") {
        if body.send(format!("{index}\n").into_bytes()).await.is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(number("ms")));
    }
}

/// Says half of it and breaks off.
async fn half(out: ResponseOutparam) {
    let mut body = begin(out);
    let _ = body.send(b"half".to_vec()).await;
    panic!("in the middle of a response");
}
