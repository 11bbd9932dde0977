//! Signing up, looking around, buying.

use anyhow::Result;
use serde_json::json;
use tests::Shop;

use crate::assert_sound;

#[tokio::test]
async fn a_newcomer_buys_two_pieces() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?;
    let products = shop.visitor().get("/products").await?;
    assert_eq!(products.status, 200);
    assert_eq!(
        products.json,
        json!([
            {"id": 1, "name": "테스트 상품 A", "category": "전자", "price": 10000, "stockQuantity": 100},
            {"id": 2, "name": "테스트 상품 B", "category": "생활", "price": 25000, "stockQuantity": 50},
            {"id": 3, "name": "테스트 상품 C", "category": "식품", "price": 5000, "stockQuantity": 5},
        ])
    );

    let placed = customer.client.order(1, 2).await?;
    assert_eq!(placed.status, 201, "{placed:?}");
    let order = &placed.json;
    assert_eq!(order["status"], "PAID");
    assert_eq!(order["userId"], customer.id);
    assert_eq!((&order["productId"], &order["quantity"]), (&json!(1), &json!(2)));
    let amounts = ["totalAmount", "discountAmount", "paymentAmount"].map(|name| order[name].as_i64());
    assert_eq!(amounts, [Some(20_000), Some(0), Some(20_000)]);
    assert_eq!(shop.visitor().stock(1).await?, 98);

    let id = order["id"].as_u64().expect("the id is a number");
    let location = placed.headers["location"].to_str()?;
    assert_eq!(location, format!("/orders/{id}"));
    assert_eq!(customer.client.get(location).await?.json, *order);
    assert_eq!(customer.client.get("/orders/me").await?.json, json!([order]));
    let payment = customer.client.get(&format!("/payments/{id}")).await?;
    assert_eq!((payment.status, &payment.json["amount"]), (200, &json!(20_000)));
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn several_lines_are_bought_together_or_not_at_all() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?;
    let order = |lines: serde_json::Value| json!({"items": lines, "paymentMethod": "CARD"});

    let lines =
        json!([{"productId": 1, "quantity": 1}, {"skuId": 2, "quantity": 2}, {"skuId": 1, "quantity": 3}]);
    let placed = customer.client.post("/orders", &order(lines)).await?;
    assert_eq!(
        (placed.status, &placed.json["totalAmount"]),
        (201, &json!(90_000)),
        "{placed:?}"
    );
    assert_eq!(
        placed.json["items"].as_array().map(Vec::len),
        Some(2),
        "SKU 1 was named twice: one line"
    );

    let lines = json!([{"productId": 1, "quantity": 1}, {"productId": 3, "quantity": 6}]);
    let refused = customer.client.post("/orders", &order(lines)).await?;
    assert_eq!(
        (refused.status, &refused.json["error"]),
        (409, &json!("OUT_OF_STOCK")),
        "{refused:?}"
    );
    let visitor = shop.visitor();
    assert_eq!(
        (
            visitor.stock(1).await?,
            visitor.stock(2).await?,
            visitor.stock(3).await?
        ),
        (96, 48, 5)
    );
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn a_refused_card_gives_the_goods_back() -> Result<()> {
    let rules = "fake_pg_rules=refuse amount>=50000 REJECT_CARD_PAYMENT";
    let shop = Shop::start_with(&["--variable", rules])?;
    let customer = shop.customer().await?;
    let refused = customer.client.order(2, 2).await?;
    assert_eq!(
        (refused.status, &refused.json["error"]),
        (402, &json!("PAYMENT_REFUSED")),
        "{refused:?}"
    );
    assert!(refused.text.contains("REJECT_CARD_PAYMENT"));
    assert_eq!(shop.visitor().stock(2).await?, 50);
    assert_eq!(customer.client.order(2, 1).await?.status, 201);
    let orders = customer.client.get("/orders/me").await?;
    let statuses: Vec<_> = orders
        .json
        .as_array()
        .expect("a list")
        .iter()
        .map(|order| &order["status"])
        .collect();
    assert_eq!(statuses, ["PAID", "FAILED"]);
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_loses_its_answer_is_asked_again_and_charges_once() -> Result<()> {
    let shop = Shop::start_with(&["--variable", "fake_pg_rules=lose-answer amount=5000"])?;
    let customer = shop.customer().await?;
    let placed = customer.client.order(3, 1).await?;
    assert_eq!(
        (placed.status, &placed.json["status"]),
        (201, &json!("PAID")),
        "{placed:?}"
    );
    assert_eq!(shop.visitor().stock(3).await?, 4);
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_leaves_nothing_behind() -> Result<()> {
    let shop = Shop::start_with(&["--variable", "fake_pg_rules=timeout amount=5000"])?;
    let customer = shop.customer().await?;
    let lost = customer.client.order(3, 1).await?;
    assert_eq!(lost.status, 503, "{lost:?}");
    assert!(lost.headers.contains_key("retry-after"));
    assert_eq!(shop.visitor().stock(3).await?, 5);
    let orders = customer.client.get("/orders/me").await?;
    assert_eq!(
        (&orders.json[0]["status"], &orders.json[0]["failureReason"]),
        (&json!("FAILED"), &json!("UNAVAILABLE"))
    );
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn a_repeated_key_is_one_order() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?;
    let body = json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD"});
    let send = |key: &str, body: &serde_json::Value| {
        let request = customer
            .client
            .request(reqwest::Method::POST, "/orders")
            .json(body);
        customer.client.send(request.header("idempotency-key", key))
    };
    let first = send("k-1", &body).await?;
    let again = send("k-1", &body).await?;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.text, again.text, "byte for byte the same answer");
    let other = json!({"productId": 1, "quantity": 2, "paymentMethod": "CARD"});
    assert_eq!(send("k-1", &other).await?.status, 422);
    assert_eq!(send("k-2", &body).await?.status, 201);
    assert_eq!(shop.visitor().stock(1).await?, 98);
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn fifty_buyers_of_the_last_five_pieces_leave_nothing_and_take_no_more() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?;
    let buyers: Vec<_> = (0..50)
        .map(|_| {
            let client = customer.client.clone();
            tokio::spawn(async move { client.order(3, 1).await })
        })
        .collect();
    let (mut paid, mut sold_out) = (0, 0);
    for buyer in buyers {
        let reply = buyer.await??;
        match reply.status {
            201 if reply.json["status"] == "PAID" => paid += 1,
            409 if reply.json["error"] == "OUT_OF_STOCK" => sold_out += 1,
            _ => panic!("neither paid nor sold out: {reply:?}"),
        }
    }
    assert_eq!((paid, sold_out), (5, 45));
    assert_eq!(shop.visitor().stock(3).await?, 0);
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn lists_are_paged_and_filtered() -> Result<()> {
    let shop = Shop::start()?;
    let customer = shop.customer().await?;
    for _ in 0..3 {
        assert_eq!(customer.client.order(1, 1).await?.status, 201);
    }
    let mut path = "/orders/me?limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = customer.client.get(&path).await?;
        seen.extend(
            page.json
                .as_array()
                .expect("a list")
                .iter()
                .map(|order| order["id"].as_u64()),
        );
        let Some(link) = page.headers.get("link") else {
            break;
        };
        let link = link.to_str()?;
        assert!(link.ends_with("; rel=\"next\""), "{link}");
        path = link[1..link.find('>').expect("a target")].to_owned();
    }
    assert_eq!(seen.len(), 3);
    assert!(seen.is_sorted_by(|a, b| a > b), "newest first: {seen:?}");
    let found = shop
        .visitor()
        .get("/products?name=%EC%83%81%ED%92%88%20b&maxPrice=30000")
        .await?;
    assert_eq!(found.json.as_array().map(Vec::len), Some(1), "{found:?}");
    assert_eq!(
        shop.visitor()
            .get("/products?minPrice=5&maxPrice=1")
            .await?
            .status,
        400
    );
    Ok(())
}
