//! What locks somebody out at once: which tokens die, and when.

use kernel::{Instant, UserId};
use serde_json::{Value, json};
use web::{Method, Request, Response};

use crate::shop::{NOW, Shop, body, with_json};

fn change_password(shop: &Shop, id: UserId, current: &str, new: &str) -> Response {
    let sent = json!({"currentPassword": current, "newPassword": new});
    let request = with_json(Request::new(Method::Post, "/users/me/password"), &sent);
    shop.send(&shop.as_user(id, request))
}

fn refresh(shop: &Shop, pair: &Value) -> u16 {
    shop.post("/auth/refresh", &json!({"refreshToken": pair["refreshToken"]}))
        .status()
}

#[test]
fn another_password_ends_every_session_and_answers_with_nothing() {
    let (shop, id) = Shop::with_user();
    let [first, second] = [(); 2].map(|()| body(&shop.log_in("a@b.kr", "passw0rd")));
    let other = shop.add_user("c@d.kr", "x");
    let of_other = body(&shop.log_in("c@d.kr", "passw0rd"));
    let answer = change_password(&shop, id, "passw0rd", "n3w passw0rd");
    assert_eq!((answer.status(), answer.body()), (204, b"".as_slice()));
    assert_eq!((refresh(&shop, &first), refresh(&shop, &second)), (401, 401));
    assert_eq!(shop.log_in("a@b.kr", "passw0rd").status(), 401);
    assert_eq!(shop.log_in("a@b.kr", "n3w passw0rd").status(), 200);
    assert_eq!(refresh(&shop, &of_other), 200);
    assert_eq!((shop.kills(id).len(), shop.kills(other).len()), (2, 0));
}

#[test]
fn a_wrong_current_password_logs_nobody_out() {
    let (shop, id) = Shop::with_user();
    let pair = body(&shop.log_in("a@b.kr", "passw0rd"));
    let hashed = shop.hashing.hashed.get();
    let refused = change_password(&shop, id, "passw0rD", "n3w passw0rd");
    assert_eq!(
        (refused.status(), body(&refused)["detail"].as_str()),
        (422, Some("the current password is wrong"))
    );
    let weak = change_password(&shop, id, "passw0rd", "short");
    assert_eq!(
        (weak.status(), &body(&weak)["errors"][0]["field"]),
        (400, &json!("newPassword"))
    );
    for bad in [
        json!({"currentPassword": "passw0rd"}),
        json!({"newPassword": "n3w passw0rd"}),
        json!({"currentPassword": "passw0rd", "newPassword": "n3w passw0rd", "userId": 1}),
    ] {
        let request = with_json(Request::new(Method::Post, "/users/me/password"), &bad);
        assert_eq!(shop.send(&shop.as_user(id, request)).status(), 400, "{bad}");
    }
    let nobody = shop.post(
        "/users/me/password",
        &json!({"currentPassword": "x", "newPassword": "n3w passw0rd"}),
    );
    assert_eq!(nobody.status(), 401);
    assert_eq!(
        shop.hashing.hashed.get(),
        hashed,
        "nothing was hashed for a refusal"
    );
    assert_eq!((refresh(&shop, &pair), shop.kills(id)), (200, vec![]));
    shop.set("status", "SUSPENDED");
    assert_eq!(
        change_password(&shop, id, "passw0rd", "n3w passw0rd").status(),
        403
    );
}

#[test]
fn tokens_are_killed_before_and_after_the_change() {
    let (shop, id) = Shop::with_user();
    shop.marks.left.set(0);
    assert_eq!(
        change_password(&shop, id, "passw0rd", "n3w passw0rd").status(),
        503
    );
    shop.marks.left.set(1);
    assert_eq!(
        shop.log_in("a@b.kr", "passw0rd").status(),
        200,
        "without a mark nothing changed"
    );
    assert_eq!(
        change_password(&shop, id, "passw0rd", "n3w passw0rd").status(),
        503
    );
    assert_eq!(
        shop.log_in("a@b.kr", "n3w passw0rd").status(),
        200,
        "it did change"
    );
    shop.marks.left.set(2);
    assert_eq!(
        change_password(&shop, id, "n3w passw0rd", "0ther one").status(),
        204
    );
    let kills = shop.kills(id);
    assert_eq!(kills.len(), 3);
    assert!(kills.is_sorted() && kills[0] > NOW);
}

#[test]
fn a_logout_everywhere_kills_access_tokens_and_one_of_a_session_does_not() {
    let (shop, id) = Shop::with_user();
    let pair = body(&shop.log_in("a@b.kr", "passw0rd"));
    let one = with_json(
        Request::new(Method::Post, "/auth/logout"),
        &json!({"refreshToken": pair["refreshToken"]}),
    );
    assert_eq!(shop.send(&shop.as_user(id, one)).status(), 204);
    assert_eq!(shop.kills(id), [] as [Instant; 0]);
    let all = shop.as_user(id, Request::new(Method::Post, "/auth/logout"));
    assert_eq!(shop.send(&all).status(), 204);
    assert_eq!(shop.kills(id).len(), 2);
}

#[test]
fn what_an_admin_changes_locks_out_where_it_must() {
    let shop = Shop::new();
    let admin = shop.add_admin("root@b.kr");
    let user = shop.add_user("a@b.kr", "x");
    let patch = |id: UserId, sent: Value| {
        let path = format!("/admin/users/{id}");
        let request = with_json(Request::new(Method::Patch, &path), &sent);
        shop.send(&shop.as_admin(admin, request)).status()
    };
    let pair = || body(&shop.log_in("a@b.kr", "passw0rd"));
    let before = pair();
    assert_eq!(patch(user, json!({"grade": "VIP"})), 200);
    assert_eq!((shop.kills(user).len(), refresh(&shop, &before)), (0, 200));
    let before = pair();
    assert_eq!(patch(user, json!({"role": "ADMIN"})), 200);
    assert_eq!(
        (shop.kills(user).len(), refresh(&shop, &before)),
        (2, 200),
        "its next token has the new role"
    );
    assert_eq!(patch(user, json!({"role": "USER"})), 200);
    let before = pair();
    assert_eq!(patch(user, json!({"status": "SUSPENDED"})), 200);
    assert_eq!(shop.kills(user).len(), 6);
    assert_eq!(shop.log_in("a@b.kr", "passw0rd").status(), 403);
    assert_eq!(
        patch(user, json!({"status": "SUSPENDED"})),
        200,
        "repeated, it ends what broke off"
    );
    assert_eq!(shop.kills(user).len(), 8);
    assert_eq!(patch(user, json!({"status": "ACTIVE"})), 200);
    assert_eq!(
        (shop.kills(user).len(), refresh(&shop, &before)),
        (8, 401),
        "sessions don't come back"
    );
    for own in [json!({"status": "SUSPENDED"}), json!({"role": "USER"})] {
        assert_eq!(patch(admin, own), 409);
    }
    assert_eq!(patch(UserId::try_new(404).unwrap(), json!({"role": "USER"})), 404);
    assert_eq!(
        shop.kills(admin),
        [] as [Instant; 0],
        "a refusal costs nobody the token"
    );
}

fn recall(shop: &Shop, method: Method) -> u16 {
    let request = Request::new(method, token::mark::RECALL_PATH);
    let answer = account::http::recall(&request, &shop.accounts, &shop.marks, shop.now.get());
    Response::from(answer).status()
}

#[test]
fn a_store_that_lost_its_marks_gets_those_again_that_still_matter() {
    let shop = Shop::new();
    let admin = shop.add_admin("root@b.kr");
    let [suspended, other_password, logged_out, innocent] =
        ["a@b.kr", "b@b.kr", "c@b.kr", "d@b.kr"].map(|email| shop.add_user(email, "x"));
    for email in ["b@b.kr", "c@b.kr", "d@b.kr"] {
        assert_eq!(shop.log_in(email, "passw0rd").status(), 200);
    }
    let request = Request::new(Method::Patch, &format!("/admin/users/{suspended}"));
    let request = with_json(request, &json!({"status": "SUSPENDED"}));
    assert_eq!(shop.send(&shop.as_admin(admin, request)).status(), 200);
    assert_eq!(
        change_password(&shop, other_password, "passw0rd", "n3w passw0rd").status(),
        204
    );
    let out = Request::new(Method::Post, "/auth/logout");
    assert_eq!(shop.send(&shop.as_user(logged_out, out)).status(), 204);

    shop.marks.marks.borrow_mut().clear();
    assert_eq!(
        (recall(&shop, Method::Get), shop.marks.complete.get()),
        (405, false)
    );
    assert_eq!(
        (recall(&shop, Method::Post), shop.marks.complete.get()),
        (204, true)
    );
    let again = |id| shop.kills(id).len();
    assert_eq!(
        [suspended, other_password, logged_out, innocent, admin].map(again),
        [1, 1, 1, 0, 0]
    );
    // A login just after it could have been one just before it; but a mark is never of a time to come.
    assert_eq!(shop.kills(suspended), [shop.now.get()]);

    let later = |seconds: i64| {
        let now = shop.now.get().micros() + seconds * 1_000_000;
        shop.now.set(Instant::from_micros(now));
        shop.marks.marks.borrow_mut().clear();
    };
    later(60);
    assert_eq!(recall(&shop, Method::Post), 204);
    assert_eq!(shop.kills(suspended), [NOW.after(kernel::Millis(16_000))]);

    // Whatever was called back has expired by then.
    later(1_801);
    assert_eq!(recall(&shop, Method::Post), 204);
    assert_eq!([suspended, other_password, logged_out].map(again), [0, 0, 0]);
}

#[test]
fn marks_that_can_not_all_be_written_are_not_said_to_be_there() {
    let (shop, id) = Shop::with_user();
    assert_eq!(shop.log_in("a@b.kr", "passw0rd").status(), 200);
    assert_eq!(
        change_password(&shop, id, "passw0rd", "n3w passw0rd").status(),
        204
    );
    for left in [0, 1] {
        shop.marks.left.set(left);
        assert_eq!(
            (recall(&shop, Method::Post), shop.marks.complete.get()),
            (503, false),
            "{left}"
        );
    }
    shop.marks.left.set(2);
    assert_eq!(
        (recall(&shop, Method::Post), shop.marks.complete.get()),
        (204, true)
    );
}
