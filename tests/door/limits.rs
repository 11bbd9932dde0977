//! No client asks more than its share, and none pays for another's.

use std::time::Instant;

use anyhow::{Context, Result};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use testkit::servers::Redis;
use tests::{Client, Reply, Shop, say, token_of};
use web::Role;

/// Six in a minute: one each ten seconds, after a burst of six. What is asked at once is asked in less.
const LIMIT: usize = 6;

fn flags<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut flags = vec![
        "--variable",
        "rate_limit_per_minute=6",
        "--variable",
        "trusted_proxies=127.0.0.1",
    ];
    for variable in more {
        flags.extend(["--variable", variable]);
    }
    flags
}

/// Asks for a page as somebody at this address, behind the proxy that is trusted.
async fn ask_from(client: &Client, address: &str) -> Result<Reply> {
    let request = client.request(Method::GET, "/products/1");
    client.send(request.header("x-forwarded-for", address)).await
}

async fn admitted(asked: Vec<impl Future<Output = Result<Reply>>>) -> Result<(usize, usize)> {
    let started = Instant::now();
    let (mut admitted, mut refused) = (0, 0);
    for reply in join_all(asked).await {
        let reply = reply?;
        match reply.status {
            200 => admitted += 1,
            429 => {
                refused += 1;
                check_refusal(&reply)?;
            }
            status => panic!("{status}: {reply:?}"),
        }
    }
    say(&format!(
        "{admitted} of {} in {:?}",
        admitted + refused,
        started.elapsed()
    ));
    // One more is earned every ten seconds, on a machine that is so slow.
    let earned = usize::try_from(started.elapsed().as_secs() / 10)?;
    assert!(
        (LIMIT..=LIMIT + earned).contains(&admitted),
        "{admitted} were admitted"
    );
    Ok((admitted, refused))
}

fn check_refusal(reply: &Reply) -> Result<()> {
    assert_eq!(reply.json["type"], "/problems/too-many-requests");
    let wait: u64 = reply.headers["retry-after"].to_str()?.parse()?;
    assert!((1..=10).contains(&wait), "{wait} s");
    assert!(reply.headers["ratelimit"].to_str()?.contains("r=0"), "{reply:?}");
    Ok(())
}

#[tokio::test]
async fn of_fifty_at_once_exactly_the_limit_is_admitted() -> Result<()> {
    let shop = Shop::start_with(&flags(&[]))?;
    for round in 1..=5 {
        let address = format!("203.0.113.{round}");
        let clients: Vec<Client> = (0..50).map(|_| shop.visitor()).collect();
        admitted(clients.iter().map(|client| ask_from(client, &address)).collect()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_excess_of_one_is_not_anothers() -> Result<()> {
    let shop = Shop::start_with(&flags(&[]))?;
    let visitor = shop.visitor();
    for _ in 0..30 {
        ask_from(&visitor, "203.0.113.1").await?;
    }
    for other in ["203.0.113.2", "2001:db8:1::1", "2001:db8:2::1"] {
        let first = ask_from(&visitor, other).await?;
        assert_eq!(first.status, 200, "{other}");
        assert_eq!(first.headers["ratelimit-policy"], "\"general\";q=6;w=60");
        assert!(first.headers["ratelimit"].to_str()?.contains("r=5"), "{first:?}");
    }
    // Whoever has a token is counted by it, wherever they are.
    let user = visitor.with_token(&token_of(7, Role::User));
    let mut statuses = Vec::new();
    for at in 0..8 {
        statuses.push(ask_from(&user, &format!("198.51.100.{at}")).await?.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429, 429]);
    let neighbour = visitor.with_token(&token_of(8, Role::User));
    assert_eq!(ask_from(&neighbour, "198.51.100.1").await?.status, 200);
    assert_eq!(ask_from(&visitor, "198.51.100.1").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn nobody_gets_more_by_claiming_other_addresses() -> Result<()> {
    // No proxy is trusted: the address is the connection's, whatever a header says.
    let shop = Shop::start_with(&["--variable", "rate_limit_per_minute=6"])?;
    let visitor = shop.visitor();
    let mut refused = 0;
    for number in 0..20 {
        let forged = format!("198.51.100.{number}");
        let request = visitor
            .request(Method::GET, "/products/1")
            .header("x-forwarded-for", &forged)
            .header("forwarded", format!("for={forged}"))
            .header("x-real-ip", &forged)
            .header("spin-client-addr", format!("{forged}:80"));
        refused += usize::from(visitor.send(request).await?.status == 429);
    }
    assert!(refused >= 12, "only {refused} of 20 were refused");
    // Nor by tokens that are no good, or by pages that do not exist.
    for (number, path) in ["/orders/me", "/nothing", "/admin/users"].into_iter().enumerate() {
        let reply = visitor.with_token(&format!("no.good.{number}")).get(path).await?;
        assert_eq!(reply.status, 429, "{path}");
    }
    assert_eq!(
        visitor.get("/health/live").await?.status,
        200,
        "whoever watches the shop is not counted"
    );
    Ok(())
}

#[tokio::test]
async fn logins_have_a_stricter_limit() -> Result<()> {
    let shop = Shop::start_with(&[
        "--variable",
        "login_limit_per_minute=3",
        "--variable",
        "trusted_proxies=127.0.0.0/8",
    ])?;
    let visitor = shop.visitor();
    let log_in = async |address: &str| {
        let body = json!({"email": "nobody@example.com", "password": "pass1234"});
        let request = visitor.request(Method::POST, "/auth/login").json(&body);
        visitor.send(request.header("x-forwarded-for", address)).await
    };
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(log_in("203.0.113.9").await?.status);
    }
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
    assert_eq!(log_in("203.0.113.10").await?.status, 401);
    assert_eq!(
        ask_from(&visitor, "203.0.113.9").await?.status,
        200,
        "pages are another class"
    );
    Ok(())
}

#[tokio::test]
async fn a_flood_of_logins_from_everywhere_has_a_budget() -> Result<()> {
    let shop = Shop::start_with(&[
        "--variable",
        "password_checks_per_minute=60",
        "--variable",
        "trusted_proxies=127.0.0.1",
    ])?;
    let buyer = shop.customer().await?;
    let visitor = shop.visitor();
    let log_in = async |number: usize| {
        let body = json!({"email": format!("u{number}@example.com"), "password": "pass1234"});
        let request = visitor.request(Method::POST, "/auth/login").json(&body);
        visitor
            .send(request.header("x-forwarded-for", format!("203.0.113.{number}")))
            .await
    };
    let started = Instant::now();
    let replies = join_all((0..100).map(log_in)).await;
    let mut hashed = 0;
    for reply in replies {
        let reply = reply?;
        match reply.status {
            401 => hashed += 1,
            503 => assert!(reply.headers.contains_key("retry-after"), "{reply:?}"),
            status => panic!("{status}: {reply:?}"),
        }
    }
    let most = 12 + started.elapsed().as_secs();
    say(&format!(
        "{hashed} of 100 passwords were looked at, in {:?}",
        started.elapsed()
    ));
    assert!(
        hashed >= 1 && hashed <= most,
        "{hashed} passwords, at most {most}"
    );
    assert_eq!(buyer.client.order(1, 1).await?.status, 201, "and the shop sells");
    Ok(())
}

#[tokio::test]
async fn two_shops_on_one_redis_share_the_limit() -> Result<()> {
    let Some(redis) = Redis::start() else {
        return Ok(());
    };
    let address = format!("limits_address={}", redis.address());
    let shops = [
        Shop::start_with(&flags(&[&address]))?,
        Shop::start_with(&flags(&[&address]))?,
    ];
    let clients: Vec<Client> = (0..50).map(|number| shops[number % 2].visitor()).collect();
    let (mine, _) = admitted(
        clients
            .iter()
            .map(|client| ask_from(client, "203.0.113.1"))
            .collect(),
    )
    .await?;
    say(&format!("{mine} admitted by two shops"));
    drop(redis);
    let alone = ask_from(&shops[0].visitor(), "203.0.113.77")
        .await
        .context("without Redis")?;
    assert_eq!(alone.status, 200, "a shop sells without its limits: {alone:?}");
    Ok(())
}
