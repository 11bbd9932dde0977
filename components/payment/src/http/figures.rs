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
    let stuck = Figure::stuck("payment", counted.stuck);
    [decided, stuck].into_iter().chain(lag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn payments_that_wait_for_a_person_are_told_from_orders_that_do() {
        let counted = Counted {
            decided: vec![("CAPTURED".to_owned(), 3)],
            stuck: 2,
            unacknowledged: 1,
            oldest_unacknowledged: Some(Instant::EPOCH),
        };
        let told = figures(&counted, Instant::from_micros(1_500_000));
        let lines = told.iter().flat_map(|figure| {
            let label = figure.label.clone().unwrap_or_default();
            let line = move |(value, number): &(String, String)| {
                format!("{} {label}={value} {number}\n", figure.name)
            };
            figure.series.iter().map(line)
        });
        expect![[r#"
            bodega_payments_decided_total state=CAPTURED 3
            bodega_payments_decided_total state=FAILED 0
            bodega_saga_stuck kind=payment 2
            bodega_outbox_lag_events producer=payment 1
            bodega_outbox_lag_seconds producer=payment 1.500000
        "#]]
        .assert_eq(&lines.collect::<String>());
    }
}
