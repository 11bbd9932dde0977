//! Nonsense gets a clear refusal and changes nothing.

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Reply, Shop};

use crate::assert_sound;

async fn raw(client: &Client, content_type: &str, body: impl Into<reqwest::Body>) -> Result<Reply> {
    let request = client
        .request(Method::POST, "/orders")
        .header("content-type", content_type)
        .body(body);
    client.send(request).await
}

/// A problem document in both vocabularies (SPEC §0).
#[track_caller]
fn assert_problem(reply: &Reply, status: u16, context: &str) {
    assert_eq!(reply.status, status, "{context}: {reply:?}");
    let kind = reply
        .headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok());
    assert_eq!(kind, Some("application/problem+json"), "{context}: {reply:?}");
    assert_eq!(reply.json["status"], status, "{context}");
    assert_eq!(reply.json["detail"], reply.json["message"], "{context}");
    assert!(
        reply.json["error"].is_string() && reply.json["title"].is_string() && reply.json["type"].is_string()
    );
    for secret in ["panicked", "select ", "insert ", "sqlite", "wasm", ".rs:"] {
        assert!(
            !reply.text.to_lowercase().contains(secret),
            "{context} leaks {secret:?}: {}",
            reply.text
        );
    }
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused_and_change_nothing() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?;
    let order = |quantity: Value| json!({"productId": 1, "quantity": quantity, "paymentMethod": "CARD"});
    let bodies = [
        order(json!(-1)),
        order(json!(0)),
        order(json!(1.5)),
        order(json!(1e30)),
        order(json!("2")),
        order(json!(null)),
        order(json!(true)),
        order(json!([1])),
        order(json!(9_223_372_036_854_775_807_u64)),
        order(json!(18_446_744_073_709_551_615_u64)),
        order(json!(1_000_001)),
        json!({}),
        json!([]),
        json!("order"),
        json!(null),
        json!({"productId": 1, "quantity": 1}),
        json!({"productId": 1, "quantity": 1, "paymentMethod": "GOLD"}),
        json!({"productId": 1, "quantity": 1, "paymentMethod": "card"}),
        json!({"productId": -1, "quantity": 1, "paymentMethod": "CARD"}),
        json!({"productId": 0, "quantity": 1, "paymentMethod": "CARD"}),
        json!({"productId": 9_007_199_254_740_992_u64, "quantity": 1, "paymentMethod": "CARD"}),
        json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD", "price": 1}),
        json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD", "userId": 1}),
        json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD", "status": "PAID"}),
        json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD", "totalAmount": 0}),
        json!({"items": [], "paymentMethod": "CARD"}),
        json!({"items": [{"productId": 1}], "paymentMethod": "CARD"}),
        json!({"items": [{"quantity": 1}], "paymentMethod": "CARD"}),
        json!({"items": [{"productId": 1, "skuId": 1, "quantity": 1}], "paymentMethod": "CARD"}),
        json!({"items": [{"productId": 1, "quantity": 1, "price": 1}], "paymentMethod": "CARD"}),
        json!({"items": [[1, null, 1]], "paymentMethod": "CARD"}),
        json!([1, 1, null, "CARD"]),
        json!({"items": [{"productId": 1, "quantity": 1}], "productId": 1, "quantity": 1, "paymentMethod": "CARD"}),
        json!({"items": vec![json!({"productId": 1, "quantity": 1}); 101], "paymentMethod": "CARD"}),
    ];
    for body in bodies {
        let reply = customer.client.post("/orders", &body).await?;
        assert_problem(&reply, 400, &body.to_string());
    }
    let unknown = json!({"productId": 99, "quantity": 1, "paymentMethod": "CARD"});
    assert_problem(
        &customer.client.post("/orders", &unknown).await?,
        404,
        "an unknown product",
    );
    assert_problem(
        &customer.client.order(1, 1_000_000).await?,
        409,
        "a million pieces",
    );
    let points = json!({"productId": 1, "quantity": 1, "paymentMethod": "POINT"});
    assert_problem(
        &customer.client.post("/orders", &points).await?,
        422,
        "points are not offered yet",
    );
    assert_eq!(shop.visitor().stock(1).await?, 100);
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused() -> Result<()> {
    let shop = Shop::start()?;
    let client = shop.customer().await?.client;
    let good = r#"{"productId":1,"quantity":1,"paymentMethod":"CARD"}"#;
    for body in [
        "",
        " ",
        "{",
        "}",
        "nonsense",
        "{\"productId\":1,",
        "{'productId':1}",
        "[[[[",
        "\u{feff}{}",
    ] {
        assert_problem(&raw(&client, "application/json", body).await?, 400, body);
    }
    assert_problem(
        &raw(&client, "application/json", format!("{good}{good}")).await?,
        400,
        "two documents",
    );
    let doubled = r#"{"productId":1,"productId":2,"quantity":1,"paymentMethod":"CARD"}"#;
    assert_problem(
        &raw(&client, "application/json", doubled).await?,
        400,
        "a field twice",
    );
    let broken = b"{\"productId\":1,\"quantity\":1,\"paymentMethod\":\"\xff\xfe\"}".to_vec();
    assert_problem(
        &raw(&client, "application/json", broken).await?,
        400,
        "broken UTF-8",
    );
    let deep = "[".repeat(100_000);
    assert_problem(
        &raw(&client, "application/json", deep).await?,
        400,
        "deep nesting",
    );
    for kind in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "*/*",
    ] {
        assert_problem(&raw(&client, kind, good).await?, 415, kind);
    }
    assert_eq!(
        raw(&client, "application/json; charset=utf-8", good)
            .await?
            .status,
        201
    );
    Ok(())
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_too_large_however_it_comes() -> Result<()> {
    let shop = Shop::start()?;
    let client = shop.customer().await?.client;
    let huge = vec![b' '; 10 << 20];
    assert_problem(
        &raw(&client, "application/json", huge.clone()).await?,
        413,
        "with a length",
    );
    let chunks = huge
        .chunks(64 << 10)
        .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
        .collect::<Vec<_>>();
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    assert_problem(&raw(&client, "application/json", stream).await?, 413, "in chunks");
    assert_eq!(client.order(1, 1).await?.status, 201, "the shop goes on");
    Ok(())
}

#[tokio::test]
async fn unknown_routes_are_404_and_wrong_methods_405_with_allow() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?;
    let client = customer.client;
    for path in [
        "/",
        "/nothing",
        "/products/0",
        "/products/-1",
        "/products/x",
        "/products/99",
        "/products/1/2",
        "/orders/0",
        "/orders/x",
    ] {
        assert_problem(&client.get(path).await?, 404, path);
    }
    for (method, path, allow) in [
        (Method::DELETE, "/orders/1", "GET, HEAD, OPTIONS"),
        (Method::PUT, "/orders", "OPTIONS, POST"),
        (Method::POST, "/products", "GET, HEAD, OPTIONS"),
        (Method::DELETE, "/products/1", "GET, HEAD, OPTIONS"),
        (Method::GET, "/auth/login", "OPTIONS, POST"),
    ] {
        let reply = client.send(client.request(method.clone(), path)).await?;
        assert_problem(&reply, 405, &format!("{method} {path}"));
        assert_eq!(reply.headers["allow"], allow, "{method} {path}");
    }
    let head = client.send(client.request(Method::HEAD, "/products/1")).await?;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for path in [
        "/products?limit=0",
        "/products?limit=x",
        "/products?unknown=1",
        "/products?minPrice=-1",
        "/orders/me?cursor=%21",
        "/products?name=%ff",
    ] {
        assert_problem(&client.get(path).await?, 400, path);
    }
    Ok(())
}

#[tokio::test]
async fn only_a_good_token_opens_the_door() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?;
    let good = customer.client.token().expect("logged in").to_owned();
    let parts: Vec<&str> = good.split('.').collect();
    let forged = [
        String::new(),
        "nonsense".to_owned(),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}x", parts[0], parts[1], parts[2]),
        format!("eyJhbGciOiJub25lIn0.{}.", parts[1]),
        "a".repeat(20_000),
    ];
    for token in forged {
        let reply = shop.visitor().with_token(&token).get("/orders/me").await?;
        assert!(reply.status == 401 || reply.status == 431, "{reply:?}");
    }
    let visitor = shop.visitor();
    let basic = visitor
        .request(Method::GET, "/orders/me")
        .header("authorization", format!("Basic {good}"));
    assert_eq!(visitor.send(basic).await?.status, 401);
    let twice = visitor
        .with_token(&good)
        .request(Method::GET, "/orders/me")
        .header("authorization", format!("Bearer {good}x"));
    assert_eq!(visitor.send(twice).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn sign_ups_and_logins_that_make_no_sense_are_refused() -> Result<()> {
    let shop = Shop::start()?;
    let visitor = shop.visitor();
    let person = |email: &str, password: &str| json!({"email": email, "password": password, "name": "A"});
    for body in [
        person("", "pass1234"),
        person("nobody", "pass1234"),
        person("a@b", "short1"),
        person("a@example.com", "passwords"),
        person("a@example.com", "12345678"),
        json!({"email": "a@example.com", "password": "pass1234"}),
        json!({"email": "a@example.com", "password": "pass1234", "name": "A", "role": "ADMIN"}),
        json!({"email": "a@example.com", "password": "pass1234", "name": "A", "id": 1}),
    ] {
        assert_problem(&visitor.post("/users", &body).await?, 400, &body.to_string());
    }
    assert_eq!(
        visitor
            .post("/users", &person("same@example.com", "pass1234"))
            .await?
            .status,
        201
    );
    assert_problem(
        &visitor
            .post("/users", &person("SAME@example.com", "pass1234"))
            .await?,
        409,
        "the same e-mail",
    );
    let login = |email: &str, password: &str| json!({"email": email, "password": password});
    let wrong = visitor
        .post("/auth/login", &login("same@example.com", "pass9999"))
        .await?;
    let unknown = visitor
        .post("/auth/login", &login("other@example.com", "pass9999"))
        .await?;
    assert_problem(&wrong, 401, "wrong password");
    assert_eq!(wrong.text, unknown.text, "nobody learns which e-mails exist");
    Ok(())
}
