//! Traces (OpenTelemetry): who called whom for a request, and what each of them asked of the host.
//!
//! Off unless the standard variables name a collector ([`Tracing::from_environment`]); then nothing here costs more than
//! a look at an empty [`Place`]. What a span says is chosen here: names, statements and statuses, never a value, a
//! key, a path or a header, since a trace is read by more people than a database is.
//!
//! `place` says where in a trace something happens, `describe` what its spans are called, `bus` how a trace goes
//! through a broker, `export` how spans leave.

mod bus;
mod describe;
mod export;
mod place;

pub(crate) use bus::{Consumed, Published, system};
pub(crate) use describe::{called, component, key_value, method_name, redis, request, sent, statement};
pub(crate) use place::{Place, Span};

use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanContext, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::env;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use export::Counts;

/// The end of a process waits no longer for a collector.
const LAST_EXPORT: Duration = Duration::from_secs(3);

/// Where spans go. Cloning is cheap.
#[derive(Clone)]
pub struct Tracing {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
    counts: Arc<Counts>,
}

impl fmt::Debug for Tracing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The exporter knows the headers, and those may hold a credential.
        formatter.debug_struct("Tracing").finish_non_exhaustive()
    }
}

/// Why traces cannot be exported as the variables say.
#[derive(Debug, thiserror::Error)]
pub enum TracingError {
    /// Only OTLP over HTTP in protobuf is spoken.
    #[error("{variable}={value}: only http/protobuf is spoken")]
    Protocol {
        /// The variable that asks for something else.
        variable: &'static str,
        /// What it asks for.
        value: String,
    },
    /// Something else makes no sense, such as an endpoint that is no URL.
    #[error("the exporter of traces cannot be made")]
    Exporter(#[from] ExporterBuildError),
}

/// Any of these names the collector.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// The protocol of traces goes before that of everything.
const PROTOCOLS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];

impl Tracing {
    /// Begins to export if OpenTelemetry's variables name a collector; they are those that Spin reads. `name` is
    /// what the service is called unless they say so. Must be called inside the async runtime.
    pub fn from_environment(name: &str, version: &str) -> Result<Option<Self>, TracingError> {
        let is = |variable: &str, value: &str| {
            given(variable).is_some_and(|given| given.eq_ignore_ascii_case(value))
        };
        let off = is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none");
        if off || ENDPOINTS.iter().all(|variable| given(variable).is_none()) {
            return Ok(None);
        }
        if let Some((variable, value)) = protocol().filter(|(_, value)| value != "http/protobuf") {
            return Err(TracingError::Protocol { variable, value });
        }
        let (processor, counts) = export::processor()?;
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_resource(resource(name, version))
            .build();
        Ok(Some(Self {
            tracer: provider.tracer("bodega"),
            provider,
            counts,
        }))
    }

    /// Spans that were lost: because the queue was full, and because the collector did not take them.
    pub fn lost(&self) -> (u64, u64) {
        self.counts.lost()
    }

    /// Sends what is still there, as long as that takes little time. Blocks.
    pub fn close(&self) {
        // The story of a collector that is away was told when it went.
        let _ = self.provider.shutdown_with_timeout(LAST_EXPORT);
    }

    fn span(&self, parent: Option<&SpanContext>, described: SpanBuilder) -> Span {
        let parent = match parent {
            Some(parent) => Context::new().with_remote_span_context(parent.clone()),
            None => Context::new(),
        };
        Span::new(self, self.tracer.build_with_context(described, &parent))
    }
}

fn given(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.trim().is_empty())
}

fn protocol() -> Option<(&'static str, String)> {
    PROTOCOLS
        .iter()
        .find_map(|variable| Some((*variable, given(variable)?)))
}

/// What the variables say of the service goes before what the manifest says.
fn resource(name: &str, version: &str) -> Resource {
    let named = given("OTEL_SERVICE_NAME").is_some()
        || given("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|all| all.contains("service.name="));
    let builder = Resource::builder().with_attribute(KeyValue::new("service.version", version.to_owned()));
    if named {
        builder.build()
    } else {
        builder.with_service_name(name.to_owned()).build()
    }
}
