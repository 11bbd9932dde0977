//! Accounts as admins see and change them, and how the first admin comes to be.

use expect_test::expect;
use kernel::UserId;
use serde_json::{Value, json};
use store::params;
use web::{CREDENTIAL_HEADER, Method, Request, Response};

use crate::shop::{Shop, body, id_in, shown, with_json};

/// A shop with an admin, and three users with their ids in the order they came.
fn with_members() -> (Shop, UserId, [UserId; 3]) {
    let shop = Shop::new();
    let admin = shop.add_admin("root@b.kr");
    let members = [
        shop.add_user("kim_1@b.kr", "김민수"),
        shop.add_user("LEE@c.kr", "Éva 100% Lee"),
        shop.add_user("kimx1@d.kr", "Back\\slash"),
    ];
    (shop, admin, members)
}

fn get(shop: &Shop, admin: UserId, target: &str) -> Response {
    shop.send(&shop.as_admin(admin, Request::new(Method::Get, target)))
}

fn patch(shop: &Shop, admin: UserId, id: UserId, sent: &Value) -> Response {
    let path = format!("/admin/users/{id}");
    shop.send(&shop.as_admin(admin, with_json(Request::new(Method::Patch, &path), sent)))
}

fn emails(response: &Response) -> Vec<String> {
    let list = body(response);
    let list = list.as_array().unwrap_or_else(|| panic!("{list}"));
    list.iter()
        .map(|one| one["email"].as_str().unwrap().to_owned())
        .collect()
}

/// Who did what to whom, as the audit log has it.
fn audit(shop: &Shop) -> String {
    let rows = shop.accounts.0.read(
        "select a.email, l.number, l.actor_id, l.field, l.value_before, l.value_after
           from account_audit l join account a on a.user_id = l.user_id order by l.user_id, l.number",
        params![],
    );
    let line = |row: &store::Row| {
        let actor: Option<i64> = row.get("actor_id").unwrap();
        let before: Option<String> = row.get("value_before").unwrap();
        format!(
            "{} {} {}: {} {} -> {}\n",
            row.get::<String>("email").unwrap(),
            row.get::<i64>("number").unwrap(),
            actor.map_or("operator", |_| "admin"),
            row.get::<String>("field").unwrap(),
            before.unwrap_or_default(),
            row.get::<String>("value_after").unwrap()
        )
    };
    rows.unwrap().iter().map(line).collect()
}

#[test]
fn the_list_is_searched_and_filtered() {
    let (shop, admin, [kim, _, _]) = with_members();
    patch(
        &shop,
        admin,
        kim,
        &json!({"grade": "GOLD", "status": "SUSPENDED"}),
    );
    let found = |query: &str| emails(&get(&shop, admin, &format!("/admin/users?{query}"))).join(" ");
    assert_eq!(found(""), "kimx1@d.kr LEE@c.kr kim_1@b.kr root@b.kr");
    assert_eq!(found("searchText=KIM"), "kimx1@d.kr kim_1@b.kr");
    assert_eq!(found("searchText=lee%40C"), "LEE@c.kr");
    assert_eq!(found("searchText=%EB%AF%BC"), "kim_1@b.kr");
    assert_eq!(
        found("searchText=%C3%A9VA"),
        "LEE@c.kr",
        "in any case, beyond ASCII too"
    );
    assert_eq!(found("searchText=m_1"), "kim_1@b.kr", "_ is no wildcard");
    assert_eq!(found("searchText=%25"), "LEE@c.kr", "% is none either");
    assert_eq!(found("searchText=k%5C"), "kimx1@d.kr");
    assert_eq!(found("searchText='%20or%201=1"), "");
    assert_eq!(found("searchText="), found(""));
    assert_eq!(found("status=SUSPENDED"), "kim_1@b.kr");
    assert_eq!(found("status=ACTIVE&searchText=kim"), "kimx1@d.kr");
    assert_eq!(found("grade=GOLD"), "kim_1@b.kr");
    assert_eq!(found("grade=GOLD&status=ACTIVE"), "");
    for bad in [
        "status=active",
        "grade=",
        "searchText=%00",
        "limit=0",
        "cursor=eA",
        "role=ADMIN",
        "status=ACTIVE&status=ACTIVE",
    ] {
        assert_eq!(
            get(&shop, admin, &format!("/admin/users?{bad}")).status(),
            400,
            "{bad}"
        );
    }
}

#[test]
fn pages_of_the_list_follow_their_links() {
    let (shop, admin, _) = with_members();
    let mut target = "/admin/users?status=ACTIVE&limit=3".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = get(&shop, admin, &target);
        pages.push(emails(&page).join(" "));
        let Some(link) = page.header_value("link") else {
            break;
        };
        target = link[1..link.find('>').unwrap()].to_owned();
        shop.add_user(&format!("late{}@b.kr", pages.len()), "late");
    }
    assert_eq!(
        pages,
        ["kimx1@d.kr LEE@c.kr kim_1@b.kr", "root@b.kr"],
        "who comes later moves nobody"
    );
}

#[test]
fn one_account_is_shown_whole_but_for_its_password() {
    let (shop, admin, [kim, ..]) = with_members();
    let shown = body(&get(&shop, admin, &format!("/admin/users/{kim}")));
    assert_eq!(
        shown,
        json!({"id": kim.get(), "email": "kim_1@b.kr", "name": "김민수", "phone": null, "role": "USER",
            "status": "ACTIVE", "grade": "NORMAL", "createdAt": "2026-09-21T14:13:20.000Z"})
    );
    for nobody in ["404", "x", "0", "-1", "99999999999999999999"] {
        assert_eq!(
            get(&shop, admin, &format!("/admin/users/{nobody}")).status(),
            404,
            "{nobody}"
        );
    }
}

#[test]
fn every_change_is_in_the_audit_log_and_a_repeat_is_none() {
    let (shop, admin, [kim, ..]) = with_members();
    let changed = patch(&shop, admin, kim, &json!({"status": "SUSPENDED", "grade": "VIP"}));
    let after = body(&changed);
    assert_eq!(
        (&after["status"], &after["grade"], &after["role"]),
        (&json!("SUSPENDED"), &json!("VIP"), &json!("USER"))
    );
    assert_eq!(
        shown(&patch(
            &shop,
            admin,
            kim,
            &json!({"status": "SUSPENDED", "grade": "VIP"})
        )),
        shown(&changed)
    );
    assert_eq!(shown(&patch(&shop, admin, kim, &json!({}))), shown(&changed));
    patch(&shop, admin, kim, &json!({"status": "ACTIVE", "role": "ADMIN"}));
    patch(&shop, admin, admin, &json!({"grade": "SILVER"}));
    patch(&shop, admin, admin, &json!({"role": "USER"}));
    expect![[r#"
        root@b.kr 1 operator: ROLE  -> ADMIN
        root@b.kr 2 admin: GRADE NORMAL -> SILVER
        kim_1@b.kr 1 admin: STATUS ACTIVE -> SUSPENDED
        kim_1@b.kr 2 admin: GRADE NORMAL -> VIP
        kim_1@b.kr 3 admin: STATUS SUSPENDED -> ACTIVE
        kim_1@b.kr 4 admin: ROLE USER -> ADMIN
    "#]]
    .assert_eq(&audit(&shop));
}

#[test]
fn bad_changes_change_nothing() {
    let (shop, admin, [kim, ..]) = with_members();
    let before = (shown(&get(&shop, admin, "/admin/users")), audit(&shop));
    for bad in [
        json!({"status": "BANNED"}),
        json!({"status": null}),
        json!({"grade": "gold"}),
        json!({"role": "ROOT", "grade": "VIP"}),
        json!({"grade": 1}),
        json!({"email": "x@y.kr"}),
        json!({"id": 7, "grade": "VIP"}),
        json!({"password": "passw0rd"}),
        json!([]),
    ] {
        assert_eq!(patch(&shop, admin, kim, &bad).status(), 400, "{bad}");
    }
    assert_eq!((shown(&get(&shop, admin, "/admin/users")), audit(&shop)), before);
}

#[test]
fn only_admins_see_and_change_accounts() {
    let (shop, _, [kim, lee, _]) = with_members();
    let requests = [
        Request::new(Method::Get, "/admin/users"),
        Request::new(Method::Get, &format!("/admin/users/{lee}")),
        with_json(
            Request::new(Method::Patch, &format!("/admin/users/{lee}")),
            &json!({"grade": "VIP"}),
        ),
    ];
    for request in requests {
        assert_eq!(shop.send(&request).status(), 401);
        assert_eq!(shop.send(&shop.as_user(kim, request)).status(), 403);
    }
    let outdated = patch(&shop, kim, lee, &json!({"grade": "VIP"}));
    let suspended = patch(&shop, kim, lee, &json!({"status": "SUSPENDED"}));
    assert_eq!((suspended.status(), shop.kills(lee).len()), (403, 0));
    assert_eq!(
        outdated.status(),
        403,
        "an identity says ADMIN, the account does not any more"
    );
}

#[test]
fn of_two_admins_who_suspend_each_other_one_remains() {
    let shop = Shop::new();
    let (one, two) = (shop.add_admin("one@b.kr"), shop.add_admin("two@b.kr"));
    let suspended = json!({"status": "SUSPENDED"});
    assert_eq!(patch(&shop, one, two, &suspended).status(), 200);
    assert_eq!(patch(&shop, two, one, &suspended).status(), 403);
    assert_eq!(patch(&shop, two, two, &json!({"status": "ACTIVE"})).status(), 403);
    assert_eq!(patch(&shop, one, one, &suspended).status(), 409);
    assert_eq!(
        emails(&get(&shop, one, "/admin/users?status=ACTIVE")),
        ["one@b.kr"]
    );
}

#[test]
fn the_operator_makes_the_first_admin() {
    let (shop, id) = Shop::with_user();
    let sent = |email: &str| json!({"email": email, "password": "0perator", "name": "Root"});
    let made = shop.appoint(&sent("root@b.kr"));
    assert_eq!((made.status(), &body(&made)["role"]), (201, &json!("ADMIN")));
    assert_eq!(
        made.header_value("location"),
        Some(format!("/admin/users/{}", id_in(&made)).as_str())
    );
    assert_eq!(shop.log_in("root@b.kr", "0perator").status(), 200);
    let again = shop.appoint(&sent("ROOT@b.kr"));
    assert_eq!((again.status(), id_in(&again)), (200, id_in(&made)));
    let raised = shop.appoint(&sent("a@b.kr"));
    assert_eq!(
        (raised.status(), id_in(&raised), &body(&raised)["role"]),
        (200, id, &json!("ADMIN"))
    );
    assert_eq!(body(&raised)["name"], json!("김민수"), "name and password stay");
    assert_eq!(shop.log_in("a@b.kr", "passw0rd").status(), 200);
    assert_eq!(shop.kills(id).len(), 2, "tokens with the old role are dead");
    expect![[r#"
        a@b.kr 1 operator: ROLE USER -> ADMIN
        root@b.kr 1 operator: ROLE  -> ADMIN
    "#]]
    .assert_eq(&audit(&shop));
}

#[test]
fn nobody_but_the_operator_makes_admins() {
    let (shop, id) = Shop::with_user();
    let good = json!({"email": "root@b.kr", "password": "0perator", "name": "Root"});
    let request = || with_json(Request::new(Method::Post, "/internal/admins"), &good);
    assert_eq!(shop.send(&request()).status(), 401);
    let wrong = request().with_header(CREDENTIAL_HEADER, "Bearer intermal");
    assert_eq!(shop.send(&wrong).status(), 401);
    assert_eq!(shop.send(&shop.as_admin(id, request())).status(), 401);
    for bad in [
        json!({"email": "x", "password": "0perator", "name": "Root"}),
        json!({"email": "root@b.kr", "password": "admin", "name": "Root"}),
        json!({"email": "root@b.kr", "password": "0perator"}),
        json!({"email": "root@b.kr", "password": "0perator", "name": "Root", "role": "ADMIN"}),
    ] {
        assert_eq!(shop.appoint(&bad).status(), 400, "{bad}");
    }
    let rows = shop.accounts.0.read("select user_id from account", params![]);
    assert_eq!(rows.unwrap().len(), 1);
}
