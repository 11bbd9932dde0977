use kernel::Instant;
use web::figures::{Figure, Kind};

use crate::app::Counted;

/// How a payment can be decided.
const DECISIONS: [&str; 2] = ["CAPTURED", "FAILED"];

/// What payments tell those who watch the shop.
pub fn figures(counted: &Counted, now: Instant) -> Vec<Figure> {
    let decided = Figure::by(
        (
            "bodega_payments_decided_total",
            Kind::Counter,
            "Payments by how they were decided.",
        ),
        "state",
        &DECISIONS,
        &counted.decided,
    );
    let lag = Figure::lag(
        "payment",
        counted.unacknowledged,
        counted.oldest_unacknowledged,
        now,
    );
    std::iter::once(decided).chain(lag).collect()
}
