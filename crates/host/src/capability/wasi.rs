//! WASI itself: output to the log, the environment, files to read; no sockets.
//!
//! A component reaches the network through outgoing HTTP only, where `allowed_outbound_hosts` can
//! be checked by name; raw sockets see addresses, so they stay closed.

use crate::app::Guest;
use wasmtime_wasi::{FsPerms, WasiCtx};

/// The WASI context of one instance.
pub(crate) fn context(guest: &Guest) -> wasmtime::Result<WasiCtx> {
    let mut builder = WasiCtx::builder();
    builder
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
