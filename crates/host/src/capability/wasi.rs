//! WASI itself: output to the log, the environment, files to read; no sockets.
//!
//! A component reaches the network through outgoing HTTP only, where `allowed_outbound_hosts` can
//! be checked by name; raw sockets see addresses, so they stay closed.

use crate::app::{Guest, Shared};
use crate::clock::WallClock;
use wasmtime_wasi::random::Deterministic;
use wasmtime_wasi::{FsPerms, WasiCtx};

/// The WASI context of one instance.
pub(crate) fn context(app: &Shared, guest: &Guest) -> wasmtime::Result<WasiCtx> {
    let mut builder = WasiCtx::builder();
    if let Some(seed) = app.seed {
        let mut number = SplitMix64::begin(seed, app.counters.instances());
        builder
            .secure_random(Deterministic::new(number.bytes()))
            .insecure_random(Deterministic::new(number.bytes()))
            .insecure_random_seed(number.next().into());
    }
    builder
        .wall_clock(WallClock(app.clock.clone()))
        .stdout(guest.log.stdout.clone())
        .stderr(guest.log.stderr.clone())
        .envs(&guest.environment)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    for mount in &guest.mounts {
        builder.preopened_dir(&mount.source, &mount.destination, FsPerms::ReadOnly)?;
    }
    Ok(builder.build())
}

/// Numbers that look random and are the same in every start
/// (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    /// A sequence of its own for each instance.
    fn begin(seed: u64, instance: u64) -> Self {
        let mut seeds = Self(seed);
        let first = seeds.next();
        Self(first ^ instance.wrapping_mul(0x9e37_79b9_7f4a_7c15)).skip()
    }

    fn skip(mut self) -> Self {
        self.next();
        self
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// As many as an instance is likely to ask for; then they come again.
    fn bytes(&mut self) -> Vec<u8> {
        (0..512).flat_map(|_| self.next().to_le_bytes()).collect()
    }
}
