//! The figures of a shop that sold three times, as Prometheus reads them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use tests::{Client, Shop, jobs_key, workspace};

use crate::free_address;
use crate::prometheus::Page;

/// What there is of figures, each by its name; `docs/observability.md` says what they mean.
const NAMES: &[&str] = &[
    "bodega_audit_last_success_timestamp_seconds",
    "bodega_breaker_state",
    "bodega_dead_letters",
    "bodega_instances_total",
    "bodega_invariant_violations",
    "bodega_order_decided_total",
    "bodega_orders",
    "bodega_outbox_lag_events",
    "bodega_outbox_lag_seconds",
    "bodega_payments_decided_total",
    "bodega_requests_refused_total",
    "bodega_requests_running",
    "bodega_requests_waiting",
    "bodega_saga_stuck",
    "bodega_saga_work",
    "bodega_sqlite_commits_total",
    "bodega_sqlite_syncs_total",
    "bodega_sqlite_writer_waiting",
    "http_server_request_duration_seconds",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
];

/// Those that only some shops have: with a Postgres.
const ELSEWHERE: &[&str] = &["bodega_pool_connections", "bodega_pool_wait_seconds"];

/// What the gateway and the exporter count of themselves beside them.
const OWN: &[&str] = &["bodega_gateway_", "bodega_spans_lost_total"];

/// The page of an admin port.
pub(crate) async fn scrape(admin: &str) -> Result<Page> {
    let page = Client::at(&format!("http://{admin}")).get("/metrics").await?;
    anyhow::ensure!(page.status == 200, "{page:?}");
    let format = page.headers.get("content-type").map(|value| value.as_bytes());
    assert_eq!(format, Some(&b"text/plain; version=0.0.4; charset=utf-8"[..]));
    Page::parse(&page.text).map_err(|why| anyhow!("{why}\n{}", page.text))
}

/// The page once it says so: the application's own part of it may be some seconds old.
async fn scrape_until(admin: &str, name: &str, labels: &[(&str, &str)], wanted: f64) -> Result<Page> {
    let began = Instant::now();
    loop {
        let page = scrape(admin).await?;
        if page.value(name, labels) == Some(wanted) {
            return Ok(page);
        }
        let found: Vec<_> = page.samples.iter().filter(|sample| sample.name == name).collect();
        anyhow::ensure!(
            began.elapsed() < Duration::from_secs(20),
            "{name} {labels:?}: {found:?}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_orders_are_seen_and_nobody_else_s_port_shows_them() -> Result<()> {
    let admin = free_address()?;
    let shop = Shop::start_with(&["--admin-listen", &admin, "--audit-every", "1"])?;
    named(&shop, &admin).await?;
    let buyer = shop.customer().await?.client;
    let mut last = 0;
    for _ in 0..3 {
        let bought = buyer.order(1, 1).await?;
        assert_eq!(bought.status, 201, "{bought:?}");
        last = bought.json["id"].as_u64().unwrap_or_default();
    }
    assert_eq!(buyer.order(3, 1_000).await?.status, 409);
    assert_eq!(buyer.get(&format!("/orders/{last}")).await?.status, 200);
    assert_eq!(shop.visitor().get("/no/such/7").await?.status, 404);
    shop.settled().await?;
    scrape_until(&admin, "bodega_orders", &[("state", "PAID")], 3.0).await?;
    scrape_until(&admin, "bodega_invariant_violations", &[("invariant", "I1")], 0.0).await?;
    let page = scrape_until(&admin, "bodega_outbox_lag_events", &[("producer", "order")], 0.0).await?;
    for (name, labels, expected) in [
        ("bodega_orders", &[("state", "PAID")][..], 3.0),
        ("bodega_order_decided_total", &[("state", "PAID")], 3.0),
        ("bodega_order_decided_total", &[("state", "CANCELLED")], 0.0),
        ("bodega_payments_decided_total", &[("state", "CAPTURED")], 3.0),
        ("bodega_payments_decided_total", &[("state", "FAILED")], 0.0),
        ("bodega_saga_stuck", &[("kind", "order")], 0.0),
        ("bodega_saga_stuck", &[("kind", "payment")], 0.0),
        ("bodega_saga_work", &[("kind", "CANCEL")], 0.0),
        ("bodega_dead_letters", &[], 0.0),
        ("bodega_outbox_lag_seconds", &[("producer", "payment")], 0.0),
        ("bodega_breaker_state", &[("component", "order")], 0.0),
        ("bodega_breaker_state", &[("component", "remote-stock")], 0.0),
        ("bodega_requests_refused_total", &[], 0.0),
    ] {
        assert_eq!(page.value(name, labels), Some(expected), "{name} {labels:?}");
    }
    let broken: f64 = page.values("bodega_invariant_violations").iter().sum();
    assert!(
        page.values("bodega_invariant_violations").len() > 3,
        "the audit looks"
    );
    assert_eq!(broken, 0.0, "{page:?}");
    assert!(page.value("bodega_audit_last_success_timestamp_seconds", &[]) > Some(1e9));
    requests(&page);
    host(&page);
    names(&page);
    // Without the key nobody reads them at the public door, and the admin port answers nothing else.
    let visitor = shop.visitor();
    assert_eq!(visitor.get("/metrics").await?.status, 404);
    assert_eq!(visitor.get("/internal/metrics").await?.status, 401);
    let keyed = visitor.with_token(&jobs_key());
    assert_eq!(
        keyed.get("/internal/figures").await?.status,
        404,
        "for the gateway alone"
    );
    let public = keyed.get("/internal/metrics").await?;
    let public = Page::parse(&public.text).map_err(|why| anyhow!(why))?;
    assert_eq!(
        public.value("bodega_orders", &[("state", "PAID")]),
        Some(3.0),
        "the same as under Spin"
    );
    let operator = Client::at(&format!("http://{admin}"));
    assert_eq!(operator.get("/products").await?.status, 404);
    assert_eq!(
        operator.post("/metrics", &serde_json::json!({})).await?.status,
        405
    );
    Ok(())
}

/// Waits until the shop has said what it calls its paths.
async fn named(shop: &Shop, admin: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        shop.visitor().get("/products").await?;
        let page = scrape(admin).await?;
        let labels = [("route", "/products")];
        if page.value("http_server_request_duration_seconds_count", &labels) > Some(0.0) {
            return Ok(());
        }
        anyhow::ensure!(began.elapsed() < Duration::from_secs(20), "no path has a name");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Requests stand under the names of their paths, and under no number of a customer or an order.
fn requests(page: &Page) {
    let count = |route: &str, method: &str, class: &str| {
        let labels = [("route", route), ("method", method), ("status_class", class)];
        page.value("http_server_request_duration_seconds_count", &labels)
    };
    assert_eq!(count("/orders", "POST", "2xx"), Some(3.0));
    assert_eq!(count("/orders/{id}", "GET", "2xx"), Some(1.0));
    assert_eq!(count("/orders", "POST", "4xx"), Some(1.0));
    assert_eq!(count("other", "GET", "4xx"), Some(1.0), "a path that nobody has");
    let routes: BTreeSet<&str> = page
        .samples
        .iter()
        .filter_map(|sample| sample.labels.get("route").map(String::as_str))
        .collect();
    let number = |route: &&str| route.bytes().any(|byte| byte.is_ascii_digit());
    assert_eq!(routes.iter().find(|route| number(route)), None, "{routes:?}");
}

fn host(page: &Page) {
    for label in ["order", "payment", "stock", "settlement"] {
        let commits = page.value("bodega_sqlite_commits_total", &[("database", label)]);
        assert!(commits > Some(0.0), "{label}: {commits:?}");
    }
    assert!(page.value("bodega_instances_total", &[]) > Some(3.0));
    assert!(page.value("process_cpu_seconds_total", &[]) > Some(0.0));
    let memory = page.value("process_resident_memory_bytes", &[]);
    assert!(memory > Some(1e6), "{memory:?}");
    // This very page has been asked for with room of its own.
    assert!(page.value("bodega_requests_running", &[]) < Some(96.0));
}

/// What is shown is what is promised, here and to those who watch (`infra/metrics.txt`).
fn names(page: &Page) {
    let shown: BTreeSet<&str> = page.families.keys().map(String::as_str).collect();
    let shown: BTreeSet<&str> = shown
        .into_iter()
        .filter(|name| !OWN.iter().any(|own| name.starts_with(own)))
        .collect();
    let promised: BTreeSet<&str> = NAMES.iter().copied().collect();
    assert_eq!(shown, promised);
    let Ok(list) = std::fs::read_to_string(workspace().join("infra/metrics.txt")) else {
        return;
    };
    let all: BTreeSet<&str> = NAMES.iter().chain(ELSEWHERE).copied().collect();
    let named = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let watched: BTreeSet<&str> = named
        .filter_map(|line| line.split(['{', ' ', '\t']).next())
        .filter(|name| !OWN.iter().any(|own| name.starts_with(own)))
        .collect();
    assert_eq!(watched, all, "infra/metrics.txt");
}

/// What a cluster audits with: a process of its own that serves nobody, over the databases that it is told of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_audits_looks_at_the_shop_s_databases() -> Result<()> {
    let shop = Shop::start()?;
    let buyer = shop.customer().await?.client;
    assert_eq!(buyer.order(1, 1).await?.status, 201);
    shop.settled().await?;
    let admin = free_address()?;
    let labels = ["account", "stock", "payment", "pg", "order", "settlement"];
    let databases: Vec<String> = labels
        .iter()
        .map(|label| format!("{label}={}", shop.folder().join(format!("{label}.db")).display()))
        .collect();
    let named = databases
        .iter()
        .flat_map(|database| ["--audit-database", database.as_str()]);
    let flags: Vec<&str> = ["--admin-listen", admin.as_str(), "--audit-every", "1"]
        .into_iter()
        .chain(named)
        .collect();
    let mut auditor = Shop::prepare(&workspace().join("deploy/audit.toml"), &flags)?;
    auditor.resume()?;
    let page = scrape_until(&admin, "bodega_invariant_violations", &[("invariant", "I5")], 0.0).await?;
    assert!(
        page.values("bodega_invariant_violations").len() > 3,
        "{:?}",
        page.samples
    );
    let looked = page.value("bodega_audit_last_success_timestamp_seconds", &[]);
    assert!(looked.is_some_and(|at| at > 0.0), "{looked:?}");
    assert_eq!(auditor.visitor().get("/products").await?.status, 404);
    Ok(())
}
