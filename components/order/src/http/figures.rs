use kernel::Instant;
use web::figures::{Figure, Kind};

use crate::app::Counted;
use crate::domain::{State, Task};

/// What orders tell those who watch the shop.
pub fn figures(counted: &Counted, now: Instant) -> Vec<Figure> {
    let [events, seconds] = Figure::lag(
        "order",
        counted.unacknowledged,
        counted.oldest_unacknowledged,
        now,
    );
    vec![
        Figure::by(
            ("bodega_orders", Kind::Gauge, "Orders by the state they are in."),
            "state",
            &State::WORDS,
            &counted.states,
        ),
        Figure::by(
            (
                "bodega_order_decided_total",
                Kind::Counter,
                "Orders by what became of them when they were decided.",
            ),
            "state",
            &State::WORDS[1..],
            &counted.decided,
        ),
        Figure::by(
            (
                "bodega_saga_work",
                Kind::Gauge,
                "Orders that something is left to do for, by its kind.",
            ),
            "kind",
            &Task::WORDS,
            &counted.work,
        ),
        Figure::stuck("order", counted.stuck),
        events,
        seconds,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn orders_that_wait_for_a_person_are_told_from_payments_that_do() {
        let counted = Counted {
            states: vec![("PAID".to_owned(), 3)],
            decided: vec![("PAID".to_owned(), 4)],
            work: Vec::new(),
            stuck: 2,
            unacknowledged: 0,
            oldest_unacknowledged: None,
        };
        let told = figures(&counted, Instant::EPOCH);
        let lines = told.iter().flat_map(|figure| {
            let label = figure.label.clone().unwrap_or_default();
            let line = move |(value, number): &(String, String)| {
                format!("{} {label}={value} {number}\n", figure.name)
            };
            figure.series.iter().map(line)
        });
        expect![[r#"
            bodega_orders state=PENDING 0
            bodega_orders state=PAID 3
            bodega_orders state=FAILED 0
            bodega_orders state=CANCELLED 0
            bodega_order_decided_total state=PAID 4
            bodega_order_decided_total state=FAILED 0
            bodega_order_decided_total state=CANCELLED 0
            bodega_saga_work kind=PLACE 0
            bodega_saga_work kind=AWAIT 0
            bodega_saga_work kind=CONFIRM 0
            bodega_saga_work kind=UNDO 0
            bodega_saga_work kind=FINISH 0
            bodega_saga_work kind=CANCEL 0
            bodega_saga_work kind=EXPIRE 0
            bodega_saga_stuck kind=order 2
            bodega_outbox_lag_events producer=order 0
            bodega_outbox_lag_seconds producer=order 0.000000
        "#]]
        .assert_eq(&lines.collect::<String>());
    }
}
