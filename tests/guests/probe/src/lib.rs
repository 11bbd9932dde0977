//! A component that does on request what the host must withstand. The last word of the path says what.
#![cfg(target_family = "wasm")]
#![allow(
    unsafe_code,
    reason = "the bindings of an exported interface are unsafe by nature"
)]

mod capabilities;
mod misdeeds;
mod streams;

use spin_sdk::http::{Headers, IncomingRequest, Method, OutgoingResponse, ResponseOutparam};
use std::collections::BTreeMap;
use std::fmt::Write;

mod api {
    #![allow(missing_docs, unreachable_pub, reason = "made by a macro from documented WIT")]
    wit_bindgen::generate!({ path: "../tool/wit", world: "provider", generate_all });
    pub struct Component;
    export!(Component);
}

/// Here only so that a component with key-value atomics can be composed in.
impl api::exports::test::tool::tool::Guest for api::Component {
    fn ask(_what: String) -> String {
        "the probe answers no questions".to_owned()
    }
}

/// The words after `?`, by name.
type Query = BTreeMap<String, String>;

#[spin_sdk::http_component]
async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let target = request.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query: Query = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let action = path.rsplit('/').next().unwrap_or_default();
    if streams::handles(action) {
        return streams::run(action, &query, request, out).await;
    }
    let answer = match misdeeds::run(action, &query) {
        Some(answer) => answer,
        None => match capabilities::run(action, &query).await {
            Some(answer) => answer,
            None => headers(&request),
        },
    };
    respond(out, 200, answer).await;
}

/// Method, authority, path and all headers as the component sees them, one to a line.
fn headers(request: &IncomingRequest) -> String {
    let method = match request.method() {
        Method::Get => "GET".to_owned(),
        Method::Post => "POST".to_owned(),
        other => format!("{other:?}"),
    };
    let mut text = format!(
        "{method} {} {}\n",
        request.authority().unwrap_or_default(),
        request.path_with_query().unwrap_or_default()
    );
    for (name, value) in request.headers().entries() {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(&value));
    }
    text
}

async fn respond(out: ResponseOutparam, status: u16, body: String) {
    let response = OutgoingResponse::new(Headers::new());
    let _ = response.set_status_code(status);
    let _ = out.set_with_body(response, body.into_bytes()).await;
}
