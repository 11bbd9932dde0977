//! What one request of each kind asks of the host: counts, so the same on every machine.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Client, Counts, Reply, Shop};

/// The shop's components but the one that works by itself; without it no events come either.
const QUIET: [&str; 9] = [
    "gateway",
    "account",
    "product",
    "stock",
    "payment",
    "cart",
    "order",
    "settlement",
    "api-docs",
];

/// How a shop is started whose requests are counted: without jobs and events, so that nothing happens in it that nobody
/// asked for, and with a gateway that refuses one amount.
pub fn cost_flags() -> Vec<&'static str> {
    let components = QUIET.iter().flat_map(|id| ["--component-id", *id]);
    let rules = [
        "--variable",
        "fake_pg_rules=refuse amount=50000 REJECT_CARD_PAYMENT",
    ];
    components.chain(rules).collect()
}

/// Pieces of products 1 and 2 that counting takes.
const PIECES: u64 = 1000;

/// What one kind of request costs.
#[derive(Debug, Clone)]
pub struct Cost {
    /// The request.
    pub request: &'static str,
    /// What it asked of the host.
    pub counts: Counts,
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Product,
    Products,
    Orders,
    Order,
    OrderWithKey,
    OutOfStock,
    RefusedPayment,
    IntoCart,
    FromCart,
    Cancel,
    Login,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Nothing,
        Self::Product,
        Self::Products,
        Self::Orders,
        Self::Order,
        Self::OrderWithKey,
        Self::OutOfStock,
        Self::RefusedPayment,
        Self::IntoCart,
        Self::FromCart,
        Self::Cancel,
        Self::Login,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "GET /products/none",
            Self::Product => "GET /products/1",
            Self::Products => "GET /products",
            Self::Orders => "GET /orders/me",
            Self::Order => "POST /orders",
            Self::OrderWithKey => "POST /orders, with a key",
            Self::OutOfStock => "POST /orders, out of stock",
            Self::RefusedPayment => "POST /orders, payment refused",
            Self::IntoCart => "POST /cart/items",
            Self::FromCart => "POST /orders/from-cart",
            Self::Cancel => "PATCH /orders/{id}/cancel",
            Self::Login => "POST /auth/login",
        }
    }

    fn expected(self) -> u16 {
        match self {
            Self::Nothing => 404,
            Self::Product | Self::Products | Self::Orders | Self::Cancel | Self::Login => 200,
            Self::Order | Self::OrderWithKey | Self::IntoCart | Self::FromCart => 201,
            Self::OutOfStock => 409,
            Self::RefusedPayment => 402,
        }
    }

    /// Makes ready what is not to be counted, and answers the request that is.
    async fn prepare(self, who: &Somebody, repeat: u32) -> Result<reqwest::RequestBuilder> {
        let client = &who.client;
        let get = |path: &str| client.request(Method::GET, path);
        let post = |path: &str, body: &Value| client.request(Method::POST, path).json(body);
        Ok(match self {
            Self::Nothing => get("/products/none"),
            Self::Product => get("/products/1"),
            Self::Products => get("/products"),
            Self::Orders => get("/orders/me"),
            Self::Order => post("/orders", &order(1, 1)),
            Self::OrderWithKey => {
                post("/orders", &order(1, 1)).header("idempotency-key", format!("counted-{repeat}"))
            }
            Self::OutOfStock => post("/orders", &order(3, 6)),
            Self::RefusedPayment => post("/orders", &order(2, 2)),
            Self::IntoCart => post("/cart/items", &json!({"productId": 1, "quantity": 1})),
            // The piece that was put into it just before.
            Self::FromCart => post("/orders/from-cart", &json!({"paymentMethod": "CARD"})),
            Self::Cancel => {
                let placed = client.order(1, 1).await?;
                let order = placed.json["id"].as_u64().context("no order to cancel")?;
                client
                    .request(Method::PATCH, &format!("/orders/{order}/cancel"))
                    .json(&json!({}))
            }
            Self::Login => post("/auth/login", &who.login),
        })
    }
}

fn order(product: u64, quantity: u64) -> Value {
    json!({"productId": product, "quantity": quantity, "paymentMethod": "CARD"})
}

/// Who asks.
struct Somebody {
    client: Client,
    login: Value,
}

/// Counts each kind of request on a shop that was started with [`cost_flags`], has answered one of each before, and
/// writes its counters to this file.
pub async fn costs(shop: &Shop, stats: &Path) -> Result<Vec<Cost>> {
    let email = "counted@example.com";
    let signup = json!({"email": email, "password": "pass1234", "name": "김보데"});
    let signed_up = shop.visitor().post("/users", &signup).await?;
    let id = signed_up.json["id"].as_u64().context("nobody could sign up")?;
    let who = Somebody {
        client: shop.visitor().with_token(&crate::token_of(id, web::Role::User)),
        login: json!({"email": email, "password": "pass1234"}),
    };
    who.client.get("/products/1").await?;
    shop.stock_up(1, PIECES)?;
    shop.stock_up(2, PIECES)?;
    let mut costs = Vec::new();
    for repeat in 0..2 {
        for kind in Kind::ALL {
            let request = kind.prepare(&who, repeat).await?;
            let before = Counts::settled(shop, stats)?;
            let answer: Reply = who.client.send(request).await?;
            let request = kind.name();
            ensure!(answer.status == kind.expected(), "{request} answered {answer:?}");
            let counts = Counts::settled(shop, stats)?.since(&before)?;
            ensure!(counts.requests == 1, "{request}: counted {}", counts.requests);
            if repeat > 0 {
                costs.push(Cost { request, counts });
            }
        }
    }
    Ok(costs)
}
