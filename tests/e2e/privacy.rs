//! Nobody acts as somebody else, and nobody sees what is not theirs.

use anyhow::Result;
use serde_json::json;
use tests::Shop;

#[tokio::test]
async fn another_users_order_does_not_exist_for_me() -> Result<()> {
    let shop = Shop::start()?;
    let (owner, other) = (shop.customer().await?, shop.customer().await?);
    let id = owner.client.order(1, 1).await?.json["id"]
        .as_u64()
        .expect("an id");
    for path in [format!("/orders/{id}"), format!("/payments/{id}")] {
        assert_eq!(owner.client.get(&path).await?.status, 200, "{path}");
        let hidden = other.client.get(&path).await?;
        assert_eq!(hidden.status, 404, "{path}");
        assert_eq!(shop.visitor().get(&path).await?.status, 401, "{path}");
    }
    assert_eq!(other.client.get("/orders/me").await?.json, json!([]));
    let missing = other.client.get("/orders/1").await?;
    let hidden = other.client.get(&format!("/orders/{id}")).await?;
    assert_eq!(missing.text, hidden.text, "missing and foreign look the same");
    Ok(())
}

#[tokio::test]
async fn a_forged_identity_is_ignored_on_exact_and_nested_paths() -> Result<()> {
    let shop = Shop::start()?;
    let (victim, attacker) = (shop.customer().await?, shop.customer().await?);
    let id = victim.client.order(1, 1).await?.json["id"]
        .as_u64()
        .expect("an id");
    let victim_id = victim.id.to_string();
    let forged = [
        ("X-User-Id", victim_id.as_str()),
        ("x-user-id", victim_id.as_str()),
        ("X_User_Id", victim_id.as_str()),
        ("X-User-Role", "ADMIN"),
        ("X-Bodega-Identity", "v1.1.ADMIN.9999999999999999.AAAA"),
        ("x_bodega_identity", "v1.1.ADMIN.9999999999999999.AAAA"),
        ("Spin-Client-Addr", "10.0.0.1"),
        ("X-Forwarded-For", "10.0.0.1"),
    ];
    let with = |request: reqwest::RequestBuilder| {
        forged
            .iter()
            .fold(request, |r, (name, value)| r.header(*name, *value))
    };
    for path in [
        "/users/me",
        "/orders/me",
        &format!("/orders/{id}"),
        "/admin",
        "/admin/stock/1",
    ] {
        let visitor = shop.visitor();
        let reply = visitor
            .send(with(visitor.request(reqwest::Method::GET, path)))
            .await?;
        assert_eq!(reply.status, 401, "{path}: {reply:?}");
    }
    let send = |path: &str| {
        attacker
            .client
            .send(with(attacker.client.request(reqwest::Method::GET, path)))
    };
    assert_eq!(send("/users/me").await?.json["id"], attacker.id);
    assert_eq!(send("/orders/me").await?.json, json!([]));
    assert_eq!(send(&format!("/orders/{id}")).await?.status, 404);
    assert_eq!(send("/admin/stock/1").await?.status, 403);
    let body = json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD"});
    let request = attacker
        .client
        .request(reqwest::Method::POST, "/orders")
        .json(&body);
    assert_eq!(
        attacker.client.send(with(request)).await?.json["userId"],
        attacker.id
    );
    Ok(())
}

#[tokio::test]
async fn private_components_can_not_be_reached_from_outside() -> Result<()> {
    let shop = Shop::start()?;
    let visitor = shop.visitor();
    for host in [
        "order.spin.internal",
        "stock.spin.internal",
        "payment.spin.internal",
    ] {
        let request = visitor
            .request(reqwest::Method::GET, "/orders/me")
            .header("host", host);
        let refused = visitor.send(request).await?.status;
        assert!(matches!(refused, 400 | 401), "{host}: {refused}");
    }
    for path in ["/stock/1", "/internal/recover", "/pg", "/order/orders/me"] {
        assert_eq!(visitor.get(path).await?.status, 404, "{path}");
    }
    Ok(())
}
