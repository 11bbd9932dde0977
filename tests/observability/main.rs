//! What can be seen of the running shop from outside: traces, figures, the log.

mod collector;
mod figures;
mod log;
mod prometheus;
mod traces;

use std::net::TcpListener;

/// An address on loopback that is free just now.
fn free_address() -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.to_string())
}

/// A `traceparent` of a client of its own: its trace, and the header.
fn click(number: u64) -> (String, String) {
    let trace = format!(
        "{:032x}",
        0xc11c_0000_0000_0000_0000_0000_0000_u128 + u128::from(number)
    );
    let header = format!("00-{trace}-00000000000c11c0-01");
    (trace, header)
}
