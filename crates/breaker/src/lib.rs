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
