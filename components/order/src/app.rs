//! Use cases: place orders and drive them to their end, look at them, look after them.
//!
//! [`App`] drives an order's plan step by step (`drive`, `steps`); `place`, `confirm` and `cancel` begin
//! one for a client, `repeat` answers a client's key, `jobs` carries on what others left behind, `desk` is
//! for administrators.

mod cancel;
mod confirm;
mod desk;
mod drive;
mod figures;
mod jobs;
mod ledger;
mod place;
mod placement;
mod port;
mod repeat;
mod reply;
mod steps;

use kernel::{Instant, Millis};

pub use cancel::{Cancel, CancelError};
pub use confirm::{Confirm, ConfirmError};
pub use desk::{Detail, RetryError};
pub use figures::{Counted, Figures};
pub use jobs::Tally;
pub use ledger::{
    Claim, Claims, Desk, Due, Inserted, Kept, KeyUse, Ledger, Listed, Orders, Past, Transitions, UsedKey,
};
pub use placement::{CartPlacement, PlaceError, Placement};
pub use port::{
    CartLine, CartUnavailable, Carts, Catalog, Charge, ChargeError, CommitError, Goods, Payments, Quote,
    QuoteError, ReleaseError, ReserveError, TakeBackError, VOIDED, VoidError,
};
pub use repeat::KeyError;
pub use reply::{Decided, Ended, Render, Reply};

use crate::domain::{Hold, Lease, Owner};

/// Whoever takes an order's work drives it for this long; after it anybody may take over.
///
/// The host ends a request sooner, so a lapsed lease is a dead one's.
pub const LEASE: Millis = Millis(20_000);

/// Everything the use cases need.
#[derive(Clone, Copy)]
pub struct App<'a> {
    /// Orders and their work.
    pub ledger: &'a dyn Ledger,
    /// Prices and names.
    pub catalog: &'a dyn Catalog,
    /// Stock.
    pub goods: &'a dyn Goods,
    /// Money.
    pub payments: &'a dyn Payments,
    /// Carts.
    pub carts: &'a dyn Carts,
    /// Makes the answers that are kept.
    pub render: Render<'a>,
    /// How long a two-step checkout waits for its payment; the error is for operators.
    pub hold: &'a dyn Fn() -> Result<Hold, String>,
    /// The moment of the call: what is written down happened then.
    pub now: Instant,
    /// The clock, for leases alone: long calls must notice that their time is over.
    pub clock: &'a dyn Fn() -> Instant,
    /// 64 random bits a call.
    pub random: &'a dyn Fn() -> u64,
}

impl App<'_> {
    /// A new lease from `now` on.
    fn lease(&self, now: Instant) -> Lease {
        Lease {
            owner: Owner::draw((self.random)()),
            until: now.after(LEASE),
        }
    }
}
