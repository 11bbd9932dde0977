//! The stock's own pages: JSON and HTTP statuses on one side, use cases on the other.
//!
//! Customers see levels as a product's `stockQuantity`; what is here is for administrators, and [`rpc`] for an `order` that
//! is deployed on its own.

mod document;
pub mod rpc;

use ::store::DbError;
use kernel::{Instant, SkuId};
use serde::Serialize;
use utoipa::ToSchema;
use web::{
    Code, IdentityKey, Method, Page, PageRequest, PathParams, Problem, Request, Response, Role, Route,
};

use crate::app::{self, LevelError, Reservations};
use crate::domain::{Change, Level};

pub use document::document;

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Show a SKU's counts and what led to them.
    ShowSku,
}

/// Every route.
pub const ROUTES: &[Route<Endpoint>] = &[Route {
    method: Method::Get,
    pattern: "/admin/stock/{skuId}",
    endpoint: Endpoint::ShowSku,
}];

/// Answers a request. The store is opened only for those who may see something.
pub fn handle<R: Reservations>(
    request: &Request,
    key: &IdentityKey,
    now: Instant,
    open: impl FnOnce() -> Result<R, DbError>,
) -> Response {
    let answer = || {
        let (endpoint, path) = web::find(ROUTES, request)?;
        admin_only(request, key, now)?;
        match endpoint {
            Endpoint::ShowSku => show_sku(request, &path, now, open),
        }
    };
    answer().into()
}

fn admin_only(request: &Request, key: &IdentityKey, now: Instant) -> Result<(), Problem> {
    match key.identify(request, now)?.role {
        Role::Admin => Ok(()),
        Role::User => Err(Problem::new(Code::Forbidden, "only administrators see the stock")),
    }
}

fn show_sku<R: Reservations>(
    request: &Request,
    path: &PathParams,
    now: Instant,
    open: impl FnOnce() -> Result<R, DbError>,
) -> Result<Response, Problem> {
    let query = request.query()?;
    query.only(&PageRequest::PARAMETERS)?;
    let wanted = PageRequest::parse(&query)?;
    let before = wanted.after.as_deref().map(number_of).transpose()?;
    // A malformed id names nothing, like an id that was never given away.
    let sku: SkuId = path.get("skuId").parse().map_err(|_| Problem::not_found("SKU"))?;

    let store = open().map_err(store_problem)?;
    let level = app::level(&store, &[sku], now).map_err(level_problem)?;
    let level = level.first().ok_or_else(|| Problem::not_found("SKU"))?;
    let changes = store
        .history(sku, before, wanted.fetch())
        .map_err(store_problem)?;
    let page = wanted.page(changes, |change| change.number.to_string());
    let body = sku_view(level, &page);
    Ok(wanted.link(request, &page, Response::json(200, &body)))
}

fn number_of(cursor: &str) -> Result<u32, Problem> {
    cursor
        .parse()
        .map_err(|_| Problem::invalid_field("cursor", "is not one of ours; follow the Link header"))
}

/// What each way of not knowing a level is for the client.
fn level_problem(error: LevelError) -> Problem {
    match error {
        LevelError::UnknownSku(_) => Problem::not_found("SKU"),
        LevelError::Store(error) => store_problem(error),
    }
}

fn store_problem(error: DbError) -> Problem {
    if error.retryable() {
        Problem::unavailable_because("stock.http", &error)
    } else {
        Problem::defect("stock.http", &error)
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = StockLevel)]
#[serde(rename_all = "camelCase")]
struct SkuView {
    #[schema(schema_with = openapi::id_field)]
    sku_id: u64,
    /// Pieces in the house, reserved ones included.
    on_hand: u32,
    /// Pieces held for orders.
    reserved: u32,
    /// Pieces that can be ordered.
    free: u32,
    history: Vec<ChangeView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = StockChange)]
#[serde(rename_all = "camelCase")]
struct ChangeView {
    /// Its place in the SKU's history: 1, 2, 3 and so on.
    #[schema(minimum = 1)]
    number: u32,
    #[schema(schema_with = document::kind_field)]
    kind: &'static str,
    #[schema(schema_with = document::order_field, required = true)]
    order_id: Option<u64>,
    /// How many pieces.
    quantity: i64,
    /// Pieces in the house afterwards.
    on_hand: u32,
    /// Pieces held afterwards.
    reserved: u32,
    /// Pieces that could be ordered afterwards.
    free: u32,
    #[schema(schema_with = openapi::moment_field)]
    at: String,
}

fn sku_view(level: &Level, page: &Page<Change>) -> SkuView {
    SkuView {
        sku_id: level.sku.get(),
        on_hand: level.on_hand,
        reserved: level.reserved,
        free: level.free(),
        history: page.entries.iter().map(change_view).collect(),
    }
}

fn change_view(change: &Change) -> ChangeView {
    ChangeView {
        number: change.number,
        kind: change.kind.text(),
        order_id: change.order.map(kernel::OrderId::get),
        quantity: change.quantity,
        on_hand: change.on_hand,
        reserved: change.reserved,
        free: change.free(),
        at: change.at.rfc3339(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use kernel::{OrderId, UserId};
    use web::{IDENTITY_HEADER, Identity};

    use super::*;
    use crate::store::{MIGRATIONS, Store};

    const NOW: Instant = Instant::from_micros(1_767_225_600_500_000);
    const LATER: Instant = Instant::from_micros(1_767_225_700_000_000);

    fn key() -> IdentityKey {
        IdentityKey::from_base64("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap()
    }

    fn get(role: Role, target: &str) -> Request {
        let user = UserId::try_new(42).unwrap();
        let identity = key().sign(Identity { user, role }, NOW);
        Request::new(Method::Get, target).with_header(IDENTITY_HEADER, identity)
    }

    /// SKU 3 after one order reserved 2, another 1 and gave it back, and the first one was sold.
    fn store() -> Store {
        let store = Store::new(::store::native::in_memory(MIGRATIONS).unwrap());
        let (sku, first) = (SkuId::try_new(3).unwrap(), OrderId::try_new(11).unwrap());
        let second = OrderId::try_new(12).unwrap();
        app::reserve(&store, first, &[(sku, 2)], LATER, NOW).unwrap();
        app::reserve(&store, second, &[(sku, 1)], LATER, NOW).unwrap();
        app::release(&store, second, NOW).unwrap();
        app::commit(&store, first, NOW).unwrap();
        store
    }

    fn show(response: &Response) -> String {
        let link = response.header_value("link").map(|link| format!(" {link}"));
        let body = std::str::from_utf8(response.body()).unwrap();
        format!("{}{} {body}", response.status(), link.unwrap_or_default())
    }

    fn check(request: &Request, expected: Expect) {
        expected.assert_eq(&show(&handle(request, &key(), NOW, || Ok(store()))));
    }

    #[test]
    fn an_administrator_sees_levels_and_what_led_to_them() {
        check(
            &get(Role::Admin, "/admin/stock/3?limit=2"),
            expect![[
                r#"200 </admin/stock/3?limit=2&cursor=NA>; rel="next" {"skuId":3,"onHand":3,"reserved":0,"free":3,"history":[{"number":5,"kind":"COMMIT","orderId":11,"quantity":2,"onHand":3,"reserved":0,"free":3,"at":"2026-01-01T00:00:00.500Z"},{"number":4,"kind":"RELEASE","orderId":12,"quantity":1,"onHand":5,"reserved":2,"free":3,"at":"2026-01-01T00:00:00.500Z"}]}"#
            ]],
        );
        check(
            &get(Role::Admin, "/admin/stock/3?limit=2&cursor=NA"),
            expect![[
                r#"200 </admin/stock/3?limit=2&cursor=Mg>; rel="next" {"skuId":3,"onHand":3,"reserved":0,"free":3,"history":[{"number":3,"kind":"RESERVE","orderId":12,"quantity":1,"onHand":5,"reserved":3,"free":2,"at":"2026-01-01T00:00:00.500Z"},{"number":2,"kind":"RESERVE","orderId":11,"quantity":2,"onHand":5,"reserved":2,"free":3,"at":"2026-01-01T00:00:00.500Z"}]}"#
            ]],
        );
        check(
            &get(Role::Admin, "/admin/stock/1"),
            expect![[
                r#"200 {"skuId":1,"onHand":100,"reserved":0,"free":100,"history":[{"number":1,"kind":"INITIAL","orderId":null,"quantity":100,"onHand":100,"reserved":0,"free":100,"at":"2026-01-01T00:00:00.000Z"}]}"#
            ]],
        );
    }

    #[test]
    fn every_refusal_has_its_status() {
        let anybody = Request::new(Method::Get, "/admin/stock/1");
        let forged = anybody
            .clone()
            .with_header("x-user-id", "1")
            .with_header(IDENTITY_HEADER, "v1.1.ADMIN.9.AA");
        let mut table = String::new();
        let mut line = |what: &str, response: Response| {
            let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            table += &format!(
                "{what}: {} {} {}\n",
                response.status(),
                body["error"],
                body["detail"]
            );
        };
        let answer = |request: &Request| handle(request, &key(), NOW, || Ok(store()));
        line("nobody", answer(&anybody));
        line("forged", answer(&forged));
        line("a customer", answer(&get(Role::User, "/admin/stock/1")));
        for id in [
            "4",
            "0",
            "-1",
            "01",
            "9007199254740992",
            "99999999999999999999",
            "abc",
            "%31",
        ] {
            line(id, answer(&get(Role::Admin, &format!("/admin/stock/{id}"))));
        }
        for target in ["?limit=0", "?limit=x", "?cursor=eA", "?cursor=!", "?x=1"] {
            line(
                target,
                answer(&get(Role::Admin, &format!("/admin/stock/1{target}"))),
            );
        }
        for path in ["/", "/admin/stock", "/admin/stock/", "/admin/stock/1/history"] {
            line(path, answer(&get(Role::Admin, path)));
        }
        line("a post", answer(&Request::new(Method::Post, "/admin/stock/1")));
        let broken = |error: fn() -> DbError| {
            handle(&get(Role::Admin, "/admin/stock/1"), &key(), NOW, || {
                Err::<Store, _>(error())
            })
        };
        line("a busy store", broken(|| DbError::Busy));
        line(
            "a broken store",
            broken(|| DbError::Other("no such table: stock_level".to_owned())),
        );
        expect![[r#"
            nobody: 401 "UNAUTHORIZED" "log in first, and send the access token"
            forged: 401 "UNAUTHORIZED" "log in first, and send the access token"
            a customer: 403 "FORBIDDEN" "only administrators see the stock"
            4: 404 "NOT_FOUND" "no such SKU"
            0: 404 "NOT_FOUND" "no such SKU"
            -1: 404 "NOT_FOUND" "no such SKU"
            01: 404 "NOT_FOUND" "no such SKU"
            9007199254740992: 404 "NOT_FOUND" "no such SKU"
            99999999999999999999: 404 "NOT_FOUND" "no such SKU"
            abc: 404 "NOT_FOUND" "no such SKU"
            %31: 404 "NOT_FOUND" "no such SKU"
            ?limit=0: 400 "VALIDATION_FAILED" "limit must be from 1 to 100"
            ?limit=x: 400 "VALIDATION_FAILED" "limit must be a whole number"
            ?cursor=eA: 400 "VALIDATION_FAILED" "cursor is not one of ours; follow the Link header"
            ?cursor=!: 400 "VALIDATION_FAILED" "cursor is not one of ours; follow the Link header"
            ?x=1: 400 "VALIDATION_FAILED" "x is unknown; known are limit, cursor"
            /: 404 "NOT_FOUND" "no such page"
            /admin/stock: 404 "NOT_FOUND" "no such page"
            /admin/stock/: 404 "NOT_FOUND" "no such page"
            /admin/stock/1/history: 404 "NOT_FOUND" "no such page"
            a post: 405 "METHOD_NOT_ALLOWED" "this path answers GET, HEAD, OPTIONS"
            a busy store: 503 "SERVICE_UNAVAILABLE" "please try again in a moment"
            a broken store: 500 "INTERNAL_ERROR" "the error was recorded and will be looked at"
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn the_route_refuses_as_all_do() {
        use testkit::uniform::{Body, Path, check};

        let paths = [Path("/admin/stock/3", &[(Method::Get, Body::Ignored)])];
        let known = get(Role::Admin, "/");
        let known = known.header(IDENTITY_HEADER).unwrap();
        check(&paths, |request| {
            handle(&request.with_header(IDENTITY_HEADER, known), &key(), NOW, || {
                Ok(store())
            })
        });
    }
}
