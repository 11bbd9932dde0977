//! The barest component: what everything else costs is measured against it.
#![cfg(target_family = "wasm")]
#![allow(
    unsafe_code,
    reason = "the bindings of an exported interface are unsafe by nature"
)]

use spin_sdk::http::{IntoResponse, Request, Response};

#[spin_sdk::http_component]
async fn handle(_request: Request) -> impl IntoResponse {
    Response::builder()
        .status(200)
        .header("content-type", "text/plain")
        .body("hello\n")
        .build()
}
