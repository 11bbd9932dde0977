//! A guest that runs the store's suite on the databases it is granted.
//!
//! `GET /…/3` runs the fourth case on the database with the label `suite3`, which is in SQLite or where the variable
//! `suite3_database` says, and answers its name; a broken promise is a panic, so a 500.
#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "what the SDK generates crosses the ABI")]

use spin_sdk::http::{Request, Response};
use store_suite::CASES;

#[spin_sdk::http_component]
fn handle(request: Request) -> Response {
    let place = request
        .path()
        .rsplit('/')
        .next()
        .and_then(|place| place.parse::<usize>().ok());
    match place.and_then(|place| CASES.get(place).map(|case| (place, case))) {
        Some((place, case)) => {
            (case.run)(&|migrations| store::open(&format!("suite{place}"), migrations));
            Response::new(200, case.name)
        }
        None => Response::new(404, format!("{} cases", CASES.len())),
    }
}
