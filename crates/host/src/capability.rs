//! What components may ask for, one file per interface.

pub(crate) mod key_value;
pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod sqlite;
pub(crate) mod variables;
pub(crate) mod wasi;
pub(crate) mod wasi_config;
pub(crate) mod wasi_keyvalue;

use crate::state::State;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

/// Handles of databases and stores that one instance may have open, as in Spin.
const MAX_HANDLES: usize = 256;

/// A linker with every interface the host gives; each call checks what the caller was granted.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    type Own = HasSelf<State>;
    bindings::spin2::sqlite::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    bindings::spin2::key_value::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    bindings::spin2::redis::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    bindings::spin2::variables::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    bindings::spin3::sqlite::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    bindings::postgres4::postgres::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    bindings::keyvalue::store::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    bindings::keyvalue::atomics::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    bindings::keyvalue::batch::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    bindings::config::store::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    Ok(linker)
}
