//! What comes after buying: cancelling, paying later, settlements, and everybody's mistakes.

use anyhow::Result;
use serde_json::json;
use tests::{Reply, Shop};

use crate::assert_sound;

fn id(reply: &Reply) -> u64 {
    reply.json["id"]
        .as_u64()
        .unwrap_or_else(|| panic!("no id in {reply:?}"))
}

#[tokio::test]
async fn a_cancelled_order_gives_money_and_goods_back() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?.client;
    let order = id(&customer.order(1, 2).await?);
    let cancelled = customer.cancel(order).await?;
    assert_eq!(
        (cancelled.status, &cancelled.json["status"]),
        (200, &json!("CANCELLED")),
        "{cancelled:?}"
    );
    assert_eq!(shop.visitor().stock(1).await?, 100);
    let payment = customer.get(&format!("/payments/{order}")).await?;
    assert_eq!(payment.json["status"], "REFUNDED", "{payment:?}");
    assert_eq!(customer.cancel(order).await?.status, 409, "once is enough");
    shop.settled().await?;
    let daily = shop.visitor().get("/settlements/daily").await?;
    let day = &daily.json[0];
    assert_eq!(
        (&day["totalAmount"], &day["refundAmount"], &day["netAmount"]),
        (&json!(20_000), &json!(20_000), &json!(0)),
        "{daily:?}"
    );
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn a_cancellation_is_answered_the_same_under_the_same_key() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?.client;
    let order = id(&customer.order(1, 1).await?);
    let path = format!("/orders/{order}/cancel");
    let first = customer.post_once(&path, "c", &json!({})).await?;
    let again = customer.post_once(&path, "c", &json!({})).await?;
    assert_eq!((first.status, again.status), (200, 200), "{first:?} {again:?}");
    assert_eq!(first.text, again.text);
    let other = id(&customer.order(1, 1).await?);
    let reused = customer
        .post_once(&format!("/orders/{other}/cancel"), "c", &json!({}))
        .await?;
    assert_eq!(reused.status, 422, "{reused:?}");
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn only_what_may_be_cancelled_is() -> Result<()> {
    let shop = Shop::start_with(&[
        "--variable",
        "fake_pg_rules=refuse amount=5000 REJECT_CARD_PAYMENT",
    ])?;
    let (owner, stranger) = (shop.customer().await?.client, shop.customer().await?.client);
    let paid = id(&owner.order(1, 1).await?);
    assert_eq!(stranger.cancel(paid).await?.status, 404);
    assert_eq!(shop.visitor().cancel(paid).await?.status, 401);
    assert_eq!(owner.cancel(12_345).await?.status, 404);
    assert_eq!(owner.patch("/orders/x/cancel", &json!({})).await?.status, 404);
    assert_eq!(
        owner
            .patch(&format!("/orders/{paid}/cancel"), &json!({"refund": 1}))
            .await?
            .status,
        400
    );
    let waiting = id(&owner.reserve(1, 1).await?);
    assert_eq!(owner.cancel(waiting).await?.status, 409, "PENDING");
    assert_eq!(owner.order(3, 1).await?.status, 402);
    let mine = owner.get("/orders/me").await?;
    let failed = mine.json[0]["id"].as_u64().expect("the newest");
    assert_eq!(mine.json[0]["status"], "FAILED");
    assert_eq!(owner.cancel(failed).await?.status, 409, "FAILED");
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn an_order_is_paid_in_a_second_step() -> Result<()> {
    let shop = Shop::start()?;
    let (owner, stranger) = (shop.customer().await?.client, shop.customer().await?.client);
    let waiting = owner.reserve(3, 2).await?;
    assert_eq!(
        (waiting.status, &waiting.json["status"]),
        (201, &json!("PENDING")),
        "{waiting:?}"
    );
    let order = id(&waiting);
    assert_eq!(shop.visitor().stock(3).await?, 3, "the goods wait too");
    for (who, body, status) in [
        (
            &stranger,
            json!({"paymentKey": "k", "orderId": order, "amount": 10_000}),
            404,
        ),
        (
            &owner,
            json!({"paymentKey": "k", "orderId": order, "amount": 9_999}),
            422,
        ),
        (
            &owner,
            json!({"paymentKey": "k", "orderId": order, "amount": -1}),
            400,
        ),
        (
            &owner,
            json!({"paymentKey": "", "orderId": order, "amount": 10_000}),
            400,
        ),
        (
            &owner,
            json!({"paymentKey": "k", "orderId": 99, "amount": 10_000}),
            404,
        ),
        (&owner, json!({"paymentKey": "k", "amount": 10_000}), 400),
        (
            &owner,
            json!({"paymentKey": "k", "orderId": order, "amount": 10_000, "userId": 1}),
            400,
        ),
    ] {
        let refused = who.post("/payments/confirm", &body).await?;
        assert_eq!(refused.status, status, "{body}: {refused:?}");
    }
    let confirmed = owner.confirm(order, "k", 10_000).await?;
    assert_eq!(
        (confirmed.status, &confirmed.json["status"]),
        (200, &json!("PAID")),
        "{confirmed:?}"
    );
    let other = id(&owner.reserve(3, 1).await?);
    let reused = owner.confirm(other, "k", 5_000).await?;
    assert_eq!(reused.status, 402, "the key paid another order: {reused:?}");
    assert_eq!(shop.visitor().stock(3).await?, 3);
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn an_order_that_nobody_pays_is_given_up() -> Result<()> {
    let shop = Shop::start_with(&["--variable", "checkout_hold_seconds=1"])?;
    let owner = shop.customer().await?.client;
    let order = id(&owner.reserve(3, 5).await?);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let path = format!("/orders/{order}");
    while owner.get(&path).await?.json["status"] != "CANCELLED" {
        assert!(std::time::Instant::now() < deadline, "nobody gave it up");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(owner.confirm(order, "late", 25_000).await?.status, 409);
    assert_eq!(shop.visitor().stock(3).await?, 5);
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn settlements_answer_questions_that_make_sense() -> Result<()> {
    let shop = Shop::start()?;
    let visitor = shop.visitor();
    assert_eq!(visitor.get("/settlements/daily").await?.json, json!([]));
    for (path, status) in [
        ("/settlements/daily?date=2026-01-01", 404),
        ("/settlements/daily?date=2026-02-30", 400),
        ("/settlements/daily?date=20260101", 400),
        ("/settlements/daily?date=", 400),
        ("/settlements/daily?day=2026-01-01", 400),
        ("/settlements/monthly?yearMonth=2026-13", 400),
        ("/settlements/monthly?yearMonth=2026-01", 404),
        ("/settlements/sellers", 422),
        ("/settlements/nothing", 404),
        ("/admin/settlements/reconciliation", 401),
        ("/internal/jobs/run", 405),
    ] {
        let reply = visitor.get(path).await?;
        assert_eq!(reply.status, status, "{path}: {reply:?}");
    }
    let owner = shop.customer().await?.client;
    assert_eq!(owner.get("/admin/settlements/reconciliation").await?.status, 403);
    assert_eq!(owner.get("/admin/orders/stuck").await?.status, 403);
    assert_eq!(visitor.post("/internal/jobs/run", &json!({})).await?.status, 401);
    assert_eq!(owner.post("/internal/jobs/run", &json!({})).await?.status, 401);

    assert_eq!(owner.order(1, 1).await?.status, 201);
    shop.settled().await?;
    let report = shop.admin().get("/admin/settlements/reconciliation").await?;
    assert_eq!(
        (report.status, &report.json["mismatches"]),
        (200, &json!([])),
        "{report:?}"
    );
    Ok(())
}
