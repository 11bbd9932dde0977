use web::figures::{Figure, Kind};

/// What settlements tell those who watch the shop, given how many events wait for a person.
pub fn figures(dead_letters: i64) -> Vec<Figure> {
    let help = "Events that were put aside, and neither taken in nor dismissed since.";
    vec![Figure::one(
        ("bodega_dead_letters", Kind::Gauge, help),
        dead_letters,
    )]
}
