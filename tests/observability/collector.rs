//! A collector of OpenTelemetry on loopback: it takes what the shop exports and keeps it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span as WireSpan;
use prost::Message;
use tokio::net::TcpListener;

/// A span as a reader sees it.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for one that begins a trace.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: i32,
    pub(crate) failed: bool,
    pub(crate) attributes: BTreeMap<String, String>,
    /// Trace and span that it points to.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) service: String,
}

impl Span {
    pub(crate) fn says(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// What came in.
#[derive(Clone, Default)]
pub(crate) struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    /// Listens; answers the collector and its address, `http://127.0.0.1:1234`.
    pub(crate) async fn start() -> Result<(Self, String)> {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((collector, url))
    }

    /// Everything so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything, once it tells what is waited for. What is still missing after some time is the test's failure.
    pub(crate) async fn until(&self, complete: impl Fn(&[Span]) -> Result<(), String>) -> Result<Vec<Span>> {
        self.until_after(|| async { Ok(()) }, complete).await
    }

    /// The same, doing something before each look.
    pub(crate) async fn until_after<F: Future<Output = Result<()>>>(
        &self,
        act: impl Fn() -> F,
        complete: impl Fn(&[Span]) -> Result<(), String>,
    ) -> Result<Vec<Span>> {
        let began = Instant::now();
        loop {
            act().await?;
            let spans = self.spans();
            match complete(&spans) {
                Ok(()) => return Ok(spans),
                Err(missing) if began.elapsed() > Duration::from_secs(40) => {
                    let told: Vec<String> = spans.iter().map(|span| format!("{span:?}")).collect();
                    anyhow::bail!("{missing} among\n{}", told.join("\n"));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

async fn take(State(collector): State<Collector>, body: Bytes) -> (StatusCode, Vec<u8>) {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else {
        return (StatusCode::BAD_REQUEST, Vec::new());
    };
    let mut spans = collector.spans.lock().unwrap_or_else(PoisonError::into_inner);
    for of_resource in request.resource_spans {
        let resource = of_resource.resource.unwrap_or_default();
        let service = attributes(resource.attributes)
            .remove("service.name")
            .unwrap_or_default();
        for scope in of_resource.scope_spans {
            spans.extend(scope.spans.into_iter().map(|span| read(span, &service)));
        }
    }
    (StatusCode::OK, Vec::new())
}

fn read(span: WireSpan, service: &str) -> Span {
    let failed = span.status.as_ref().is_some_and(|status| status.code == 2);
    let links = span
        .links
        .iter()
        .map(|link| (hex(&link.trace_id), hex(&link.span_id)));
    Span {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        kind: span.kind,
        failed,
        links: links.collect(),
        attributes: attributes(span.attributes),
        name: span.name,
        service: service.to_owned(),
    }
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |pair: KeyValue| {
        let value = pair.value.and_then(|value| value.value);
        let text = match value {
            Some(Value::StringValue(text)) => text,
            Some(other) => format!("{other:?}"),
            None => String::new(),
        };
        (pair.key, text)
    };
    pairs.into_iter().map(text).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
