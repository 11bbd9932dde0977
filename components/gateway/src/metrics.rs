//! What the gateway counts, in the text format of Prometheus 0.0.4.

use std::fmt::Write;

use kernel::Instant;
use web::figures::{Figure, Kind};
use web::{CREDENTIAL_HEADER, InternalKey, Problem, Request, Response};

use crate::door::Head;
use crate::headers::values;
use crate::limit::{Class, Table};
use crate::routes::Upstream;
use breaker::Standing;
use breaker::cells::Cells;
use breaker::shared::{Seen, seen};

/// Where they are read.
pub const PATH: &str = "/internal/metrics";

/// All whose breakers lie in the shared store: the components behind the door, and the services of other deployments
/// that some of them ask. Those are there also where the shop is one application, and count nothing.
pub fn guarded() -> impl Iterator<Item = &'static str> {
    Upstream::ALL
        .into_iter()
        .map(Upstream::name)
        .chain(breaker::REMOTE)
}

/// Every breaker by its name; nothing when one can't be read, since a part would pass for the whole.
///
/// What else is counted is worth having then: of all moments, one looks when something is down. Nobody is asked again
/// after the first that gives no answer, as each may take as long as the store's own deadline.
pub fn breakers<C: Cells>(cells: &C) -> Vec<(&'static str, Seen)> {
    let read = guarded().map(|name| seen(cells, name).map(|seen| (name, seen)));
    or_nothing("the breakers", read.collect())
}

/// How many requests of each class were refused; nothing when the table gives no answer, as with [`breakers`].
pub fn refused(table: &dyn Table) -> Vec<(Class, i64)> {
    let read = Class::ALL
        .iter()
        .map(|class| Ok((*class, table.refused(*class)?)));
    or_nothing("the limits", read.collect())
}

fn or_nothing<T>(what: &str, read: Result<Vec<T>, String>) -> Vec<T> {
    read.unwrap_or_else(|story| {
        web::log::warn("gateway.metrics", &format!("{what} are left out: {story}"));
        Vec::new()
    })
}

/// Refuses who does not have the key of the internal routes.
pub fn guard(key: &InternalKey, head: &Head) -> Result<(), Problem> {
    let request = values(&head.headers, "authorization")
        .iter()
        .fold(Request::new(head.method, PATH), |request, value| {
            request.with_header(CREDENTIAL_HEADER, *value)
        });
    key.admit(&request)
}

/// The answer, given the breakers by name, how many requests of each class were refused, and what the domains
/// count of their business. What is empty is left out.
pub fn answer(
    breakers: &[(&str, Seen)],
    refused: &[(Class, i64)],
    domains: Vec<Figure>,
    now: Instant,
) -> Response {
    let mut text = String::new();
    let state = breakers.iter().map(|(name, seen)| {
        let number = number(seen.state.at(now));
        (format!("component=\"{name}\""), number)
    });
    family(
        &mut text,
        ("bodega_breaker_state", "gauge"),
        "How a component's breaker stands: 0 closed, 1 half-open, 2 open.",
        state.map(|(labels, number)| (labels, number.to_string())),
    );
    let states = breakers.iter().flat_map(|(name, seen)| {
        let series = |standing: Standing| {
            let labels = format!("upstream=\"{name}\",state=\"{}\"", standing.name());
            (labels, i64::from(seen.state.at(now) == standing))
        };
        Standing::ALL.map(series)
    });
    metric(
        &mut text,
        "breaker_state",
        "gauge",
        "Whether a component's breaker is in this state.",
        states,
    );
    let of = |count: fn(&Seen) -> i64| {
        breakers
            .iter()
            .map(move |(name, seen)| (format!("upstream=\"{name}\""), count(seen)))
    };
    let opened = of(|seen| seen.opened);
    metric(
        &mut text,
        "breaker_opened_total",
        "counter",
        "How often a component's breaker has opened.",
        opened,
    );
    let failures = of(|seen| seen.failures);
    metric(
        &mut text,
        "upstream_failures_total",
        "counter",
        "Requests that a component gave no answer to.",
        failures,
    );
    let limited = refused
        .iter()
        .map(|(class, count)| (format!("class=\"{}\"", class.name()), *count));
    metric(
        &mut text,
        "limited_total",
        "counter",
        "Requests refused because of a limit.",
        limited,
    );
    for figure in together(domains) {
        figure_text(&mut text, &figure);
    }
    Response::document(200, "text/plain; version=0.0.4; charset=utf-8", text)
}

fn metric(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    series: impl Iterator<Item = (String, i64)>,
) {
    let name = format!("bodega_gateway_{name}");
    let series = series.map(|(labels, value)| (labels, value.to_string()));
    family(text, (&name, kind), help, series);
}

fn family(
    text: &mut String,
    (name, kind): (&str, &str),
    help: &str,
    series: impl Iterator<Item = (String, String)>,
) {
    let mut series = series.peekable();
    if series.peek().is_none() {
        return;
    }
    // Writing to a string can't fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in series {
        let _ = match labels.as_str() {
            "" => writeln!(text, "{name} {value}"),
            labels => writeln!(text, "{name}{{{labels}}} {value}"),
        };
    }
}

const fn number(standing: Standing) -> i64 {
    match standing {
        Standing::Closed => 0,
        Standing::HalfOpen => 1,
        Standing::Open => 2,
    }
}

/// Several domains count under one name, and a name may stand in a text once.
fn together(figures: Vec<Figure>) -> Vec<Figure> {
    let mut merged: Vec<Figure> = Vec::new();
    for figure in figures {
        match merged.iter_mut().find(|known| known.name == figure.name) {
            Some(known) => known.series.extend(figure.series),
            None => merged.push(figure),
        }
    }
    merged
}

fn figure_text(text: &mut String, figure: &Figure) {
    let kind = match figure.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
    };
    let series = figure.series.iter().map(|(value, number)| {
        let labels = figure.label.as_ref().map(|label| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            format!("{label}=\"{}\"", value.replace('\n', "\\n"))
        });
        (labels.unwrap_or_default(), number.clone())
    });
    family(text, (&figure.name, kind), &figure.help, series);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Fingerprint;
    use crate::limit::gcra::{Quota, Taken};
    use breaker::State;
    use breaker::cells::memory::{Gone, Memory};
    use expect_test::expect;
    use web::Method;

    const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);

    #[test]
    fn every_series_is_there_from_the_start() {
        let seen = Seen {
            state: State::default(),
            opened: 2,
            failures: 11,
        };
        let lag = |producer| Figure::lag(producer, 1, None, kernel::Instant::EPOCH)[0].clone();
        let odd = Figure::by(("bodega_odd", Kind::Gauge, "Odd."), "word", &["a\"b\\c\nd"], &[]);
        let stuck = Figure::stuck;
        let domains = [
            lag("order"),
            stuck("order", 4),
            lag("payment"),
            stuck("payment", 1),
            odd,
        ];
        let response = answer(
            &[("order", seen)],
            &[(Class::Login, 3), (Class::General, 0)],
            domains.to_vec(),
            NOW,
        );
        assert_eq!(
            response.header_value("content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
        expect![[r#"
            # HELP bodega_breaker_state How a component's breaker stands: 0 closed, 1 half-open, 2 open.
            # TYPE bodega_breaker_state gauge
            bodega_breaker_state{component="order"} 0
            # HELP bodega_gateway_breaker_state Whether a component's breaker is in this state.
            # TYPE bodega_gateway_breaker_state gauge
            bodega_gateway_breaker_state{upstream="order",state="closed"} 1
            bodega_gateway_breaker_state{upstream="order",state="open"} 0
            bodega_gateway_breaker_state{upstream="order",state="half-open"} 0
            # HELP bodega_gateway_breaker_opened_total How often a component's breaker has opened.
            # TYPE bodega_gateway_breaker_opened_total counter
            bodega_gateway_breaker_opened_total{upstream="order"} 2
            # HELP bodega_gateway_upstream_failures_total Requests that a component gave no answer to.
            # TYPE bodega_gateway_upstream_failures_total counter
            bodega_gateway_upstream_failures_total{upstream="order"} 11
            # HELP bodega_gateway_limited_total Requests refused because of a limit.
            # TYPE bodega_gateway_limited_total counter
            bodega_gateway_limited_total{class="login"} 3
            bodega_gateway_limited_total{class="general"} 0
            # HELP bodega_outbox_lag_events Events that not every consumer has acknowledged yet.
            # TYPE bodega_outbox_lag_events gauge
            bodega_outbox_lag_events{producer="order"} 1
            bodega_outbox_lag_events{producer="payment"} 1
            # HELP bodega_saga_stuck What waits for a person: orders whose saga is stuck, payments whose money should have gone back.
            # TYPE bodega_saga_stuck gauge
            bodega_saga_stuck{kind="order"} 4
            bodega_saga_stuck{kind="payment"} 1
            # HELP bodega_odd Odd.
            # TYPE bodega_odd gauge
            bodega_odd{word="a\"b\\c\nd"} 0
        "#]]
        .assert_eq(std::str::from_utf8(response.body()).unwrap());
    }

    #[test]
    fn a_breaker_whose_rest_is_over_is_half_open_on_this_page_too() {
        let seen = Seen {
            state: State::Open { until: NOW },
            opened: 1,
            failures: 5,
        };
        let response = answer(&[("cart", seen)], &[], Vec::new(), NOW);
        let text = std::str::from_utf8(response.body()).unwrap();
        for line in [
            "bodega_breaker_state{component=\"cart\"} 1\n",
            "bodega_gateway_breaker_state{upstream=\"cart\",state=\"open\"} 0\n",
            "bodega_gateway_breaker_state{upstream=\"cart\",state=\"half-open\"} 1\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn the_breakers_of_services_that_are_deployed_on_their_own_are_among_them() {
        let all: Vec<&str> = guarded().collect();
        assert_eq!(all.len(), Upstream::ALL.len() + 2);
        for name in ["order", "api-docs", "remote-stock", "remote-payment"] {
            assert!(all.contains(&name), "{name} is not in {all:?}");
        }
    }

    /// A table that counts how often it is asked in vain.
    #[derive(Default)]
    struct Silent(std::cell::Cell<usize>);

    impl Table for Silent {
        fn take(&self, _: Fingerprint, _: Class, _: Quota) -> Result<Taken, String> {
            Err("gone".to_owned())
        }

        fn refused(&self, _: Class) -> Result<i64, String> {
            self.0.set(self.0.get() + 1);
            Err("gone".to_owned())
        }
    }

    #[test]
    fn what_the_domains_count_is_told_though_the_stores_give_no_answer() {
        let table = Silent::default();
        let letters = Figure::one(("bodega_dead_letters", Kind::Gauge, "Put aside."), 7);
        let told = answer(&breakers(&Gone), &refused(&table), vec![letters], NOW);
        assert_eq!(told.status(), 200);
        expect![[r#"
            # HELP bodega_dead_letters Put aside.
            # TYPE bodega_dead_letters gauge
            bodega_dead_letters 7
        "#]]
        .assert_eq(std::str::from_utf8(told.body()).unwrap());
        assert_eq!(table.0.get(), 1, "each question may take seconds");
    }

    #[test]
    fn every_breaker_is_there_before_it_was_used() {
        let all = breakers(&Memory::default());
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, guarded().collect::<Vec<_>>());
        let unused = |seen: &Seen| (seen.state.at(NOW), seen.opened, seen.failures);
        assert!(
            all.iter()
                .all(|(_, seen)| unused(seen) == (Standing::Closed, 0, 0))
        );
    }

    #[test]
    fn they_are_for_who_has_the_key() {
        let status = |key: &str, given: &[&str]| {
            let headers = given
                .iter()
                .map(|value| ("Authorization".to_owned(), value.as_bytes().to_vec()));
            let head = Head {
                method: Method::Get,
                target: PATH.to_owned(),
                headers: headers.collect(),
            };
            let refused = guard(&InternalKey::new(key), &head).err();
            refused.map_or(200, |problem| problem.code().status())
        };
        assert_eq!(status("secret", &["Bearer secret"]), 200);
        assert_eq!(status("secret", &["Bearer secrets"]), 401);
        assert_eq!(status("secret", &["Bearer secret", "Bearer secret"]), 401);
        assert_eq!(status("secret", &[]), 401);
        assert_eq!(status("", &["Bearer "]), 403);
    }
}
