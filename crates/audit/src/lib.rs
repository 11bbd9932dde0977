//! The running audit: the invariants of the shop (DESIGN §8), checked from outside on its databases.
//!
//! [`Invariant`] lists what must hold; [`Sources`] says where the databases are. The checks read alone, in short
//! transactions, page by page, so nobody who writes waits for them. There are three ways to look:
//!
//! * [`at_rest`]: no request and no job is under way, so whatever is wrong at this moment is wrong (tests, a backup);
//! * [`look`]: once through a shop that goes on working, for the command `bodega audit` ([`AuditArgs`], [`run`]);
//! * [`Watch`]: again and again, what changed since the last time and a part of everything else, for a gauge.
//!
//! **Why a busy shop raises no alarm.** The databases are separate, so no two of them can be read at one moment, and
//! what is read one after the other may be wrong though nothing is. What looks wrong is only a *suspect*, kept
//! with all facts that it was judged by. It becomes a *violation* when it is looked at again some time later (the grace)
//! and all those facts are what they were. No fact comes back to what it was once it has changed (an order's state, sums of money
//! and goods only go forward), so between the two looks all of them were there together: the shop stood wrong, all at one moment
//! and for the whole time. A suspect whose facts move is one that somebody works on; it begins anew.
//!
//! **What it costs.** All that grows with the number of orders is read in pages by key. [`Watch`] follows the events of the
//! outboxes, which tell of every change, and goes through the rest little by little, to find what changed
//! without telling.

mod accounts;
mod command;
mod error;
mod events;
mod finding;
mod invariant;
mod ledger;
mod look;
mod orders;
mod report;
mod rule;
mod scan;
mod skus;
mod sources;
mod suspects;
mod watch;

pub use command::{Answer, AuditArgs, answer, run};
pub use error::AuditError;
pub use finding::{Finding, Subject};
pub use invariant::Invariant;
pub use look::{Clock, Scope, Settings, at_rest, look};
pub use report::{Line, Report};
pub use rule::Rule;
pub use sources::{Address, Label, Sources};
pub use watch::Watch;
