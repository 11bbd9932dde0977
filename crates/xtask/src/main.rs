//! The one entry point: build, up, test, check, bench.
fn main() {}
