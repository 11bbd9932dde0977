//! A line of the log says whose it is and in which trace.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::Shop;

use crate::click;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_component_says_about_a_request_is_found_by_its_trace() -> Result<()> {
    let rules = "fake_pg_rules=refuse amount>=20000 CARD_REFUSED";
    let shop = Shop::start_with(&["--log-format", "json", "--variable", rules])?;
    let buyer = shop.customer().await?.client;
    let (trace, header) = click(9);
    let body = json!({"productId": 1, "quantity": 2, "paymentMethod": "CARD"});
    let request = buyer.request(reqwest::Method::POST, "/orders").json(&body);
    let refused = buyer.send(request.header("traceparent", header)).await?;
    assert_eq!(refused.status, 402, "{refused:?}");
    let log = shop.logged();
    let line = |line: &str| serde_json::from_str::<Value>(line).with_context(|| format!("not JSON: {line}"));
    // What the command line says at start is no log.
    let lines = log.lines().filter(|line| line.starts_with('{'));
    let lines = lines.map(line).collect::<Result<Vec<_>>>()?;
    for line in &lines {
        for name in ["timestamp", "level", "target", "message"] {
            assert!(line[name].is_string(), "{name} of {line}");
        }
    }
    let of_trace =
        |line: &&Value| line["trace_id"] == trace.as_str() && line["operation"] == "payment.charge";
    let told = lines.iter().find(of_trace);
    let told = told.with_context(|| format!("no line of {trace} in\n{log}"))?;
    assert_eq!(told["component"], "order", "the component whose instance said it");
    assert_eq!(told["span_id"].as_str().map(str::len), Some(16));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_for_people_is_no_json() -> Result<()> {
    let rules = "fake_pg_rules=refuse amount>=20000 CARD_REFUSED";
    let shop = Shop::start_with(&["--log-format", "text", "--variable", rules])?;
    let buyer = shop.customer().await?.client;
    assert_eq!(buyer.order(1, 2).await?.status, 402);
    let log = shop.logged();
    let line = log.lines().find(|line| line.contains("payment.charge"));
    let line = line.with_context(|| format!("no line in\n{log}"))?;
    assert!(serde_json::from_str::<Value>(line).is_err(), "{line}");
    Ok(())
}
