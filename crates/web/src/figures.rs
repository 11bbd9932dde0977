//! What a domain counts of its own business, for whoever watches the shop.
//!
//! Each domain answers them at [`PATH`], a route that no client reaches; the gateway asks all of them and shows the
//! whole in the text format of Prometheus.

use kernel::Instant;
use serde::{Deserialize, Serialize};

use crate::{Code, IdentityKey, Problem, Request, Response, Role};

/// Where a component answers its figures.
pub const PATH: &str = "/internal/figures";

/// How a figure moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Some numbers of one kind under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// The name of the metric: `bodega_orders`.
    pub name: String,
    /// How it moves.
    pub kind: Kind,
    /// What it says.
    pub help: String,
    /// The label that tells the numbers apart, none when there is one number only.
    pub label: Option<String>,
    /// The label's values with their numbers.
    pub series: Vec<(String, String)>,
}

impl Figure {
    /// Numbers that a label tells apart. Those of `known` are there even if nothing was counted, so that the first
    /// one of them is seen to have come.
    pub fn by(
        (name, kind, help): (&str, Kind, &str),
        label: &str,
        known: &[&str],
        counted: &[(String, i64)],
    ) -> Self {
        let mut series: Vec<(String, i64)> = known.iter().map(|value| ((*value).to_owned(), 0)).collect();
        for (value, number) in counted {
            match series.iter_mut().find(|(known, _)| known == value) {
                Some((_, found)) => *found = *number,
                None => series.push((value.clone(), *number)),
            }
        }
        let series = series
            .into_iter()
            .map(|(value, number)| (value, number.to_string()));
        Self {
            name: name.to_owned(),
            kind,
            help: help.to_owned(),
            label: Some(label.to_owned()),
            series: series.collect(),
        }
    }

    /// One number.
    pub fn one((name, kind, help): (&str, Kind, &str), number: i64) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            help: help.to_owned(),
            label: None,
            series: vec![(String::new(), number.to_string())],
        }
    }

    /// How many of a kind wait for a person. Several domains count theirs under this one name.
    pub fn stuck(kind: &str, number: i64) -> Self {
        let help = "What waits for a person: orders whose saga is stuck, payments whose money should have gone back.";
        let counted = [(kind.to_owned(), number)];
        Self::by(("bodega_saga_stuck", Kind::Gauge, help), "kind", &[], &counted)
    }

    /// What is on its way from this producer: how many events, and how long the oldest has been.
    pub fn lag(producer: &str, events: i64, oldest: Option<Instant>, now: Instant) -> [Self; 2] {
        let waited = oldest.map_or(0, |since| (now.micros() - since.micros()).max(0));
        let seconds = format!("{}.{:06}", waited / 1_000_000, waited % 1_000_000);
        let figure = |name: &str, help: &str, number: String| Self {
            name: name.to_owned(),
            kind: Kind::Gauge,
            help: help.to_owned(),
            label: Some("producer".to_owned()),
            series: vec![(producer.to_owned(), number)],
        };
        let (events_help, seconds_help) = (
            "Events that not every consumer has acknowledged yet.",
            "How long the oldest of those events has been on its way.",
        );
        [
            figure("bodega_outbox_lag_events", events_help, events.to_string()),
            figure("bodega_outbox_lag_seconds", seconds_help, seconds),
        ]
    }
}

/// The figures, for the gateway alone: it asks as one who runs the shop.
pub fn answer(
    request: &Request,
    key: &IdentityKey,
    now: Instant,
    figures: impl FnOnce() -> Result<Vec<Figure>, Problem>,
) -> Result<Response, Problem> {
    match key.identify(request, now)?.role {
        Role::Admin => Ok(Response::json(200, &figures()?)),
        Role::User => Err(Problem::new(Code::Forbidden, "this is for who runs the shop")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IDENTITY_HEADER, Identity, Method};
    use expect_test::expect;

    const NOW: Instant = Instant::from_micros(10_000_000);

    fn told(figures: &[Figure]) -> String {
        serde_json::to_string_pretty(figures).unwrap()
    }

    #[test]
    fn what_is_known_is_there_before_it_was_counted() {
        let counted = [("PAID".to_owned(), 3), ("SHIPPING".to_owned(), 1)];
        let figure = Figure::by(
            ("bodega_orders", Kind::Gauge, "Orders."),
            "state",
            &["PAID", "FAILED"],
            &counted,
        );
        let series: Vec<_> = figure
            .series
            .iter()
            .map(|(value, n)| format!("{value} {n}"))
            .collect();
        assert_eq!(series, ["PAID 3", "FAILED 0", "SHIPPING 1"]);
        let text = told(&[figure]);
        let back: Vec<Figure> = serde_json::from_str(&text).unwrap();
        assert_eq!(told(&back), text);
    }

    #[test]
    fn a_lag_counts_from_the_oldest_event_and_never_backwards() {
        let seconds = |oldest| Figure::lag("order", 2, oldest, NOW)[1].series[0].1.clone();
        expect!["1.500000"].assert_eq(&seconds(Some(Instant::from_micros(8_500_000))));
        assert_eq!(seconds(None), "0.000000");
        assert_eq!(seconds(Some(Instant::from_micros(11_000_000))), "0.000000");
    }

    #[test]
    fn only_who_runs_the_shop_is_told() {
        let key = IdentityKey::from_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let status = |role: Option<Role>| {
            let user = kernel::UserId::try_new(1).unwrap();
            let request = Request::new(Method::Get, PATH);
            let request = match role {
                Some(role) => request.with_header(IDENTITY_HEADER, key.sign(Identity { user, role }, NOW)),
                None => request,
            };
            match answer(&request, &key, NOW, || Ok(Vec::new())) {
                Ok(response) => response.status(),
                Err(problem) => problem.code().status(),
            }
        };
        assert_eq!(status(Some(Role::Admin)), 200);
        assert_eq!(status(Some(Role::User)), 403);
        assert_eq!(status(None), 401);
    }
}
