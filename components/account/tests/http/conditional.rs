//! Admins who say which version they have read.

use account::store::MIGRATIONS;
use kernel::UserId;
use serde_json::{Value, json};
use store::{Db, params};
use store_suite::database;
use testkit::at_once;
use web::{Method, Request, Response};

use crate::shop::{Shop, body, with_json};

fn read(shop: &Shop, admin: UserId, id: UserId, headers: &[(&str, &str)]) -> Response {
    let request = Request::new(Method::Get, &format!("/admin/users/{id}"));
    shop.send(&shop.as_admin(admin, with_headers(request, headers)))
}

fn change(shop: &Shop, admin: UserId, id: UserId, headers: &[(&str, &str)], sent: &Value) -> Response {
    let request = with_json(Request::new(Method::Patch, &format!("/admin/users/{id}")), sent);
    shop.send(&shop.as_admin(admin, with_headers(request, headers)))
}

fn with_headers(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| {
        request.with_header(name, *value)
    })
}

fn tag(response: &Response) -> String {
    response.header_value("etag").unwrap().to_owned()
}

fn lines(db: &Db) -> i64 {
    let row = db.read_one(
        "select count(*) as n from account_audit where actor_id is not null",
        params![],
    );
    row.unwrap().unwrap().get("n").unwrap()
}

#[test]
fn a_change_to_the_version_that_was_read_is_made_and_names_the_next() {
    let shop = Shop::new();
    let (admin, kim) = (shop.add_admin("root@b.kr"), shop.add_user("kim@b.kr", "Kim"));
    let first = tag(&read(&shop, admin, kim, &[]));
    let changed = change(
        &shop,
        admin,
        kim,
        &[("if-match", &first)],
        &json!({"grade": "GOLD"}),
    );
    assert_eq!(
        (changed.status(), &body(&changed)["grade"]),
        (200, &json!("GOLD"))
    );
    let second = tag(&changed);
    assert_ne!(first, second);
    assert_eq!(tag(&read(&shop, admin, kim, &[])), second);
    let late = change(
        &shop,
        admin,
        kim,
        &[("if-match", &first)],
        &json!({"grade": "VIP"}),
    );
    assert_eq!(
        (late.status(), &body(&late)["error"]),
        (412, &json!("PRECONDITION_FAILED"))
    );
    let locked = change(
        &shop,
        admin,
        kim,
        &[("if-match", &first)],
        &json!({"status": "SUSPENDED"}),
    );
    assert_eq!(
        (locked.status(), shop.kills(kim).len()),
        (412, 0),
        "nobody is logged out by a 412"
    );
    assert_eq!(tag(&read(&shop, admin, kim, &[])), second, "nothing was changed");
    for fine in ["*", &format!("\"x\", {second}")] {
        let changed = change(
            &shop,
            admin,
            kim,
            &[("if-match", fine)],
            &json!({"grade": "GOLD"}),
        );
        assert_eq!(changed.status(), 200, "{fine}");
    }
    let careless = change(&shop, admin, kim, &[], &json!({"grade": "VIP"}));
    assert_eq!(careless.status(), 200, "nobody must say what was read");
}

#[test]
fn what_the_owner_changes_counts_too() {
    let shop = Shop::new();
    let (admin, kim) = (shop.add_admin("root@b.kr"), shop.add_user("kim@b.kr", "Kim"));
    let first = tag(&read(&shop, admin, kim, &[]));
    let renamed = with_json(Request::new(Method::Patch, "/users/me"), &json!({"name": "Lee"}));
    assert_eq!(shop.send(&shop.as_user(kim, renamed)).status(), 200);
    let late = change(
        &shop,
        admin,
        kim,
        &[("if-match", &first)],
        &json!({"grade": "VIP"}),
    );
    assert_eq!(late.status(), 412);
}

#[test]
fn who_lost_the_answer_asks_again_in_the_same_words() {
    let shop = Shop::new();
    let (admin, kim) = (shop.add_admin("root@b.kr"), shop.add_user("kim@b.kr", "Kim"));
    let first = tag(&read(&shop, admin, kim, &[]));
    let suspend = || {
        change(
            &shop,
            admin,
            kim,
            &[("if-match", &first)],
            &json!({"status": "SUSPENDED"}),
        )
    };
    shop.marks.left.set(1);
    assert_eq!(
        suspend().status(),
        503,
        "changed, but not all tokens are known to be dead"
    );
    shop.marks.left.set(u32::MAX);
    assert_eq!(suspend().status(), 200);
    assert_eq!((shop.kills(kim).len(), lines(&shop.accounts.0)), (3, 1));
}

#[test]
fn other_refusals_go_first_and_nonsense_is_refused() {
    let shop = Shop::new();
    let (admin, kim) = (shop.add_admin("root@b.kr"), shop.add_user("kim@b.kr", "Kim"));
    let nobody = UserId::try_new(404).unwrap();
    let stale = [("if-match", "\"x\"")];
    let status =
        |id, headers: &[(&str, &str)], sent: Value| change(&shop, admin, id, headers, &sent).status();
    assert_eq!(status(nobody, &stale, json!({"grade": "VIP"})), 404);
    assert_eq!(status(admin, &stale, json!({"role": "USER"})), 409);
    assert_eq!(status(kim, &stale, json!({"grade": "gold"})), 400);
    for nonsense in ["", "x", "\"x", "*, \"x\""] {
        let refused = status(kim, &[("if-match", nonsense)], json!({"grade": "VIP"}));
        assert_eq!(refused, 400, "{nonsense}");
    }
    assert_eq!(lines(&shop.accounts.0), 0);
}

#[test]
fn who_has_the_account_already_is_not_sent_it_again() {
    let shop = Shop::new();
    let (admin, kim) = (shop.add_admin("root@b.kr"), shop.add_user("kim@b.kr", "Kim"));
    let tag = tag(&read(&shop, admin, kim, &[]));
    let same = read(&shop, admin, kim, &[("if-none-match", &tag)]);
    assert_eq!((same.status(), same.body()), (304, b"".as_slice()));
    assert_eq!(
        read(&shop, admin, kim, &[("if-none-match", "\"x\"")]).status(),
        200
    );
}

#[test]
fn of_admins_who_read_the_same_version_and_write_at_once_exactly_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account.db");
    let connect = |_| Shop::over(database::open(&path, MIGRATIONS).unwrap());
    let shop = connect(0);
    let changes = [
        json!({"grade": "SILVER"}),
        json!({"grade": "GOLD"}),
        json!({"grade": "VIP"}),
        json!({"status": "SUSPENDED"}),
        json!({"status": "INACTIVE"}),
        json!({"role": "ADMIN"}),
    ];
    let admins: Vec<UserId> = (0..changes.len())
        .map(|number| shop.add_admin(&format!("root{number}@b.kr")))
        .collect();
    for round in 1..=10 {
        let kim = shop.add_user(&format!("kim{round}@b.kr"), "Kim");
        let tag = tag(&read(&shop, admins[0], kim, &[]));
        let mut answers = at_once(changes.len(), connect, |shop, thread| {
            let sent = &changes[thread];
            change(shop, admins[thread], kim, &[("if-match", &tag)], sent).status()
        });
        answers.sort_unstable();
        assert_eq!(answers, [200, 412, 412, 412, 412, 412]);
        assert_eq!(
            lines(&shop.accounts.0),
            round,
            "one line in the audit log for each round"
        );
    }
}
