//! The invariants of the shop (DESIGN §8), checked from outside on its databases: `crates/audit` on a shop at rest.

use std::path::Path;

use anyhow::Result;
use audit::Invariant::{self, Acknowledged, Charges, Events, Lines, Paid, Refunds, Sagas, Settlement, Stock};
use audit::{Label, at_rest};

use crate::books;

/// The databases of a shop that are looked at. Accounts are not: tests make them what they need by hand.
const BOOKS: [Label; 5] = [
    Label::Order,
    Label::Payment,
    Label::Stock,
    Label::Gateway,
    Label::Settlement,
];

/// One broken invariant a line; empty when all hold.
///
/// It reads the files of a shop at rest: no request and no job under way. I1 stock adds up and is never
/// negative, I2 paid means captured, I3 no capture without its order, I4 refunds stay within captures, I8
/// lines add up, I10 every order is decided, I11 the gateway and the payments tell the same story.
pub fn audit(folder: &Path) -> Result<Vec<String>> {
    broken(
        folder,
        &[Stock, Paid, Charges, Refunds, Lines, Sagas, Acknowledged],
    )
}

/// The same for what events tell: I5 settlements are captures less refunds, I9 every event was applied
/// exactly once. It holds once all events have been delivered.
pub fn audit_events(folder: &Path) -> Result<Vec<String>> {
    broken(folder, &[Settlement, Events])
}

fn broken(folder: &Path, invariants: &[Invariant]) -> Result<Vec<String>> {
    let sources = books::sources(folder)?.only(&BOOKS);
    let report = books::apart(|| at_rest(&sources, invariants))?;
    Ok(report.violations.iter().map(ToString::to_string).collect())
}
