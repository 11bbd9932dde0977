//! The other app is not there, or slow, or its answers come late, or something else answers in its place.

use std::time::{Duration, Instant};

use anyhow::Result;
use tests::Reply;

use crate::town::Town;
use crate::way::Mode;

/// Longer than all tries of a call together.
const TOO_LONG: Duration = Duration::from_secs(5);

/// What no service of ours says.
const EMPTY: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
const REFUSAL: &str = "HTTP/1.1 409 Conflict\r\ncontent-type: text/html\r\ncontent-length: 20\r\nconnection: close\r\n\r\n{\"code\":\"committed\"}";
const BROKEN: &str =
    "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\nconnection: close\r\n\r\noops";
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.bodega.rpc+json\r\ncontent-length: 99\r\nconnection: close\r\n\r\n{";
const NO_HTTP: &str = "SSH-2.0-OpenSSH_9.9\r\n";

/// There was no answer, which is neither a yes nor a no.
#[track_caller]
fn assert_unanswered(reply: &Reply) {
    assert!(matches!(reply.status, 502 | 503), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_that_are_not_there_cost_nobody_anything() -> Result<()> {
    let town = Town::start()?;
    let customer = town.customer(1);
    town.to_payment.becomes(Mode::Dark);
    assert_unanswered(&town.checkout(&customer, 1, "a").await?);
    assert_unanswered(&town.checkout(&customer, 1, "b").await?);
    let page = customer.get("/payments/1").await?;
    assert_eq!(
        (page.status, &page.json["error"]),
        (503, &serde_json::json!("SERVICE_UNAVAILABLE")),
        "the adapter is there, the payments are not: {page:?}"
    );
    assert_eq!(town.level(1)?.1, 0, "others can buy what nobody could pay for");
    town.calm_down();
    town.assert_sound_in_the_end().await?;
    assert_eq!((town.level(1)?, town.money_kept()?), ((100, 0), 0));
    let bought = town.checkout(&customer, 1, "c").await?;
    assert_eq!(bought.status, 201, "{bought:?}");
    town.assert_sound_in_the_end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stock_that_is_not_there_gets_a_rest_and_nothing_is_charged() -> Result<()> {
    let town = Town::start()?;
    let customer = town.customer(1);
    // The first question lays out the tables of the payments.
    customer.get("/payments/1").await?;
    town.to_stock.becomes(Mode::Dark);
    for key in ["a", "b", "c"] {
        assert_unanswered(&town.checkout(&customer, 1, key).await?);
    }
    let began = Instant::now();
    assert_unanswered(&town.checkout(&customer, 1, "d").await?);
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(1),
        "who has its rest is not waited for: {took:?}"
    );
    assert!(town.shop.logged().contains("remote-stock gets a rest"));
    assert_eq!(town.money_kept()?, 0);
    town.calm_down();
    town.assert_sound_in_the_end().await?;
    assert_eq!(town.level(1)?, (100, 0));
    let bought = town.checkout(&customer, 1, "e").await?;
    assert_eq!(bought.status, 201, "{bought:?}");
    town.assert_sound_in_the_end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_after_its_caller_has_left_is_done_once_and_undone() -> Result<()> {
    let town = Town::start()?;
    let customer = town.customer(1);
    for (number, mode) in [Mode::Late(TOO_LONG), Mode::Slow(TOO_LONG)]
        .into_iter()
        .enumerate()
    {
        let began = Instant::now();
        town.to_stock.becomes(mode);
        assert_unanswered(&town.checkout(&customer, 1, &format!("stock {number}")).await?);
        town.to_stock.becomes(Mode::Open);
        town.to_payment.becomes(mode);
        assert_unanswered(&town.checkout(&customer, 1, &format!("payment {number}")).await?);
        town.calm_down();
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        tokio::time::sleep(TOO_LONG * 2).await;
    }
    town.assert_sound_in_the_end().await?;
    assert_eq!((town.level(1)?, town.money_kept()?), ((100, 0), 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_something_else_says_is_neither_a_yes_nor_a_no() -> Result<()> {
    let town = Town::start()?;
    let customer = town.customer(1);
    for (number, text) in [EMPTY, REFUSAL, BROKEN, HALF, NO_HTTP].into_iter().enumerate() {
        town.to_stock.becomes(Mode::Says(text));
        assert_unanswered(&town.checkout(&customer, 1, &format!("stock {number}")).await?);
        town.calm_down();
        // Until the rest is over.
        tokio::time::sleep(Duration::from_millis(5_500)).await;
        town.to_payment.becomes(Mode::Says(text));
        assert_unanswered(&town.checkout(&customer, 1, &format!("payment {number}")).await?);
        town.calm_down();
    }
    town.assert_sound_in_the_end().await?;
    assert_eq!((town.level(1)?, town.money_kept()?), ((100, 0), 0));
    Ok(())
}
