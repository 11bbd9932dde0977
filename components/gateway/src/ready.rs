//! What readiness says: every component, and how it stands.
//!
//! The answer has the same form whether all are well or not, so that a machine reads it in one way; so a shop
//! that is not ready answers 503 with a document of its own and no problem.

use kernel::Instant;
use serde_json::{Value, json};
use web::Response;

use crate::routes::Upstream;
use breaker::State;

/// What was found out about a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which one.
    pub upstream: Upstream,
    /// Whether it gave an answer.
    pub answers: bool,
    /// How its breaker stands, if anybody knows.
    pub breaker: Option<State>,
}

/// The answer, given what was found out and whether the store of marks, limits and breakers answers.
pub fn answer(found: &[Found], store_answers: bool, now: Instant) -> Response {
    let component = |found: &Found| {
        let breaker = found.breaker.as_ref();
        let breaker = breaker.map_or("unknown", |state| state.at(now).name());
        json!({"name": found.upstream.name(), "status": word(found.answers), "breaker": breaker})
    };
    let store = json!({"name": "key-value", "status": word(store_answers)});
    let components: Vec<Value> = found.iter().map(component).chain([store]).collect();
    let all = store_answers && found.iter().all(|found| found.answers);
    report(all, &components)
}

/// The answer when the gateway itself can't serve, because what it was set to makes no sense.
pub fn misconfigured() -> Response {
    report(false, &[json!({"name": "gateway", "status": word(false)})])
}

fn report(ready: bool, components: &[Value]) -> Response {
    let body = json!({"status": word(ready), "components": components});
    let response = Response::json(if ready { 200 } else { 503 }, &body).header("cache-control", "no-store");
    match ready {
        true => response,
        false => response.header("retry-after", "1"),
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

    fn found(answers: bool) -> Vec<Found> {
        let open = State::Open {
            until: NOW.after(kernel::Millis(1)),
        };
        vec![
            Found {
                upstream: Upstream::Order,
                answers,
                breaker: Some(open),
            },
            Found {
                upstream: Upstream::Cart,
                answers: true,
                breaker: None,
            },
        ]
    }

    #[test]
    fn it_names_every_component() {
        let response = answer(&found(true), true, NOW);
        assert_eq!(
            (response.status(), response.header_value("retry-after")),
            (200, None)
        );
        expect![[r#"{"components":[{"breaker":"open","name":"order","status":"UP"},{"breaker":"unknown","name":"cart","status":"UP"},{"name":"key-value","status":"UP"}],"status":"UP"}"#]]
            .assert_eq(std::str::from_utf8(response.body()).unwrap());
    }

    #[test]
    fn a_breaker_whose_rest_is_over_is_not_shown_as_open() {
        let later = NOW.after(kernel::Millis(1));
        let value: Value = serde_json::from_slice(answer(&found(true), true, later).body()).unwrap();
        assert_eq!(value["components"][0]["breaker"], "half-open");
    }

    #[test]
    fn one_that_is_down_is_enough() {
        for response in [
            answer(&found(false), true, NOW),
            answer(&found(true), false, NOW),
            misconfigured(),
        ] {
            let value: Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!((response.status(), &value["status"]), (503, &json!("DOWN")));
            assert_eq!(response.header_value("retry-after"), Some("1"));
            assert_eq!(response.header_value("content-type"), Some("application/json"));
        }
    }
}
