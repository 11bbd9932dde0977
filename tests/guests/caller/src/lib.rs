//! A component that passes every question on to what is composed into it.
#![cfg(target_family = "wasm")]
#![allow(
    unsafe_code,
    reason = "the bindings of an exported interface are unsafe by nature"
)]

use spin_sdk::http::{IntoResponse, Request, Response};

mod api {
    #![allow(missing_docs, unreachable_pub, reason = "made by a macro from documented WIT")]
    wit_bindgen::generate!({ path: "../tool/wit", world: "consumer", generate_all });
}

#[spin_sdk::http_component]
async fn handle(request: Request) -> impl IntoResponse {
    let what = request.path().rsplit('/').next().unwrap_or_default();
    Response::new(200, api::test::tool::tool::ask(what))
}
