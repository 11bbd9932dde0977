//! What was put aside: seen, replayed, dismissed.

use expect_test::expect;
use web::{Method, Request, Role};

use crate::books::{NOW, event, message};
use crate::{LETTERS, Shop, check, text};

#[test]
fn admins_see_and_replay_what_was_put_aside() {
    let shop = Shop::new();
    let bad = event(
        "payment.completed:8",
        5,
        NOW,
        r#"{"orderId":8,"currency":"KRW","amount":0}"#,
    );
    shop.books.consume(&message("payment", &[bad])).unwrap();
    shop.books.consume(b"hello").unwrap();
    check(
        &shop.get(LETTERS),
        &expect![[
            r#"200 [{"id":2,"receivedAt":"2026-11-20T23:23:40.000Z","producer":null,"eventId":null,"topic":null,"position":null,"payload":"hello","payloadBytes":5,"error":"not a message: expected a JSON object","status":"WAITING","replayedAt":null,"dismissedAt":null,"dismissedBy":null,"dismissedReason":null},{"id":1,"receivedAt":"2026-11-20T23:23:40.000Z","producer":"payment","eventId":"payment.completed:8","topic":"payment.completed","position":5,"payload":"{\"producer\":\"payment\",\"events\":[{\"id\":\"payment.completed:8\",\"topic\":\"payment.completed\",\"key\":\"8\",\"position\":5,\"occurredAt\":1795217020000000,\"data\":{\"orderId\":8,\"currency\":\"KRW\",\"amount\":0}}]}","payloadBytes":192,"error":"0 is no amount that can move","status":"WAITING","replayedAt":null,"dismissedAt":null,"dismissedBy":null,"dismissedReason":null}]"#
        ]],
    );
    assert!(
        shop.get("/admin/settlements/dead-letters?limit=1")
            .header_value("link")
            .is_some()
    );
    let replay = |id: &str| shop.post(&format!("{LETTERS}/{id}/replay"), "");
    check(
        &replay("1"),
        &expect![[
            r#"422 {"type":"/problems/unprocessable","title":"A rule of the shop does not allow this","status":422,"detail":"it still can't be taken in: 0 is no amount that can move","error":"UNPROCESSABLE","message":"it still can't be taken in: 0 is no amount that can move"}"#
        ]],
    );
    check(
        &replay("2"),
        &expect![[
            r#"422 {"type":"/problems/unprocessable","title":"A rule of the shop does not allow this","status":422,"detail":"it still can't be taken in: it is no event","error":"UNPROCESSABLE","message":"it still can't be taken in: it is no event"}"#
        ]],
    );
    for id in [
        "3",
        "0",
        "-1",
        "+1",
        "01",
        "x",
        "18446744073709551615",
        "99999999999999999999",
    ] {
        assert_eq!(replay(id).status(), 404, "{id}");
    }
    // Somebody mends what was wrong with it.
    shop.books
        .run("update dead_letter set payload = replace(payload, '\"amount\":0', '\"amount\":11')");
    check(&replay("1"), &expect![[r#"200 {"id":1,"status":"REPLAYED"}"#]]);
    check(
        &replay("1"),
        &expect![[
            r#"409 {"type":"/problems/conflict","title":"The current state does not allow this","status":409,"detail":"it was replayed before","error":"CONFLICT","message":"it was replayed before"}"#
        ]],
    );
    check(
        &shop.get("/settlements/daily?date=2026-11-21"),
        &expect![[
            r#"200 {"settlementDate":"2026-11-21","totalAmount":5111,"paymentCount":3,"refundAmount":0,"refundCount":0,"netAmount":5111}"#
        ]],
    );
    shop.books.audit();
}

#[test]
fn admins_dismiss_what_nobody_can_mend() {
    let shop = Shop::new();
    let bad = event(
        "payment.completed:8",
        5,
        NOW,
        r#"{"orderId":8,"currency":"KRW","amount":0}"#,
    );
    shop.books.consume(&message("payment", &[bad])).unwrap();
    shop.books.consume(b"hello").unwrap();
    let dismiss = |id: &str, body: &str| shop.post(&format!("{LETTERS}/{id}/dismiss"), body);
    let waiting = || relay::inbox::waiting_dead_letters(&shop.books.db()).unwrap();
    for reason in [
        "\"\"".to_owned(),
        "null".to_owned(),
        "7".to_owned(),
        format!("{:?}", "가".repeat(501)),
        r#""a\u0000""#.to_owned(),
        r#""\u001b[2J""#.to_owned(),
    ] {
        let body = format!(r#"{{"reason":{reason}}}"#);
        assert_eq!(dismiss("2", &body).status(), 400, "{body}");
    }
    for body in ["", "{}", r#"{"reason":"x","by":3}"#] {
        assert!(matches!(dismiss("2", body).status(), 400 | 415), "{body}");
    }
    for id in ["3", "0", "-1", "+1", "01", "x", "18446744073709551615"] {
        assert_eq!(dismiss(id, r#"{"reason":"x"}"#).status(), 404, "{id}");
    }
    assert_eq!(waiting(), 2, "a refusal dismisses nothing");

    let first = expect![[
        r#"200 {"id":2,"status":"DISMISSED","dismissedAt":"2026-11-25T03:23:40.000Z","dismissedBy":2,"dismissedReason":"남의 메시지\n둘째 줄"}"#
    ]];
    check(&dismiss("2", r#"{"reason":"남의 메시지\n둘째 줄"}"#), &first);
    check(&dismiss("2", r#"{"reason":"another"}"#), &first);
    assert_eq!(waiting(), 1);
    let longest = format!(r#"{{"reason":{:?}}}"#, "가".repeat(500));
    assert_eq!(dismiss("1", &longest).status(), 200);
    assert_eq!(waiting(), 0);

    // Somebody thinks better of it.
    shop.books
        .run("update dead_letter set payload = replace(payload, '\"amount\":0', '\"amount\":11')");
    assert_eq!(shop.post(&format!("{LETTERS}/1/replay"), "").status(), 200);
    check(
        &dismiss("1", r#"{"reason":"x"}"#),
        &expect![[
            r#"409 {"type":"/problems/conflict","title":"The current state does not allow this","status":409,"detail":"it was replayed before","error":"CONFLICT","message":"it was replayed before"}"#
        ]],
    );
    let listed = text(&shop.get(LETTERS));
    let states: Vec<&str> = listed
        .split("\"status\":\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(states, ["DISMISSED", "REPLAYED"]);
    assert_eq!(listed.matches(r#""dismissedBy":2"#).count(), 2);
    let nobody = Request::new(Method::Post, &format!("{LETTERS}/2/dismiss"))
        .with_header("content-type", "application/json")
        .with_body(r#"{"reason":"x"}"#);
    assert_eq!(shop.send(nobody.clone(), None).status(), 401);
    assert_eq!(shop.send(nobody, Some(Role::User)).status(), 403);
    shop.books.audit();
}
