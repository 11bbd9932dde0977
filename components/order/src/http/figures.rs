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
        Figure::one(
            (
                "bodega_saga_stuck",
                Kind::Gauge,
                "Orders whose saga waits for a person.",
            ),
            counted.stuck,
        ),
        events,
        seconds,
    ]
}
