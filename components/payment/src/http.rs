//! The domain's one route: `GET /payments/{orderId}`, for the owner.

use kernel::{Instant, OrderId};
use serde::Serialize;
use store::DbError;
use web::{IdentityKey, Method, PathParams, Problem, Request, Response, Route, find};

use crate::app::Payments;
use crate::domain::{Payment, State};

#[derive(Debug, Clone, Copy)]
enum Endpoint {
    Read,
}

const ROUTES: &[Route<Endpoint>] = &[Route {
    method: Method::Get,
    pattern: "/payments/{orderId}",
    endpoint: Endpoint::Read,
}];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    id: u64,
    order_id: u64,
    method: &'static str,
    amount: i64,
    refunded_amount: i64,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<&'a str>,
    created_at: String,
}

/// Answers a request; `open` is called once it is known that the database is needed.
pub fn handle<P: Payments>(
    request: &Request,
    key: &IdentityKey,
    now: Instant,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Response {
    answer(request, key, now, open).into()
}

fn answer<P: Payments>(
    request: &Request,
    key: &IdentityKey,
    now: Instant,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Result<Response, Problem> {
    let (endpoint, path) = find(ROUTES, request)?;
    match endpoint {
        Endpoint::Read => read(request, &path, key, now, open),
    }
}

fn read<P: Payments>(
    request: &Request,
    path: &PathParams,
    key: &IdentityKey,
    now: Instant,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Result<Response, Problem> {
    let identity = key.identify(request, now)?;
    request.query()?.only(&[])?;
    let order: OrderId = path.get("orderId").parse().map_err(|_| missing())?;
    let found = open()
        .and_then(|payments| payments.find(order))
        .map_err(problem)?;
    let payment = found
        .filter(|payment| payment.user == identity.user)
        .ok_or_else(missing)?;
    Ok(Response::json(200, &body(&payment)))
}

fn missing() -> Problem {
    Problem::not_found("payment")
}

fn problem(error: DbError) -> Problem {
    if error.retryable() {
        Problem::unavailable_because("payment.read", &error)
    } else {
        Problem::defect("payment.read", &error)
    }
}

fn body(payment: &Payment) -> Body<'_> {
    Body {
        id: payment.id.get(),
        order_id: payment.order.get(),
        method: payment.method.text(),
        amount: payment.amount.minor(),
        refunded_amount: payment.refunded().minor(),
        status: payment.status(),
        failure_code: match &payment.state {
            State::Captured { .. } => None,
            State::Failed { code } => Some(code),
        },
        created_at: payment.at.rfc3339(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Amount, Charge, Method as PayBy, Refund, RefundKey, RefundState, Till};
    use crate::store::MIGRATIONS;
    use expect_test::{Expect, expect};
    use kernel::{Currency, Money, PaymentId, UserId};
    use store::{Db, native};
    use web::{IDENTITY_HEADER, Identity, Role};

    const NOW: Instant = Instant::from_micros(1_795_217_020_000_000);

    fn amount(minor: i64) -> Amount {
        Amount::try_new(Money::try_new(minor, Currency::Krw).unwrap()).unwrap()
    }

    fn charge(order: u64) -> Charge {
        Charge {
            order: OrderId::try_new(order).unwrap(),
            user: UserId::try_new(2).unwrap(),
            amount: amount(25_000),
            method: PayBy::Card,
        }
    }

    /// Order 1 is captured, 2 failed, 3 and 4 are given back in part and whole; all of them by user 2.
    fn payments() -> Db {
        let db = native::in_memory(MIGRATIONS).unwrap();
        for order in 1..=4 {
            let id = PaymentId::try_new(100 + order).unwrap();
            let till = Till::Gateway {
                payment_key: "secret of the gateway".to_owned(),
            };
            let payment = match order {
                2 => charge(order).failed(id, "REJECT_CARD_PAYMENT".to_owned(), NOW),
                _ => charge(order).captured(id, till, NOW),
            };
            assert!(db.insert(&payment).unwrap());
        }
        give_back(&db, 3, 10_000);
        give_back(&db, 4, 25_000);
        db
    }

    fn give_back(db: &Db, order: u64, minor: i64) {
        let refund = Refund {
            order: OrderId::try_new(order).unwrap(),
            key: RefundKey::try_new("return").unwrap(),
            amount: amount(minor),
            reason: String::new(),
            state: RefundState::Requested,
            requested_at: NOW,
        };
        assert!(db.give_cash(&refund, NOW).unwrap().is_some());
    }

    fn key() -> IdentityKey {
        IdentityKey::from_base64("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap()
    }

    fn ask(method: Method, target: &str, user: Option<u64>) -> Response {
        let request = Request::new(method, target);
        let request = match user {
            None => request,
            Some(user) => {
                let (user, role) = (UserId::try_new(user).unwrap(), Role::User);
                request.with_header(IDENTITY_HEADER, key().sign(Identity { user, role }, NOW))
            }
        };
        handle(&request, &key(), NOW, || Ok(payments()))
    }

    fn check(method: Method, target: &str, user: Option<u64>, expected: &Expect) {
        let response = ask(method, target, user);
        let body = String::from_utf8(response.body().to_vec()).unwrap();
        expected.assert_eq(&format!("{} {body}", response.status()));
    }

    #[test]
    fn the_owner_sees_every_state_of_a_payment() {
        check(
            Method::Get,
            "/payments/1",
            Some(2),
            &expect![[
                r#"200 {"id":101,"orderId":1,"method":"CARD","amount":25000,"refundedAmount":0,"status":"CAPTURED","createdAt":"2026-11-20T23:23:40.000Z"}"#
            ]],
        );
        check(
            Method::Get,
            "/payments/2",
            Some(2),
            &expect![[
                r#"200 {"id":102,"orderId":2,"method":"CARD","amount":25000,"refundedAmount":0,"status":"FAILED","failureCode":"REJECT_CARD_PAYMENT","createdAt":"2026-11-20T23:23:40.000Z"}"#
            ]],
        );
        check(
            Method::Get,
            "/payments/3",
            Some(2),
            &expect![[
                r#"200 {"id":103,"orderId":3,"method":"CARD","amount":25000,"refundedAmount":10000,"status":"PARTIALLY_REFUNDED","createdAt":"2026-11-20T23:23:40.000Z"}"#
            ]],
        );
        check(
            Method::Get,
            "/payments/4",
            Some(2),
            &expect![[
                r#"200 {"id":104,"orderId":4,"method":"CARD","amount":25000,"refundedAmount":25000,"status":"REFUNDED","createdAt":"2026-11-20T23:23:40.000Z"}"#
            ]],
        );
    }

    #[test]
    fn what_is_missing_and_what_is_somebody_elses_look_the_same() {
        let missing = ask(Method::Get, "/payments/5", Some(2));
        for (target, user) in [
            ("/payments/1", 3),
            ("/payments/0", 2),
            ("/payments/01", 2),
            ("/payments/x", 2),
        ] {
            assert_eq!(ask(Method::Get, target, Some(user)), missing, "{target}");
        }
        check(
            Method::Get,
            "/payments/5",
            Some(2),
            &expect![[
                r#"404 {"type":"/problems/not-found","title":"There is no such thing","status":404,"detail":"no such payment","error":"NOT_FOUND","message":"no such payment"}"#
            ]],
        );
    }

    #[test]
    fn nobody_sees_anything_and_nothing_else_is_offered() {
        check(
            Method::Get,
            "/payments/1",
            None,
            &expect![[
                r#"401 {"type":"/problems/unauthorized","title":"Authentication is required","status":401,"detail":"log in first, and send the access token","error":"UNAUTHORIZED","message":"log in first, and send the access token"}"#
            ]],
        );
        for (method, target, status) in [
            (Method::Post, "/payments/1", 405),
            (Method::Delete, "/payments/1", 405),
            (Method::Get, "/payments", 404),
            (Method::Get, "/payments/", 404),
            (Method::Get, "/payments/1/refunds", 404),
            (Method::Get, "/payments/1?all=1", 400),
            (Method::Head, "/payments/1", 200),
        ] {
            assert_eq!(
                ask(method, target, Some(2)).status(),
                status,
                "{method:?} {target}"
            );
        }
    }

    #[test]
    fn an_outage_is_a_503_and_a_defect_a_500_without_its_story() {
        for (error, status) in [
            (DbError::Busy, 503),
            (DbError::Unavailable("disk".to_owned()), 503),
            (DbError::Other("no such table: payment".to_owned()), 500),
        ] {
            let (user, role) = (UserId::try_new(2).unwrap(), Role::User);
            let request = Request::new(Method::Get, "/payments/1")
                .with_header(IDENTITY_HEADER, key().sign(Identity { user, role }, NOW));
            let response = handle(&request, &key(), NOW, || Err::<Db, _>(error));
            assert_eq!(response.status(), status);
            let body = String::from_utf8(response.body().to_vec()).unwrap();
            assert!(!body.contains("table") && !body.contains("disk"), "{body}");
        }
    }
}
