//! Filling a cart and buying it.

use anyhow::Result;
use serde_json::json;
use tests::Shop;

use crate::assert_sound;

#[tokio::test]
async fn a_cart_is_filled_changed_and_bought_whole() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?.client;
    let put = async |product: u64, quantity: u64| {
        let line = json!({"productId": product, "quantity": quantity});
        customer.post("/cart/items", &line).await
    };
    assert_eq!(put(2, 1).await?.status, 201);
    assert_eq!(put(1, 1).await?.status, 201);
    let merged = put(1, 2).await?;
    assert_eq!(
        (merged.status, &merged.json["quantity"]),
        (201, &json!(3)),
        "{merged:?}"
    );
    assert_eq!(put(3, 1).await?.status, 201);
    let removed = customer.patch("/cart/items/3", &json!({"quantity": 0})).await?;
    assert_eq!(removed.status, 204, "{removed:?}");
    let changed = customer.patch("/cart/items/1", &json!({"quantity": 2})).await?;
    assert_eq!(changed.status, 200, "{changed:?}");
    let lines = customer.get("/cart").await?.json;
    let lines: Vec<_> = lines
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| (line["productId"].as_u64(), line["quantity"].as_u64()))
        .collect();
    assert_eq!(lines, [(Some(1), Some(2)), (Some(2), Some(1))]);

    let bought = customer
        .post("/orders/from-cart", &json!({"paymentMethod": "CARD"}))
        .await?;
    assert_eq!(
        (bought.status, &bought.json[0]["status"]),
        (201, &json!("PAID")),
        "{bought:?}"
    );
    assert_eq!(bought.json[0]["totalAmount"], 45_000);
    assert_eq!(customer.get("/cart").await?.json, json!([]));
    assert_eq!(
        customer.post("/orders/from-cart", &json!({})).await?.status,
        400,
        "nothing in it"
    );
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn what_a_guest_chose_comes_along_once() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?.client;
    let line = json!({"productId": 1, "quantity": 1});
    assert_eq!(customer.post("/cart/items", &line).await?.status, 201);
    let guest = json!({"items": [
        {"productId": 1, "quantity": 2}, {"productId": 3, "quantity": 9}, {"productId": 99, "quantity": 1}
    ]});
    let merged = customer.post_once("/cart/merge", "login", &guest).await?;
    assert_eq!(merged.status, 200, "{merged:?}");
    let cart = json!([
        {"productId": 1, "skuId": 1, "quantity": 3}, {"productId": 3, "skuId": 3, "quantity": 5}
    ]);
    assert_eq!(merged.json["items"], cart);
    let adjusted = merged.json["adjusted"].as_array().expect("a list");
    let reasons: Vec<_> = adjusted.iter().map(|line| &line["reason"]).collect();
    assert_eq!(reasons, ["OUT_OF_STOCK", "UNKNOWN_PRODUCT"]);
    let again = customer.post_once("/cart/merge", "login", &guest).await?;
    assert_eq!(again.text, merged.text);
    assert_eq!(customer.get("/cart").await?.json, cart);
    let other = customer
        .post_once("/cart/merge", "login", &json!({"items": [line]}))
        .await?;
    assert_eq!(other.status, 422, "{other:?}");
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn all_of_a_cart_or_nothing_and_a_failed_one_stays_full() -> Result<()> {
    let shop = Shop::start()?;
    let (one, other) = (shop.customer().await?.client, shop.customer().await?.client);
    for product in [1, 3] {
        let line = json!({"productId": product, "quantity": 5});
        assert_eq!(one.post("/cart/items", &line).await?.status, 201);
    }
    assert_eq!(other.order(3, 1).await?.status, 201);
    let refused = one.post("/orders/from-cart", &json!({})).await?;
    assert_eq!(
        (refused.status, &refused.json["error"]),
        (409, &json!("OUT_OF_STOCK")),
        "{refused:?}"
    );
    assert_eq!(one.get("/cart").await?.json.as_array().map(Vec::len), Some(2));
    assert_eq!(shop.visitor().stock(1).await?, 100);
    assert_eq!(
        other.get("/cart").await?.json,
        json!([]),
        "everybody has a cart of their own"
    );
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn nonsense_in_a_cart_is_refused() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?.client;
    for (body, status) in [
        (json!({"productId": 1, "quantity": 0}), 400),
        (json!({"productId": 1, "quantity": -1}), 400),
        (json!({"productId": 1, "quantity": 1.5}), 400),
        (json!({"productId": 1, "quantity": "1"}), 400),
        (json!({"productId": 1}), 400),
        (json!({"productId": 1, "quantity": 1, "price": 1}), 400),
        (json!([]), 400),
        (json!({"productId": 99, "quantity": 1}), 404),
        (json!({"productId": 1, "skuId": 2, "quantity": 1}), 404),
        (json!({"productId": 3, "quantity": 6}), 409),
    ] {
        let refused = customer.post("/cart/items", &body).await?;
        assert_eq!(refused.status, status, "{body}: {refused:?}");
    }
    assert_eq!(
        customer
            .patch("/cart/items/1", &json!({"quantity": 1}))
            .await?
            .status,
        404
    );
    assert_eq!(customer.get("/cart").await?.json, json!([]));
    assert_eq!(shop.visitor().get("/cart").await?.status, 401);
    Ok(())
}
