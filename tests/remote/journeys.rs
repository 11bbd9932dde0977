//! What customers and admins do, over three apps.

use anyhow::Result;
use serde_json::json;

use crate::town::Town;

fn id(reply: &tests::Reply) -> u64 {
    reply.json["id"]
        .as_u64()
        .unwrap_or_else(|| panic!("no id in {reply:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkout_a_cancellation_and_a_refund_work_as_in_one_app() -> Result<()> {
    let town = Town::start()?;
    let customer = town.customer(1);

    let bought = town.checkout(&customer, 1, "a").await?;
    assert_eq!(bought.status, 201, "{bought:?}");
    assert_eq!(bought.json["status"], "PAID", "{bought:?}");
    let again = town.checkout(&customer, 1, "a").await?;
    assert_eq!((again.status, &again.text), (201, &bought.text));
    assert_eq!(
        town.shop.visitor().stock(1).await?,
        98,
        "the product's page asks the stock"
    );

    let order = id(&bought);
    let payment = customer.get(&format!("/payments/{order}")).await?;
    assert_eq!(
        (payment.status, &payment.json["status"]),
        (200, &json!("CAPTURED")),
        "{payment:?}"
    );
    let admin = town.shop.admin();
    let level = admin.get("/admin/stock/1").await?;
    assert_eq!(level.json["free"], 98, "{level:?}");
    let body = json!({"amount": 1_000, "reason": "a scratch"});
    let refund = admin
        .post_once(&format!("/admin/payments/{order}/refunds"), "scratch", &body)
        .await?;
    assert_eq!(refund.status, 201, "{refund:?}");

    let other = id(&town.checkout(&customer, 1, "b").await?);
    let cancelled = customer.cancel(other).await?;
    assert_eq!(cancelled.json["status"], "CANCELLED", "{cancelled:?}");
    assert_eq!(town.shop.visitor().stock(1).await?, 98);

    // Refusals are the other apps' own.
    let too_many = customer.order(1, 1_000).await?;
    assert_eq!(
        (too_many.status, &too_many.json["error"]),
        (409, &json!("OUT_OF_STOCK")),
        "{too_many:?}"
    );
    town.assert_sound_in_the_end().await?;
    town.assert_apart();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_payment_gives_the_goods_back_and_a_later_one_is_confirmed() -> Result<()> {
    let rules = "fake_pg_rules=refuse amount=20000 REJECT_CARD_PAYMENT";
    let town = Town::start_with(&["--variable", rules])?;
    let customer = town.customer(1);
    let refused = town.checkout(&customer, 1, "a").await?;
    assert_eq!(
        (refused.status, &refused.json["error"]),
        (402, &json!("PAYMENT_REFUSED")),
        "{refused:?}"
    );
    assert_eq!(town.shop.visitor().stock(1).await?, 100);

    let waiting = customer.reserve(1, 1).await?;
    assert_eq!(waiting.status, 201, "{waiting:?}");
    let amount = waiting.json["totalAmount"].as_i64().unwrap();
    let confirmed = customer.confirm(id(&waiting), "pk-1", amount).await?;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    assert_eq!(town.shop.visitor().stock(1).await?, 99);
    town.assert_sound_in_the_end().await?;
    Ok(())
}
