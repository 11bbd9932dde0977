//! Every page: what it answers, to whom, and what it refuses.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod books;
mod letters;
mod outages;
mod uniform;

use books::{Books, FakeBook, HOUR, NOW, completed, hours, paid, refunded, seoul};
use expect_test::{Expect, expect};
use kernel::{Instant, UserId};
use settlement::app::{BadSetting, Settings};
use settlement::http::{Context, handle};
use settlement::store::Store;
use store::DbError;
use web::{IDENTITY_HEADER, Identity, IdentityKey, Method, Request, Response, Role};

store_suite::also_on_postgres!();

const LATER: Instant = Instant::from_micros(NOW.micros() + 100 * HOUR);

const RECONCILIATION: &str = "/admin/settlements/reconciliation";
const REPROCESS: &str = "/admin/settlements/reconciliation/reprocess";
const LETTERS: &str = "/admin/settlements/dead-letters";

fn key() -> IdentityKey {
    IdentityKey::from_base64("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap()
}

struct Shop {
    books: Books,
    book: FakeBook,
    auth_required: bool,
}

impl Shop {
    /// Payments on two days of November and one of October, a refund the day after.
    fn new() -> Self {
        let books = Books::new();
        books.take(
            "order",
            &[
                paid(1, &[("전자", "bodega", 60), ("생활", "kim", 40)], 1, NOW),
                paid(2, &[("전자", "kim", 1)], 2, NOW),
            ],
        );
        books.take(
            "payment",
            &[
                completed(1, 100, 1, NOW),
                completed(2, 5_000, 2, NOW),
                refunded(1, "a", 30, 3, hours(20)),
                completed(3, 7, 4, hours(-24 * 30)),
            ],
        );
        let book = FakeBook::default()
            .with(1, 100, 0, &[("a", 30, 20)])
            .with(2, 5_000, 0, &[])
            .with(3, 7, -24 * 30, &[]);
        Self {
            books,
            book,
            auth_required: false,
        }
    }

    fn send(&self, request: Request, role: Option<Role>) -> Response {
        let user = UserId::try_new(2).unwrap();
        let request = match role {
            None => request,
            Some(role) => request.with_header(IDENTITY_HEADER, key().sign(Identity { user, role }, LATER)),
        };
        let settings = Settings {
            zone: seoul(),
            auth_required: self.auth_required,
        };
        let context = Context {
            key: &key(),
            settings: &settings,
            now: LATER,
            open: |zone| Store::for_readers(self.books.db(), zone),
            book: &self.book,
        };
        handle(&request, context)
    }

    fn get(&self, target: &str) -> Response {
        self.send(Request::new(Method::Get, target), Some(Role::Admin))
    }

    fn post(&self, target: &str, body: &str) -> Response {
        let request = Request::new(Method::Post, target).with_header("content-type", "application/json");
        self.send(request.with_body(body), Some(Role::Admin))
    }
}

fn text(response: &Response) -> String {
    format!(
        "{} {}",
        response.status(),
        String::from_utf8(response.body().to_vec()).unwrap()
    )
}

fn check(response: &Response, expected: &Expect) {
    expected.assert_eq(&text(response));
}

#[test]
fn days_and_months_are_sums_of_what_moved() {
    let shop = Shop::new();
    check(
        &shop.get("/settlements/daily?date=2026-11-21"),
        &expect![[
            r#"200 {"settlementDate":"2026-11-21","totalAmount":5100,"paymentCount":2,"refundAmount":0,"refundCount":0,"netAmount":5100}"#
        ]],
    );
    check(
        &shop.get("/settlements/daily?date=2026-11-22"),
        &expect![[
            r#"200 {"settlementDate":"2026-11-22","totalAmount":0,"paymentCount":0,"refundAmount":30,"refundCount":1,"netAmount":-30}"#
        ]],
    );
    check(
        &shop.get("/settlements/daily"),
        &expect![[
            r#"200 [{"settlementDate":"2026-11-22","totalAmount":0,"paymentCount":0,"refundAmount":30,"refundCount":1,"netAmount":-30},{"settlementDate":"2026-11-21","totalAmount":5100,"paymentCount":2,"refundAmount":0,"refundCount":0,"netAmount":5100},{"settlementDate":"2026-10-22","totalAmount":7,"paymentCount":1,"refundAmount":0,"refundCount":0,"netAmount":7}]"#
        ]],
    );
    check(
        &shop.get("/settlements/monthly?yearMonth=2026-11"),
        &expect![[
            r#"200 {"yearMonth":"2026-11","totalAmount":5100,"paymentCount":2,"refundAmount":30,"refundCount":1,"netAmount":5070}"#
        ]],
    );
    check(
        &shop.get("/settlements/monthly"),
        &expect![[
            r#"200 [{"yearMonth":"2026-11","totalAmount":5100,"paymentCount":2,"refundAmount":30,"refundCount":1,"netAmount":5070},{"yearMonth":"2026-10","totalAmount":7,"paymentCount":1,"refundAmount":0,"refundCount":0,"netAmount":7}]"#
        ]],
    );
    check(
        &shop.get("/settlements/daily?date=2026-11-23"),
        &expect![[
            r#"404 {"type":"/problems/not-found","title":"There is no such thing","status":404,"detail":"no such settlement","error":"NOT_FOUND","message":"no such settlement"}"#
        ]],
    );
    check(
        &shop.get("/settlements/monthly?yearMonth=2026-09"),
        &expect![[
            r#"404 {"type":"/problems/not-found","title":"There is no such thing","status":404,"detail":"no such settlement","error":"NOT_FOUND","message":"no such settlement"}"#
        ]],
    );
}

#[test]
fn sellers_and_categories_have_their_parts() {
    let shop = Shop::new();
    check(
        &shop.get("/settlements/sellers?date=2026-11-21"),
        &expect![[
            r#"200 [{"seller":"bodega","totalAmount":60,"paymentCount":1,"refundAmount":0,"netAmount":60},{"seller":"kim","totalAmount":5040,"paymentCount":2,"refundAmount":0,"netAmount":5040}]"#
        ]],
    );
    check(
        &shop.get("/settlements/categories?yearMonth=2026-11"),
        &expect![[
            r#"200 [{"category":"생활","totalAmount":40,"paymentCount":1,"refundAmount":12,"netAmount":28},{"category":"전자","totalAmount":5060,"paymentCount":2,"refundAmount":18,"netAmount":5042}]"#
        ]],
    );
    // The payment of October has no known lines.
    check(
        &shop.get("/settlements/sellers?yearMonth=2026-10"),
        &expect!["200 []"],
    );
}

#[test]
fn lists_have_pages_that_lead_to_the_next() {
    let shop = Shop::new();
    for list in [
        "/settlements/daily?limit=1",
        "/settlements/monthly?limit=1",
        "/settlements/sellers?yearMonth=2026-11&limit=1",
    ] {
        let (mut target, mut bodies) = (list.to_owned(), Vec::new());
        loop {
            let response = shop.get(&target);
            bodies.push(String::from_utf8(response.body().to_vec()).unwrap());
            let Some(link) = response.header_value("link") else {
                break;
            };
            target = link[1..link.find('>').unwrap()].to_owned();
        }
        let whole =
            String::from_utf8(shop.get(&list.replace("limit=1", "limit=100")).body().to_vec()).unwrap();
        let inside: Vec<&str> = bodies.iter().map(|body| body.trim_matches(['[', ']'])).collect();
        assert_eq!(format!("[{}]", inside.join(",")), whole, "{list}");
        assert!(bodies.len() > 1, "{list}");
    }
}

#[test]
fn lists_have_thirty_days_and_twelve_months() {
    let books = Books::new();
    let event = |number: u64| completed(number, 1, number, hours(i64::try_from(number).unwrap() * 24));
    for numbers in [1..=100, 101..=200, 201..=300, 301..=400, 401..=500_u64] {
        books.take("payment", &numbers.map(event).collect::<Vec<_>>());
    }
    let shop = Shop {
        books,
        book: FakeBook::default(),
        auth_required: false,
    };
    let count = |target: &str| text(&shop.get(target)).matches("netAmount").count();
    assert_eq!(
        (count("/settlements/daily"), count("/settlements/monthly")),
        (30, 12)
    );
    assert_eq!(
        (
            count("/settlements/daily?limit=100"),
            count("/settlements/monthly?limit=100")
        ),
        (100, 18)
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let shop = Shop::new();
    for target in [
        "/settlements/daily?date=2026-02-30",
        "/settlements/daily?date=",
        "/settlements/daily?date=2026-11",
        "/settlements/daily?date=21.11.2026",
        "/settlements/daily?date=2026-11-21&date=2026-11-22",
        "/settlements/daily?yearMonth=2026-11",
        "/settlements/daily?x=1",
        "/settlements/daily?limit=0",
        "/settlements/daily?limit=101",
        "/settlements/daily?cursor=bm9uc2Vuc2U",
        "/settlements/daily?date=%ff",
        "/settlements/monthly?yearMonth=2026-13",
        "/settlements/monthly?yearMonth=2026-11-21",
        "/settlements/monthly?yearMonth=2026-11&x=1",
        "/settlements/monthly?cursor=MjAyNi0xMS0yMQ",
        "/settlements/monthly?date=2026-11-21",
        "/settlements/daily?date=2026-11-21&x=1",
        "/settlements/sellers?yearMonth=2026-11&cursor=AA",
        "/settlements/sellers?date=2026-02-30",
        "/settlements/categories?yearMonth=2026",
        "/settlements/categories?date=2026-11-21&seller=kim",
        "/admin/settlements/reconciliation?date=2026-02-30",
        "/admin/settlements/reconciliation?x=1",
        "/admin/settlements/dead-letters?limit=1000",
        "/admin/settlements/dead-letters?cursor=eA",
    ] {
        assert_eq!(shop.get(target).status(), 400, "{target}");
    }
    for target in [
        "/settlements/daily?date=2026-11-21&limit=1",
        "/settlements/monthly?yearMonth=2026-11&cursor=MjAyNi0xMQ",
        "/settlements/sellers",
        "/settlements/categories?date=2026-11-21&yearMonth=2026-11",
    ] {
        assert_eq!(shop.get(target).status(), 422, "{target}");
    }
    for (method, target, status) in [
        (Method::Get, "/settlements", 404),
        (Method::Get, "/settlements/daily/", 404),
        (Method::Get, "/settlements/yearly", 404),
        (Method::Post, "/settlements/daily", 405),
        (Method::Delete, LETTERS, 405),
        (Method::Get, REPROCESS, 405),
        (Method::Get, "/admin/settlements", 404),
        (Method::Head, "/settlements/daily", 200),
    ] {
        let status_of = shop
            .send(Request::new(method, target), Some(Role::Admin))
            .status();
        assert_eq!(status_of, status, "{method:?} {target}");
    }
    check(
        &shop.get("/settlements/daily?date=2026-02-30"),
        &expect![[
            r#"400 {"type":"/problems/validation-failed","title":"A value is not allowed","status":400,"detail":"date must be a date of the form yyyy-MM-dd","error":"VALIDATION_FAILED","message":"date must be a date of the form yyyy-MM-dd","errors":[{"field":"date","message":"must be a date of the form yyyy-MM-dd"}]}"#
        ]],
    );
}

#[test]
fn who_may_see_what() {
    let pages = [
        (Method::Get, "/settlements/daily"),
        (Method::Get, "/settlements/monthly"),
        (Method::Get, "/settlements/sellers?date=2026-11-21"),
        (Method::Get, "/settlements/categories?date=2026-11-21"),
        (Method::Get, RECONCILIATION),
        (Method::Post, REPROCESS),
        (Method::Get, LETTERS),
        (Method::Post, "/admin/settlements/dead-letters/1/replay"),
    ];
    let table = |auth_required| {
        let shop = Shop {
            auth_required,
            ..Shop::new()
        };
        let line = |(method, target): (Method, &str)| {
            let status = |role| shop.send(Request::new(method, target), role).status();
            let [nobody, user, admin] = [None, Some(Role::User), Some(Role::Admin)].map(status);
            format!("{} {target}: {nobody} {user} {admin}\n", method.name())
        };
        pages.map(line).concat()
    };
    expect![[r#"
        GET /settlements/daily: 200 200 200
        GET /settlements/monthly: 200 200 200
        GET /settlements/sellers?date=2026-11-21: 200 200 200
        GET /settlements/categories?date=2026-11-21: 200 200 200
        GET /admin/settlements/reconciliation: 401 403 200
        POST /admin/settlements/reconciliation/reprocess: 401 403 415
        GET /admin/settlements/dead-letters: 401 403 200
        POST /admin/settlements/dead-letters/1/replay: 401 403 404
    "#]]
    .assert_eq(&table(false));
    expect![[r#"
        GET /settlements/daily: 401 403 200
        GET /settlements/monthly: 401 403 200
        GET /settlements/sellers?date=2026-11-21: 401 403 200
        GET /settlements/categories?date=2026-11-21: 401 403 200
        GET /admin/settlements/reconciliation: 401 403 200
        POST /admin/settlements/reconciliation/reprocess: 401 403 415
        GET /admin/settlements/dead-letters: 401 403 200
        POST /admin/settlements/dead-letters/1/replay: 401 403 404
    "#]]
    .assert_eq(&table(true));
}

#[test]
fn a_setting_is_one_we_know() {
    assert!(Settings::parse("Asia/Seoul", "true").unwrap().auth_required);
    assert!(!Settings::parse("UTC", "false").unwrap().auth_required);
    for wrong in ["", "TRUE", "yes", "1", " true"] {
        let error = Settings::parse("Asia/Seoul", wrong).unwrap_err();
        assert_eq!(error, BadSetting::AuthRequired(wrong.to_owned()));
    }
    let error = Settings::parse("Mars/Base", "true").unwrap_err();
    assert_eq!(
        error.to_string(),
        "settlement_timezone: there is no time zone \"Mars/Base\""
    );
}

#[test]
fn admins_compare_and_put_right() {
    let shop = Shop::new();
    check(
        &shop.get(RECONCILIATION),
        &expect![[
            r#"200 {"totals":{"payments":5077,"ledger":5077,"difference":0},"pending":0,"mismatchCount":0,"mismatches":[]}"#
        ]],
    );
    let shop = Shop {
        book: shop.book.clone().with(4, 90, 21, &[("late", 20, 22)]),
        ..shop
    };
    check(
        &shop.get(RECONCILIATION),
        &expect![[
            r#"200 {"totals":{"payments":5147,"ledger":5077,"difference":-70},"pending":0,"mismatchCount":2,"mismatches":[{"kind":"MISSING_PAYMENT","orderId":4,"movement":"PAYMENT","expectedAmount":90,"ledgerAmount":0,"occurredAt":"2026-11-21T20:23:40.000Z","settlementDate":"2026-11-22"},{"kind":"MISSING_REFUND","orderId":4,"movement":"REFUND","refundKey":"late","expectedAmount":20,"ledgerAmount":0,"occurredAt":"2026-11-21T21:23:40.000Z","settlementDate":"2026-11-22"}]}"#
        ]],
    );
    check(
        &shop.get("/admin/settlements/reconciliation?date=2026-11-21"),
        &expect![[
            r#"200 {"date":"2026-11-21","totals":{"payments":5100,"ledger":5100,"difference":0},"pending":0,"mismatchCount":0,"mismatches":[]}"#
        ]],
    );
    check(
        &shop.post(REPROCESS, r#"{"orderId":4}"#),
        &expect![[
            r#"200 [{"kind":"MISSING_PAYMENT","orderId":4,"movement":"PAYMENT","expectedAmount":90,"ledgerAmount":0,"occurredAt":"2026-11-21T20:23:40.000Z","settlementDate":"2026-11-22"},{"kind":"MISSING_REFUND","orderId":4,"movement":"REFUND","refundKey":"late","expectedAmount":20,"ledgerAmount":0,"occurredAt":"2026-11-21T21:23:40.000Z","settlementDate":"2026-11-22"}]"#
        ]],
    );
    check(&shop.post(REPROCESS, r#"{"orderId":4}"#), &expect!["200 []"]);
    check(&shop.post(REPROCESS, r#"{"orderId":99}"#), &expect!["200 []"]);
    check(
        &shop.get(RECONCILIATION),
        &expect![[
            r#"200 {"totals":{"payments":5147,"ledger":5147,"difference":0},"pending":0,"mismatchCount":0,"mismatches":[]}"#
        ]],
    );
    for body in [
        "",
        "{}",
        "[4]",
        r#"{"orderId":"4"}"#,
        r#"{"orderId":0}"#,
        r#"{"orderId":-4}"#,
        r#"{"orderId":4.0}"#,
        r#"{"orderId":9007199254740992}"#,
        r#"{"orderId":4,"x":1}"#,
    ] {
        assert_eq!(shop.post(REPROCESS, body).status(), 400, "{body}");
    }
    let silent = Shop {
        book: FakeBook {
            silent: true,
            ..FakeBook::default()
        },
        ..shop
    };
    assert_eq!(silent.get(RECONCILIATION).status(), 503);
    assert_eq!(silent.post(REPROCESS, r#"{"orderId":4}"#).status(), 503);
}
