//! What readiness says: every component, and how it stands.
//!
//! The answer has the same form whether all are well or not, so that a machine reads it in one way; so a shop
//! that is not ready answers 503 with a document of its own and no problem.
//!
//! The status is about this replica: whoever gets a 503 sends its customers to another one. What all replicas share
//! would take away all of them at once, and with them the customers who had no need of it. So what is down is always
//! named, but only what a sale needs, and what is here, decides.

use kernel::Instant;
use serde_json::{Value, json};
use web::Response;

use crate::headers::Headers;
use crate::reply::is_problem;
use crate::routes::Upstream;
use breaker::State;

/// What a component did when it was asked how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It answered.
    Up,
    /// It stands for a service of another deployment, and nobody is there. All replicas find that at the same time.
    Elsewhere,
    /// It gave no answer, or could not work.
    Down,
}

impl Life {
    /// What the head of an answer says.
    ///
    /// A bare 502 is how a component that stands for another one says that nobody answered it; none of ours says so of
    /// itself.
    pub fn of(status: u16, answered: &Headers) -> Self {
        match status {
            502 if !is_problem(answered) => Self::Elsewhere,
            500.. => Self::Down,
            _ => Self::Up,
        }
    }
}

/// What was found out about a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which one.
    pub upstream: Upstream,
    /// How it is.
    pub life: Life,
    /// How its breaker stands, if anybody knows.
    pub breaker: Option<State>,
}

impl Found {
    /// Whether this replica can sell nothing because of it.
    fn stops_sales(&self) -> bool {
        self.life == Life::Down && self.upstream.is_needed_to_sell()
    }
}

/// How the shop is as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Up,
    Degraded,
    Down,
}

/// The answer, given what was found out and whether the store of marks, limits and breakers answers.
pub fn answer(found: &[Found], store_answers: bool, now: Instant) -> Response {
    let component = |found: &Found| {
        let breaker = found.breaker.as_ref();
        let breaker = breaker.map_or("unknown", |state| state.at(now).name());
        json!({"name": found.upstream.name(), "status": word(found.life == Life::Up), "breaker": breaker})
    };
    let store = json!({"name": "key-value", "status": word(store_answers)});
    let components: Vec<Value> = found.iter().map(component).chain([store]).collect();
    let all_up = store_answers && found.iter().all(|found| found.life == Life::Up);
    let whole = match all_up {
        true => Whole::Up,
        false if found.iter().any(Found::stops_sales) => Whole::Down,
        false => Whole::Degraded,
    };
    report(whole, &components)
}

/// The answer when the gateway itself can't serve, because what it was set to makes no sense.
pub fn misconfigured() -> Response {
    report(Whole::Down, &[json!({"name": "gateway", "status": word(false)})])
}

fn report(whole: Whole, components: &[Value]) -> Response {
    let (status, word) = match whole {
        Whole::Up => (200, "UP"),
        Whole::Degraded => (200, "DEGRADED"),
        Whole::Down => (503, "DOWN"),
    };
    let body = json!({"status": word, "components": components});
    let response = Response::json(status, &body).header("cache-control", "no-store");
    match whole {
        Whole::Up | Whole::Degraded => response,
        Whole::Down => response.header("retry-after", "1"),
    }
}

const fn word(up: bool) -> &'static str {
    if up { "UP" } else { "DOWN" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);

    /// All components, of which these are not well.
    fn found(unwell: &[(Upstream, Life)]) -> Vec<Found> {
        let life = |upstream: Upstream| unwell.iter().find(|(which, _)| *which == upstream);
        let one = |upstream| Found {
            upstream,
            life: life(upstream).map_or(Life::Up, |(_, life)| *life),
            breaker: None,
        };
        Upstream::ALL.map(one).into()
    }

    fn told(response: &Response) -> (u16, String) {
        let value: Value = serde_json::from_slice(response.body()).unwrap();
        let down = value["components"].as_array().unwrap().iter();
        let down: Vec<&str> = down
            .filter(|component| component["status"] == "DOWN")
            .map(|component| component["name"].as_str().unwrap())
            .collect();
        let whole = value["status"].as_str().unwrap();
        (response.status(), format!("{whole} {}", down.join(" ")))
    }

    #[test]
    fn it_names_every_component() {
        let open = State::Open {
            until: NOW.after(kernel::Millis(1)),
        };
        let of = |upstream, breaker| Found {
            upstream,
            life: Life::Up,
            breaker,
        };
        let found = [of(Upstream::Order, Some(open)), of(Upstream::Cart, None)];
        let response = answer(&found, true, NOW);
        assert_eq!(
            (response.status(), response.header_value("retry-after")),
            (200, None)
        );
        expect![[r#"{"components":[{"breaker":"open","name":"order","status":"UP"},{"breaker":"unknown","name":"cart","status":"UP"},{"name":"key-value","status":"UP"}],"status":"UP"}"#]]
            .assert_eq(std::str::from_utf8(response.body()).unwrap());
        let later = answer(&found, true, NOW.after(kernel::Millis(1)));
        let value: Value = serde_json::from_slice(later.body()).unwrap();
        assert_eq!(value["components"][0]["breaker"], "half-open", "its rest is over");
    }

    #[test]
    fn what_a_sale_needs_decides_and_all_else_is_only_named() {
        let line = |upstream: Upstream| {
            let of = |life| {
                let (status, text) = told(&answer(&found(&[(upstream, life)]), true, NOW));
                format!("{status} {text}")
            };
            format!("{} | {}\n", of(Life::Down), of(Life::Elsewhere))
        };
        let table: String = Upstream::ALL.map(line).concat();
        // it is down | nobody is there for it
        expect![[r#"
            503 DOWN account | 200 DEGRADED account
            503 DOWN product | 200 DEGRADED product
            503 DOWN stock | 200 DEGRADED stock
            503 DOWN order | 200 DEGRADED order
            503 DOWN payment | 200 DEGRADED payment
            503 DOWN cart | 200 DEGRADED cart
            200 DEGRADED settlement | 200 DEGRADED settlement
            200 DEGRADED outbox | 200 DEGRADED outbox
            200 DEGRADED api-docs | 200 DEGRADED api-docs
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn a_store_that_every_replica_shares_takes_none_of_them_away() {
        let store = told(&answer(&found(&[]), false, NOW));
        assert_eq!(store, (200, "DEGRADED key-value".to_owned()));
        let both = told(&answer(&found(&[(Upstream::Order, Life::Down)]), false, NOW));
        assert_eq!(both, (503, "DOWN order key-value".to_owned()));
    }

    #[test]
    fn who_is_not_ready_says_when_to_ask_again() {
        for response in [
            answer(&found(&[(Upstream::Order, Life::Down)]), true, NOW),
            misconfigured(),
        ] {
            assert_eq!(
                (response.status(), told(&response).1.starts_with("DOWN ")),
                (503, true)
            );
            assert_eq!(response.header_value("retry-after"), Some("1"));
            assert_eq!(response.header_value("content-type"), Some("application/json"));
        }
    }

    #[test]
    fn only_a_bare_502_means_that_somebody_else_is_away() {
        let problem = vec![("content-type".to_owned(), b"application/problem+json".to_vec())];
        for (status, bare, written) in [
            (200, Life::Up, Life::Up),
            (401, Life::Up, Life::Up),
            (499, Life::Up, Life::Up),
            (500, Life::Down, Life::Down),
            (502, Life::Elsewhere, Life::Down),
            (503, Life::Down, Life::Down),
            (504, Life::Down, Life::Down),
        ] {
            let lives = (Life::of(status, &Headers::new()), Life::of(status, &problem));
            assert_eq!(lives, (bare, written), "{status}");
        }
    }
}
