//! A component without HTTP that says which capabilities it was given.
#![cfg(target_family = "wasm")]
#![allow(
    unsafe_code,
    reason = "the bindings of an exported interface are unsafe by nature"
)]

use spin_sdk::http::{Request, Response};
use spin_sdk::{http, key_value, redis, sqlite3, variables};

mod api {
    #![allow(missing_docs, unreachable_pub, reason = "made by a macro from documented WIT")]
    wit_bindgen::generate!({ path: "wit", world: "provider", generate_all });
    pub struct Component;
    export!(Component);
}

impl api::exports::test::tool::tool::Guest for api::Component {
    fn ask(what: String) -> String {
        match what.as_str() {
            "sqlite" => said(sqlite3::Connection::open_default().map(|_| ())),
            "key-value" => said(key_value::Store::open_default().map(|_| ())),
            "variables" => said(variables::get("greeting")),
            "outbound" => said(http::run(fetch("http://probe.spin.internal/hello"))),
            "redis" => said(redis::Connection::open("local://bus").map(|_| ())),
            "environment" => said::<_, ()>(Ok(std::env::vars().collect::<Vec<_>>())),
            "files" => said(std::fs::read_to_string("/data/file.txt").map_err(|error| error.kind())),
            other => format!("cannot try {other}"),
        }
    }
}

async fn fetch(url: &str) -> Result<u16, http::SendError> {
    let response: Response = http::send(Request::get(url).build()).await?;
    Ok(*response.status())
}

fn said<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<T, E>) -> String {
    format!("{result:?}")
}
