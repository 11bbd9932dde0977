//! How spans leave: through a bounded queue, on a thread of the SDK's, over our own client.
//!
//! A collector that is slow or away costs spans, which are counted, and nothing else: nobody waits for it.

use crate::outgoing::connector;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry::Context;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{ExporterBuildError, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_MAX_QUEUE_SIZE_DEFAULT, Span,
    SpanData, SpanExporter, SpanProcessor,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::runtime::Handle;

/// A collector's answer is short.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// How long a collector may take, in milliseconds, unless the variables say so.
const TIMEOUT_MS: u64 = 10_000;

/// Spans on their way, and those that were lost.
#[derive(Debug, Default)]
pub(super) struct Counts {
    waiting: AtomicUsize,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    pub(super) fn lost(&self) -> (u64, u64) {
        (self.dropped.load(Relaxed), self.failed.load(Relaxed))
    }
}

/// What takes spans that have ended.
pub(super) fn processor() -> Result<(impl SpanProcessor, Arc<Counts>), ExporterBuildError> {
    let counts = Arc::new(Counts::default());
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new())
        .build()?;
    let most = number(OTEL_BSP_MAX_QUEUE_SIZE).unwrap_or(OTEL_BSP_MAX_QUEUE_SIZE_DEFAULT);
    let config = BatchConfigBuilder::default().with_max_queue_size(most).build();
    let exporter = Counted {
        exporter,
        counts: counts.clone(),
    };
    let bounded = Bounded {
        next: BatchSpanProcessor::builder(exporter)
            .with_batch_config(config)
            .build(),
        most,
        counts: counts.clone(),
    };
    Ok((bounded, counts))
}

fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok()?.trim().parse().ok()
}

/// Lets no more spans in than the queue behind it takes. That queue drops them as well, but tells nobody.
#[derive(Debug)]
struct Bounded {
    next: BatchSpanProcessor,
    most: usize,
    counts: Arc<Counts>,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.next.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.counts.waiting.fetch_add(1, Relaxed) < self.most {
            self.next.on_end(span);
        } else {
            self.counts.waiting.fetch_sub(1, Relaxed);
            self.counts.dropped.fetch_add(1, Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

/// Counts what the collector did not take, and tells of it when that begins and when it is over.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    counts: Arc<Counts>,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.counts.waiting.fetch_sub(spans, Relaxed);
        let exported = self.exporter.export(batch).await;
        if let Err(error) = &exported {
            let before = self.counts.failed.fetch_add(spans as u64, Relaxed);
            if before == 0 {
                tracing::warn!(%error, "the collector of traces takes no spans; those that are lost are counted");
            }
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The client. Its work is done in the async runtime, since the thread that asks for it has none.
#[derive(Debug)]
struct Sender {
    pool: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
    patience: Duration,
}

impl Sender {
    fn new() -> Self {
        let pool = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector());
        let patience =
            number("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or_else(|| number("OTEL_EXPORTER_OTLP_TIMEOUT"));
        Self {
            pool,
            runtime: Handle::current(),
            patience: Duration::from_millis(patience.unwrap_or(TIMEOUT_MS)),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let (pool, patience) = (self.pool.clone(), self.patience);
        let sending = self.runtime.spawn(async move {
            let exchange = async {
                let response = pool.request(request.map(Full::new)).await?;
                let (head, body) = response.into_parts();
                let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await?.to_bytes();
                Ok::<_, HttpError>(http::Response::from_parts(head, body))
            };
            tokio::time::timeout(patience, exchange).await?
        });
        sending.await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use std::sync::mpsc;

    /// Takes its time, and then takes nothing.
    #[derive(Debug)]
    struct Stubborn(std::sync::Mutex<mpsc::Receiver<()>>);

    impl SpanExporter for Stubborn {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            let _ = self.0.lock().expect("a lock").recv();
            Err(opentelemetry_sdk::error::OTelSdkError::InternalFailure(
                "no".to_owned(),
            ))
        }
    }

    #[test]
    fn spans_that_find_no_place_or_no_collector_are_counted() {
        let (release, waits) = mpsc::channel();
        let counts = Arc::new(Counts::default());
        let exporter = Counted {
            exporter: Stubborn(std::sync::Mutex::new(waits)),
            counts: counts.clone(),
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(10)
            .with_max_export_batch_size(10)
            .with_scheduled_delay(Duration::from_secs(3_600))
            .build();
        let bounded = Bounded {
            next: BatchSpanProcessor::builder(exporter)
                .with_batch_config(config)
                .build(),
            most: 10,
            counts: counts.clone(),
        };
        let provider = SdkTracerProvider::builder().with_span_processor(bounded).build();
        let tracer = provider.tracer("test");
        let began = std::time::Instant::now();
        for _ in 0..1_000 {
            drop(tracer.start("span"));
        }
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "nobody waits for a collector"
        );
        drop(release);
        let _ = provider.shutdown_with_timeout(Duration::from_secs(5));
        let (dropped, failed) = counts.lost();
        assert_eq!(dropped + failed, 1_000, "{dropped} dropped, {failed} failed");
        assert!(
            dropped >= 900 && failed >= 10,
            "{dropped} dropped, {failed} failed"
        );
    }
}
