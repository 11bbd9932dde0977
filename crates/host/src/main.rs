//! bodega: runs a Spin application in one process.
fn main() {}
