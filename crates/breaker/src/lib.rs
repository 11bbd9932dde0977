//! Whether somebody gets requests, or a rest.
//!
//! ```text
//! closed ──failures in a row──▶ open ──after a while──▶ probing ──success──▶ closed
//!                                 ▲────────────────failure──┘
//! ```
//!
//! [`State`] is the machine, [`shared`] keeps one for each name where all instances see it, and [`cells`] says what it
//! needs of that place. In a component the place is the key-value store, [`guest`].

pub mod cells;
#[cfg(target_family = "wasm")]
pub mod guest;
pub mod shared;
mod state;

pub use state::{Admission, End, Outcome, Pass, Standing, State, Thresholds};

/// The name of the breaker of a stock that is deployed on its own.
pub const REMOTE_STOCK: &str = "remote-stock";

/// The name of the breaker of a payment that is deployed on its own.
pub const REMOTE_PAYMENT: &str = "remote-payment";

/// The breakers that are not the gateway's: those of whoever asks a service of another deployment. They lie in the same
/// place, so that one page shows all of them.
pub const REMOTE: [&str; 2] = [REMOTE_STOCK, REMOTE_PAYMENT];
