//! The rules of the books: pure.

mod day;
mod ledger;
mod reconcile;
mod share;
mod sums;

pub use day::{Day, Month, OutOfCalendar, UnknownZone, Zone};
pub use ledger::{Account, Entry, EntryKind, Line, Movement, MovementId, MovementKind, OrderBook, Posting};
pub use reconcile::{BookEntry, BookRefund, IN_FLIGHT, Mismatch, MismatchKind, Report};
pub use share::{fill, split};
pub use sums::{Dimension, Sum, Sums, Unsummable};

/// The currency of all settlements: sums of the ledger add nothing else.
pub const CURRENCY: kernel::Currency = kernel::Currency::Krw;
