//! Wasm only: the wire.

#![expect(unsafe_code, reason = "what the SDK generates crosses the ABI")]

use web::guest;

/// What the API's document says about these files.
const DOCUMENT: &str = include_str!("../openapi.json");

#[spin_sdk::http_component]
fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
    let request = guest::request(wire);
    let document = web::document(&request, DOCUMENT);
    let response = document.unwrap_or_else(|| crate::http::handle(&request));
    guest::respond(request.method(), response)
}
