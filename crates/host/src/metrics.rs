//! Figures for Prometheus: the host's own, those that other parts of the program register, and the application's.
//!
//! They are served on a port of their own ([`AdminServer`]), which is not there unless somebody asks for it; without
//! it nothing is counted that the host does not count anyway.

mod application;
mod listen;
mod own;

pub use listen::AdminServer;

use crate::app::Shared;
use application::Application;
use http::{Method, StatusCode};
use prometheus::{HistogramOpts, HistogramVec, Registry, TextEncoder};
use std::sync::Arc;
use std::time::Duration;

/// From a page that is read to a request that ran into its deadline, in seconds.
const BUCKETS: [f64; 12] = [
    0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The figures that are kept as things happen; all others are read when they are asked for.
pub(crate) struct Metrics {
    registry: Registry,
    duration: HistogramVec,
    pool_wait: HistogramVec,
    application: Option<Application>,
}

impl Metrics {
    /// `page` is where the application shows figures of its own, and the key that opens it.
    pub(crate) fn new(page: Option<(String, String)>) -> Result<Self, prometheus::Error> {
        let options = HistogramOpts::new(
            "http_server_request_duration_seconds",
            "From the head of a request to the head of its answer, by the application's name for the path.",
        );
        let duration = HistogramVec::new(
            options.buckets(BUCKETS.to_vec()),
            &["route", "method", "status_class"],
        )?;
        let options = HistogramOpts::new(
            "bodega_pool_wait_seconds",
            "How long who wanted a connection to a Postgres waited for one, in vain or not.",
        );
        let pool_wait = HistogramVec::new(options.buckets(BUCKETS.to_vec()), &["database"])?;
        let registry = Registry::new();
        registry.register(Box::new(duration.clone()))?;
        registry.register(Box::new(pool_wait.clone()))?;
        Ok(Self {
            registry,
            duration,
            pool_wait,
            application: page.map(|(path, key)| Application::new(path, key)),
        })
    }

    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Takes in that a request was answered.
    pub(crate) fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let class = match status.as_u16() / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        let labels = [route, crate::trace::method_name(method), class];
        self.duration
            .with_label_values(&labels)
            .observe(took.as_secs_f64());
    }

    /// Takes in that somebody waited for a connection to this Postgres.
    pub(crate) fn leased(&self, database: &str, waited: Duration) {
        self.pool_wait
            .with_label_values(&[database])
            .observe(waited.as_secs_f64());
    }

    /// All figures as Prometheus reads them.
    async fn text(&self, shared: &Arc<Shared>) -> String {
        let mut families = self.registry.gather();
        families.extend(own::families(shared));
        families.retain(|family| !family.get_metric().is_empty());
        let mut text = TextEncoder::new()
            .encode_to_string(&families)
            .unwrap_or_else(|error| {
                tracing::error!(%error, "figures cannot be written");
                String::new()
            });
        if let Some(application) = &self.application {
            text.push_str(&application.figures(shared).await);
        }
        text
    }
}
