//! wasmtime bindings of the interfaces that the host gives to components.
//!
//! This crate holds what the `bindgen!` macro makes and nothing that changes from day to day:
//! its generics take long to compile and longer to link. What the calls do is in `crates/host`,
//! which implements the `Host` traits found here.
//!
//! `spin:key-value@3`, `spin:variables@3` and `spin:redis@3`, its message handler included, consist
//! of `async` functions only, which need WASI p3; the `async` half of `spin:sqlite@3.1` does too, while its synchronous half
//! is `spin:sqlite@3.0.0` and links against it.

mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "made by a macro from documented WIT")]

    wasmtime::component::bindgen!({
        path: [
            "../../wit/deps/fermyon-spin",
            "../../wit/deps/spin-postgres",
            "../../wit/deps/spin-sqlite",
            "../../wit/deps/wasi-keyvalue",
            "../../wit/deps/wasi-config",
        ],
        inline: "
            package bodega:host;
            world imports {
                import fermyon:spin/sqlite@2.0.0;
                import fermyon:spin/key-value@2.0.0;
                import fermyon:spin/variables@2.0.0;
                import fermyon:spin/redis@2.0.0;
                import spin:postgres/postgres@4.0.0;
                import spin:sqlite/sqlite@3.0.0;
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
                import wasi:keyvalue/batch@0.2.0-draft2;
                import wasi:config/store@0.2.0-draft-2024-09-27;
            }
        ",
        world: "bodega:host/imports",
        imports: { default: async | trappable },
        require_store_data_send: true,
    });
}

mod generated_cron {
    #![allow(missing_docs, unreachable_pub, reason = "made by a macro from documented WIT")]

    wasmtime::component::bindgen!({
        path: "../../wit/deps/fermyon-spin-cron",
        world: "spin-cron",
        exports: { default: async },
        require_store_data_send: true,
    });
}

mod generated_redis {
    #![allow(missing_docs, unreachable_pub, reason = "made by a macro from documented WIT")]

    wasmtime::component::bindgen!({
        path: "../../wit/deps/fermyon-spin-unversioned",
        world: "redis-trigger",
        exports: { default: async },
        require_store_data_send: true,
    });
}

/// `fermyon:spin@2.0.0`: SQLite, key-value stores, variables and Redis of Spin 2.
pub mod spin2 {
    pub use crate::generated::fermyon::spin::{key_value, redis, sqlite, variables};
}

/// What a component exports for cron triggers: `handle-cron-event` with the types of
/// `fermyon:spin-cron@2.0.0`.
pub mod cron {
    pub use crate::generated_cron::fermyon::spin_cron::cron_types::{Error, Metadata};
    pub use crate::generated_cron::{SpinCron, SpinCronPre};
}

/// What a component exports for messages: `fermyon:spin/inbound-redis`, which has no version.
pub mod inbound_redis {
    pub use crate::generated_redis::{RedisTrigger, RedisTriggerPre};
}

/// `spin:sqlite@3.0.0`.
pub mod spin3 {
    pub use crate::generated::spin::sqlite::sqlite;
}

/// `spin:postgres@4.0.0`.
pub mod postgres4 {
    pub use crate::generated::spin::postgres::postgres;
}

/// `wasi:keyvalue@0.2.0-draft2`.
pub mod keyvalue {
    pub use crate::generated::wasi::keyvalue::{atomics, batch, store};
}

/// `wasi:config@0.2.0-draft-2024-09-27`.
pub mod config {
    pub use crate::generated::wasi::config::store;
}
