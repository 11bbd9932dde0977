//! The contracts are for the shop alone.

use anyhow::Result;
use serde_json::json;
use tests::{Client, remote_key};

use crate::town::Town;

const COMMIT: &str = "/internal/rpc/stock/commit";
const STATUS: &str = "/internal/rpc/payment/status";

async fn ask(client: &Client, path: &str, header: &str, key: &str) -> Result<u16> {
    let request = client
        .request(reqwest::Method::POST, path)
        .json(&json!({"order": 1}));
    Ok(client
        .send(request.header(header, format!("Bearer {key}")))
        .await?
        .status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_reaches_them() -> Result<()> {
    let town = Town::start()?;
    let (stock, payment) = (town.stock.visitor(), town.payment.visitor());
    let credential = "x-bodega-credential";
    for (app, path, known) in [(&stock, COMMIT, 409), (&payment, STATUS, 200)] {
        assert_eq!(app.post(path, &json!({"order": 1})).await?.status, 401, "no key");
        assert_eq!(ask(app, path, credential, "wrong").await?, 401, "a wrong key");
        assert_eq!(
            ask(app, path, credential, &tests::jobs_key()).await?,
            401,
            "another key"
        );
        assert_eq!(ask(app, path, credential, &remote_key()).await?, known, "the key");
    }
    // Through the shop's door there is no such page, whatever anybody sends along.
    assert_behind_no_door(&town.shop.visitor()).await?;
    for client in [town.shop.admin(), town.customer(1)] {
        for path in [COMMIT, STATUS] {
            assert_eq!(
                ask(&client, path, credential, &remote_key()).await?,
                404,
                "{path}"
            );
        }
    }
    // Their pages ask for an identity that the gateway has signed.
    assert_eq!(stock.get("/admin/stock/1").await?.status, 401);
    assert_eq!(payment.get("/payments/1").await?.status, 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_app_says_itself_whether_it_can_work_and_not_through_the_shops_door() -> Result<()> {
    let town = Town::start()?;
    for app in [&town.stock, &town.payment] {
        let ready = app.visitor().get("/health/ready").await?;
        assert_eq!(
            (ready.status, &ready.json),
            (200, &json!({"status": "UP"})),
            "{ready:?}"
        );
    }
    let own = town.shop.visitor().get("/health/ready").await?;
    assert!(own.json["components"].is_array(), "the door's own: {own:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_one_app_they_are_closed() -> Result<()> {
    let shop = tests::Shop::start()?;
    assert_behind_no_door(&shop.visitor()).await
}

async fn assert_behind_no_door(visitor: &Client) -> Result<()> {
    for path in [COMMIT, STATUS] {
        for header in ["x-bodega-credential", "authorization"] {
            assert_eq!(
                ask(visitor, path, header, &remote_key()).await?,
                404,
                "{path} {header}"
            );
        }
    }
    Ok(())
}
