//! From the click to the settlement, in one trace; and what becomes of the shop when nobody takes its spans.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use tests::{Shop, leaks, workspace};

use crate::collector::{Collector, Span};
use crate::{click, free_address};

/// What OpenTelemetry calls the kinds of spans.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

fn traced(endpoint: &str) -> Result<Shop> {
    let mut shop = Shop::prepare(&workspace().join("spin.toml"), &[])?
        .with_env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .with_env("OTEL_BSP_SCHEDULE_DELAY", "100");
    shop.resume()?;
    Ok(shop)
}

/// What one trace must have in it, told as what is missing.
fn story(spans: &[Span], trace: &str) -> Result<(), String> {
    let own: Vec<&Span> = spans.iter().filter(|span| span.trace == trace).collect();
    let has = |kind: i32, name: &str| {
        let found = own.iter().any(|span| span.kind == kind && span.name == name);
        found
            .then_some(())
            .ok_or_else(|| format!("{trace}: no {name} of kind {kind}"))
    };
    has(SERVER, "POST /orders")?;
    has(CLIENT, "POST order")?;
    has(SERVER, "order")?;
    has(PRODUCER, "publish shop.order")?;
    has(PRODUCER, "publish shop.payment")?;
    has(CONSUMER, "process shop.order")?;
    has(CONSUMER, "process shop.payment")?;
    for database in ["order", "stock", "payment"] {
        let asked = own.iter().any(|span| span.says("db.namespace") == database);
        asked
            .then_some(())
            .ok_or_else(|| format!("{trace}: no statement for {database}"))?;
    }
    settled(spans, &own)
        .then_some(())
        .ok_or_else(|| format!("{trace}: it does not lead to the settlement's books"))?;
    let ids: BTreeSet<&str> = own.iter().map(|span| span.id.as_str()).collect();
    let lost = own
        .iter()
        .find(|span| !ids.contains(span.parent.as_str()) && span.name != "POST /orders");
    lost.map_or(Ok(()), |span| {
        Err(format!("{trace}: {} has no parent", span.name))
    })
}

/// Whether the consumer of payments wrote into the settlement's database, in this trace or in the one that its span
/// here points to.
fn settled(spans: &[Span], own: &[&Span]) -> bool {
    let consumers = own
        .iter()
        .filter(|span| span.kind == CONSUMER && span.name == "process shop.payment");
    let places: Vec<(&str, &str)> = consumers
        .flat_map(|span| {
            let linked = span.links.iter().map(|(trace, id)| (trace.as_str(), id.as_str()));
            linked.chain([(span.trace.as_str(), span.id.as_str())])
        })
        .collect();
    spans.iter().any(|span| {
        let inside = places.contains(&(span.trace.as_str(), span.parent.as_str()));
        inside && span.says("db.namespace") == "settlement" && span.says("db.operation.name") == "COMMIT"
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_three_checkouts_is_one_trace_from_the_click_to_the_settlement() -> Result<()> {
    let (collector, endpoint) = Collector::start().await?;
    let shop = traced(&endpoint)?;
    let buyer = shop.customer().await?.client;
    // The shop has to have said once what it calls its paths.
    collector
        .until_after(
            || async { shop.visitor().get("/products").await.map(drop) },
            |spans| {
                let named = spans.iter().any(|span| span.says("http.route") == "/products");
                named
                    .then_some(())
                    .ok_or_else(|| "no request by its route".to_owned())
            },
        )
        .await?;
    let mut traces = Vec::new();
    for number in 1..=3 {
        let (trace, header) = click(number);
        let body = json!({"productId": 1, "quantity": number, "paymentMethod": "CARD"});
        let request = buyer.request(reqwest::Method::POST, "/orders").json(&body);
        let bought = buyer.send(request.header("traceparent", header)).await?;
        assert_eq!(bought.status, 201, "{bought:?}");
        traces.push(trace);
    }
    shop.settled().await?;
    let spans = collector
        .until(|spans| traces.iter().try_for_each(|trace| story(spans, trace)))
        .await?;
    for trace in &traces {
        let click = spans
            .iter()
            .find(|span| span.trace == *trace && span.name == "POST /orders");
        let click = click.context("the story has it")?;
        assert_eq!(click.parent, "00000000000c11c0", "the caller's own span");
        assert_eq!(click.says("http.response.status_code"), "IntValue(201)");
        assert_eq!(click.service, "bodega");
        assert!(!click.failed);
    }
    for number in 1..=3 {
        let (trace, _) = click(number);
        let count = spans.iter().filter(|span| span.trace == trace).count();
        tests::say(&format!("checkout {number}: trace {trace} with {count} spans"));
    }
    nobody_is_named(&spans);
    Ok(())
}

/// No secret, no person, no value of a row, and no number of a customer or an order stands in a span.
fn nobody_is_named(spans: &[Span]) {
    let told: Vec<String> = spans
        .iter()
        .map(|span| format!("{} {:?}", span.name, span.attributes))
        .collect();
    let found = leaks(&told.join("\n"));
    assert!(found.is_empty(), "spans tell:\n{}", found.join("\n"));
    for span in spans {
        let name = span.name.as_str();
        assert!(
            !name.bytes().any(|byte| byte.is_ascii_digit()),
            "a name for one thing only: {span:?}"
        );
        assert!(!span.says("db.query.text").contains('\''), "a literal: {span:?}");
        for key in span.attributes.keys() {
            let known = [
                "http.",
                "url.scheme",
                "server.address",
                "db.",
                "messaging.",
                "bodega.",
            ];
            assert!(
                known.iter().any(|known| key.starts_with(known)),
                "{key} of {span:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_or_never_answers_costs_spans_and_nothing_else() -> Result<()> {
    let away = format!("http://{}", free_address()?);
    // It takes connections, and then says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let silent = (format!("http://{}", silent.local_addr()?), silent);
    for endpoint in [away, silent.0.clone()] {
        let admin = free_address()?;
        let mut shop = Shop::prepare(&workspace().join("spin.toml"), &["--admin-listen", &admin])?
            .with_env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
            .with_env("OTEL_BSP_SCHEDULE_DELAY", "50")
            .with_env("OTEL_BSP_MAX_QUEUE_SIZE", "64")
            .with_env("OTEL_EXPORTER_OTLP_TIMEOUT", "2000");
        shop.resume()?;
        let buyer = shop.customer().await?.client;
        for _ in 0..10 {
            let began = Instant::now();
            let bought = buyer.order(1, 1).await?;
            assert_eq!(bought.status, 201, "{bought:?}");
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        }
        shop.settled().await?;
        let lost = lost(&admin).await?;
        assert!(lost > 0.0, "{endpoint}: spans are lost and counted");
        tests::say(&format!("{lost} spans lost, 10 of 10 checkouts done"));
        let began = Instant::now();
        shop.stop()?;
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "nobody waits for it at the end"
        );
    }
    drop(silent);
    Ok(())
}

/// How many spans were lost, once some were.
async fn lost(admin: &str) -> Result<f64> {
    let began = Instant::now();
    loop {
        let page = crate::figures::scrape(admin).await?;
        let lost: f64 = page.values("bodega_spans_lost_total").iter().sum();
        if lost > 0.0 || began.elapsed() > Duration::from_secs(20) {
            return Ok(lost);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
