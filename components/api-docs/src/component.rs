//! Wasm only: the wire.

#![expect(unsafe_code, reason = "what the SDK generates crosses the ABI")]

use web::guest;

#[spin_sdk::http_component]
fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
    let request = guest::request(wire);
    let method = request.method();
    guest::respond(method, crate::http::handle(&request))
}
