//! A component that ticks, hears messages and does with both what it is told.
//!
//! What a tick does stands under the key `tick` of the key-value store; what a message does is its
//! text. Both write down when they begin and, unless something keeps them from it, when they end.
#![cfg(target_family = "wasm")]
#![allow(
    unsafe_code,
    reason = "the bindings of an exported interface are unsafe by nature"
)]

mod deeds;
mod redis;

use deeds::{behave, note, notes, store};
use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::{http_component, redis_component};
use std::collections::BTreeMap;

mod api {
    #![allow(missing_docs, unreachable_pub, reason = "made by a macro from documented WIT")]
    wit_bindgen::generate!({ path: "../../../wit/deps/fermyon-spin-cron", world: "spin-cron", generate_all });
    pub struct Component;
    export!(Component);
}

impl api::Guest for api::Component {
    fn handle_cron_event(metadata: api::Metadata) -> Result<(), api::Error> {
        note(&format!("tick {}", metadata.timestamp));
        let told = store().get("tick").expect("a store").unwrap_or_default();
        behave(&String::from_utf8_lossy(&told)).map_err(api::Error::Other)?;
        note("tick done");
        Ok(())
    }
}

#[redis_component]
fn on_message(message: Vec<u8>) -> Result<(), String> {
    let text = String::from_utf8_lossy(&message);
    let start: String = text.chars().take(20).collect();
    note(&format!("message {} {start}", message.len()));
    behave(&text)?;
    note("message done");
    Ok(())
}

/// The words after `?`, by name.
type Query = BTreeMap<String, String>;

#[http_component]
fn handle(request: Request) -> impl IntoResponse {
    let target = request.path_and_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query: Query = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.replace('+', " ")))
        .collect();
    let word = |name: &str| query.get(name).cloned().unwrap_or_default();
    let answer = match path.rsplit('/').next().unwrap_or_default() {
        "notes" => notes().join("\n"),
        "note" => {
            note(&word("text"));
            "noted".to_owned()
        }
        "tick" => format!("{:?}", store().set("tick", word("do").as_bytes())),
        "now" => deeds::now().to_string(),
        "random" => format!("{:?}", (getrandom::u64(), getrandom::u64())),
        "publish" => redis::publish(&query),
        "commands" => redis::commands(&word("address")),
        other => format!("cannot do {other}"),
    };
    Response::new(200, answer)
}
