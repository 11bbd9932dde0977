//! A payment gateway that misbehaves.

use anyhow::Result;
use serde_json::json;
use tests::Shop;

use crate::{assert_sound_in_the_end, customer, id};

fn rules(text: &str) -> Result<Shop> {
    Shop::start_with(&["--variable", &format!("fake_pg_rules={text}")])
}

#[tokio::test]
async fn it_charges_and_does_not_say_so() -> Result<()> {
    let shop = rules("lose-answer amount=10000; lose-answer key=window")?;
    let buyer = customer(&shop, 1);
    let placed = buyer.order(1, 1).await?;
    assert_eq!(
        (placed.status, &placed.json["status"]),
        (201, &json!("PAID")),
        "{placed:?}"
    );
    let waiting = buyer.reserve(2, 1).await?;
    let confirmed = buyer.confirm(id(&waiting), "window", 25_000).await?;
    assert_eq!(
        (confirmed.status, &confirmed.json["status"]),
        (200, &json!("PAID")),
        "{confirmed:?}"
    );
    assert_sound_in_the_end(&shop).await
}

#[tokio::test]
async fn it_never_answers_and_nothing_is_kept() -> Result<()> {
    let shop = rules("timeout amount=10000; timeout key=window")?;
    let buyer = customer(&shop, 1);
    assert_eq!(buyer.order(1, 1).await?.status, 503);
    let waiting = buyer.reserve(2, 1).await?;
    assert_eq!(buyer.confirm(id(&waiting), "window", 25_000).await?.status, 503);
    assert_eq!(shop.visitor().stock(1).await?, 100);
    assert_eq!(shop.visitor().stock(2).await?, 50);
    assert_sound_in_the_end(&shop).await
}

#[tokio::test]
async fn it_says_everything_twice() -> Result<()> {
    let shop = Shop::start()?;
    let buyer = customer(&shop, 1);
    let waiting = buyer.reserve(1, 2).await?;
    let order = id(&waiting);
    let hook = json!({
        "eventType": "PAYMENT_STATUS_CHANGED",
        "createdAt": "2026-11-21T10:00:00.000000",
        "data": {"paymentKey": "window", "orderId": order, "status": "DONE"},
    });
    let visitor = shop.visitor();
    for _ in 0..3 {
        assert_eq!(
            visitor.post("/payments/webhook", &hook).await?.status,
            200,
            "a hint at most"
        );
    }
    let still = buyer.get(&format!("/orders/{order}")).await?;
    assert_eq!(still.json["status"], "PENDING", "a hint confirms nothing");
    let confirm = json!({"paymentKey": "window", "orderId": order, "amount": 20_000});
    let first = buyer.post_once("/payments/confirm", "k", &confirm).await?;
    assert_eq!(
        (first.status, &first.json["status"]),
        (200, &json!("PAID")),
        "{first:?}"
    );
    for _ in 0..3 {
        let again = buyer.post_once("/payments/confirm", "k", &confirm).await?;
        assert_eq!((again.status, &again.text), (200, &first.text));
        assert_eq!(visitor.post("/payments/webhook", &hook).await?.status, 200);
    }
    assert_eq!(buyer.confirm(order, "window", 20_000).await?.status, 409);
    assert_eq!(shop.visitor().stock(1).await?, 98);
    assert_sound_in_the_end(&shop).await
}

#[tokio::test]
async fn it_refuses_the_refund_the_first_two_times() -> Result<()> {
    let shop = rules("refuse-cancel first=2")?;
    let (buyer, admin) = (customer(&shop, 1), shop.admin());
    let order = id(&buyer.order(1, 1).await?);
    let refused = buyer.cancel(order).await?;
    assert!(refused.status >= 500, "{refused:?}");
    let stuck = admin.get("/admin/orders/stuck").await?;
    assert_eq!(stuck.json[0]["id"], order, "a person can see it: {stuck:?}");
    let retry = format!("/admin/orders/{order}/retry");
    admin.post(&retry, &json!({})).await?;
    let stuck = admin.get("/admin/orders/stuck").await?;
    assert_eq!(stuck.json[0]["id"], order, "refused again: {stuck:?}");
    let retried = admin.post(&retry, &json!({})).await?;
    assert_eq!(retried.status, 200, "{retried:?}");
    let shown = buyer.get(&format!("/orders/{order}")).await?;
    assert_eq!(shown.json["status"], "CANCELLED");
    assert_eq!(admin.get("/admin/orders/stuck").await?.json, json!([]));
    assert_eq!(
        admin.post(&retry, &json!({})).await?.status,
        409,
        "nothing is stuck any more"
    );
    assert_eq!(shop.visitor().stock(1).await?, 100);
    assert_sound_in_the_end(&shop).await
}
