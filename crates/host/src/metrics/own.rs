//! What the host counts anyway, read when somebody asks.

use crate::app::Shared;
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Prometheus knows one kind of number, exact up to 2^53.
const fn number(count: u64) -> f64 {
    count as f64
}

pub(super) fn families(shared: &Shared) -> Vec<MetricFamily> {
    let mut families = requests(shared);
    families.extend(databases(shared));
    families.push(pools(shared));
    families.extend(process());
    families.extend(spans(shared));
    families
}

fn requests(shared: &Shared) -> Vec<MetricFamily> {
    let free = shared.permits.available_permits();
    let running = shared.bounds.concurrency.saturating_sub(free);
    vec![
        gauge(
            "bodega_requests_waiting",
            "Requests that wait for room.",
            number(shared.waiting.load(Relaxed) as u64),
        ),
        gauge(
            "bodega_requests_running",
            "Requests, ticks and messages that have room.",
            number(running as u64),
        ),
        counter(
            "bodega_requests_refused_total",
            "Requests that were answered 503 because too many waited already.",
            number(shared.counters.all_refused()),
        ),
        counter(
            "bodega_instances_total",
            "Instances of components that were made.",
            number(shared.counters.instances()),
        ),
    ]
}

fn databases(shared: &Shared) -> Vec<MetricFamily> {
    let stats: Vec<(&String, sqlite::Stats)> = shared
        .databases
        .iter()
        .map(|(label, database)| (label, database.stats()))
        .collect();
    let each = |read: fn(&sqlite::Stats) -> u64| {
        stats
            .iter()
            .map(|(label, stats)| ("database", (*label).clone(), number(read(stats))))
            .collect::<Vec<_>>()
    };
    vec![
        family(
            "bodega_sqlite_writer_waiting",
            "Statements that wait for a database's one writer.",
            MetricType::GAUGE,
            each(|stats| stats.queued),
        ),
        family(
            "bodega_sqlite_commits_total",
            "Transactions committed.",
            MetricType::COUNTER,
            each(|stats| stats.commits),
        ),
        family(
            "bodega_sqlite_syncs_total",
            "Times that a log was synced for commits, which share one.",
            MetricType::COUNTER,
            each(|stats| stats.syncs),
        ),
    ]
}

/// One pool for each address; several of one database are added up.
fn pools(shared: &Shared) -> MetricFamily {
    let mut counts: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for pool in shared.postgres.stats() {
        for (state, count) in [("busy", pool.busy), ("idle", pool.idle)] {
            *counts.entry((pool.database.clone(), state)).or_default() += count as u64;
        }
    }
    let mut family = family(
        "bodega_pool_connections",
        "Connections to a Postgres, busy ones and those that wait for somebody.",
        MetricType::GAUGE,
        Vec::new(),
    );
    let metrics = counts.into_iter().map(|((database, state), count)| {
        let mut metric = metric(MetricType::GAUGE, "database", database, number(count));
        let mut labels = metric.take_label();
        labels.push(pair("state", state.to_owned()));
        metric.set_label(labels);
        metric
    });
    family.set_metric(metrics.collect());
    family
}

fn process() -> Vec<MetricFamily> {
    let cpu = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
    vec![
        gauge(
            "process_resident_memory_bytes",
            "Memory that the process holds.",
            number(resident_bytes().unwrap_or(0)),
        ),
        counter(
            "process_cpu_seconds_total",
            "Processor time of the process.",
            cpu.as_secs_f64(),
        ),
    ]
}

/// Linux says it in kB.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

fn spans(shared: &Shared) -> Option<MetricFamily> {
    let (dropped, failed) = shared.tracing.as_ref()?.lost();
    Some(family(
        "bodega_spans_lost_total",
        "Spans that found the queue full, or that the collector did not take.",
        MetricType::COUNTER,
        vec![
            ("reason", "queue_full".to_owned(), number(dropped)),
            ("reason", "not_exported".to_owned(), number(failed)),
        ],
    ))
}

fn gauge(name: &str, help: &str, value: f64) -> MetricFamily {
    family(name, help, MetricType::GAUGE, vec![("", String::new(), value)])
}

fn counter(name: &str, help: &str, value: f64) -> MetricFamily {
    family(name, help, MetricType::COUNTER, vec![("", String::new(), value)])
}

fn family(name: &str, help: &str, kind: MetricType, series: Vec<(&str, String, f64)>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    let metrics = series
        .into_iter()
        .map(|(label, value, number)| metric(kind, label, value, number));
    family.set_metric(metrics.collect());
    family
}

fn pair(label: &str, value: String) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(label.to_owned());
    pair.set_value(value);
    pair
}

fn metric(kind: MetricType, label: &str, value: String, number: f64) -> Metric {
    let mut metric = Metric::default();
    if !label.is_empty() {
        metric.set_label(vec![pair(label, value)]);
    }
    if kind == MetricType::COUNTER {
        let mut counter = Counter::default();
        counter.set_value(number);
        metric.set_counter(counter);
    } else {
        let mut gauge = Gauge::default();
        gauge.set_value(number);
        metric.set_gauge(gauge);
    }
    metric
}
