//! How a trace goes through a broker.
//!
//! Brokers carry bytes, and those of Redis have no headers. So an event names the trace it was written in itself, as
//! `"traceparent":"…"` in its JSON, and what stands there is found without knowing the rest. Many events of many
//! traces travel in one message: whoever publishes and whoever handles it links to all of them, and leaves a span in
//! each of them, so that a trace can be followed from the request to the last consumer.

use super::Tracing;
use super::place::{Place, Span};
use opentelemetry::KeyValue;
use opentelemetry::trace::{
    Link, SpanBuilder, SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState,
};

/// Traces of one message that are followed; a message has no more events than that.
const MOST: usize = 128;

/// What stands before a trace in JSON. Inside of a text of JSON its quotes would have backslashes.
const MARK: &[u8] = b"\"traceparent\":\"";

/// The length of `00-<32 digits>-<16 digits>-<2 digits>`.
const PARENT_BYTES: usize = 55;

/// A message that is being published, in each trace it belongs to.
pub(crate) struct Published {
    spans: Vec<Span>,
}

impl Published {
    /// Begins to publish on this channel from this place.
    pub(crate) fn begin(from: &Place, system: &'static str, channel: &str, payload: &[u8]) -> Self {
        let Place::Traced(tracing, _) = from else {
            return Self { spans: Vec::new() };
        };
        let origins = origins(payload);
        let described = || leg("publish", SpanKind::Producer, system, channel, origins.len());
        let own = from.begin(|| described().with_links(links(&origins)));
        let spans = in_each(tracing, &origins, &own, described);
        Self {
            spans: std::iter::once(own).chain(spans).collect(),
        }
    }

    /// The broker did not take it.
    pub(crate) fn fail(&mut self) {
        for span in &mut self.spans {
            span.fail("the broker did not take it");
        }
    }
}

/// A message that is being handled.
pub(crate) struct Consumed {
    own: Span,
    others: Vec<Span>,
}

impl Consumed {
    /// Begins to handle a message from this channel. What belongs to one trace alone is handled inside of it.
    pub(crate) fn begin(tracing: Option<&Tracing>, component: &str, channel: &str, payload: &[u8]) -> Self {
        let Some(tracing) = tracing else {
            return Self {
                own: Span::default(),
                others: Vec::new(),
            };
        };
        let origins = origins(payload);
        let described = || {
            let builder = leg("process", SpanKind::Consumer, "bodega", channel, origins.len());
            let component = KeyValue::new("bodega.component", component.to_owned());
            let attributes = builder.attributes.clone().unwrap_or_default();
            builder.with_attributes(attributes.into_iter().chain([component]))
        };
        if let [origin] = origins.as_slice() {
            return Self {
                own: tracing.span(Some(origin), described()),
                others: Vec::new(),
            };
        }
        let own = tracing.span(None, described().with_links(links(&origins)));
        let others = in_each(tracing, &origins, &own, described);
        Self { own, others }
    }

    /// Where the handler works.
    pub(crate) fn place(&self) -> Place {
        self.own.place(&Place::Nowhere)
    }

    /// It was not handled, and comes again.
    pub(crate) fn fail(&mut self) {
        for span in std::iter::once(&mut self.own).chain(&mut self.others) {
            span.fail("it was not taken in");
        }
    }
}

fn leg(
    operation: &'static str,
    kind: SpanKind,
    system: &'static str,
    channel: &str,
    traces: usize,
) -> SpanBuilder {
    SpanBuilder::from_name(format!("{operation} {channel}"))
        .with_kind(kind)
        .with_attributes([
            KeyValue::new("messaging.system", system),
            KeyValue::new("messaging.destination.name", channel.to_owned()),
            KeyValue::new(
                "messaging.operation.type",
                if operation == "publish" { "send" } else { operation },
            ),
            KeyValue::new("bodega.traces", i64::try_from(traces).unwrap_or(i64::MAX)),
        ])
}

/// A span in each trace for what `own` does, linked to it.
fn in_each(
    tracing: &Tracing,
    origins: &[SpanContext],
    own: &Span,
    described: impl Fn() -> SpanBuilder,
) -> Vec<Span> {
    let to_own: Vec<SpanContext> = own.context().into_iter().collect();
    let sampled = origins.iter().filter(|origin| origin.is_sampled());
    let span = |origin| tracing.span(Some(origin), described().with_links(links(&to_own)));
    sampled.map(span).collect()
}

fn links(to: &[SpanContext]) -> Vec<Link> {
    to.iter().cloned().map(Link::with_context).collect()
}

/// The traces that a message names, each once.
fn origins(payload: &[u8]) -> Vec<SpanContext> {
    let mut found: Vec<SpanContext> = Vec::new();
    let mut rest = payload;
    while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
        rest = &rest[at + MARK.len()..];
        let named = rest.get(..PARENT_BYTES).and_then(parse);
        if let Some(origin) = named.filter(|origin| !found.contains(origin)) {
            found.push(origin);
        }
        if found.len() == MOST {
            break;
        }
    }
    found
}

fn parse(parent: &[u8]) -> Option<SpanContext> {
    let text = std::str::from_utf8(parent).ok()?;
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let plain = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    if !plain || version != "00" || (trace.len(), span.len(), flags.len()) != (32, 16, 2) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

/// What a broker's address says it is.
pub(crate) const fn system(address: &broker::Address) -> &'static str {
    match address {
        broker::Address::Local(..) => "local",
        broker::Address::Redis(..) => "redis",
        broker::Address::Nats(..) => "nats",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(number: u8) -> String {
        format!("00-4bf92f3577b34da6a3ce929d0e0e47{number:02x}-00f067aa0ba902b7-01")
    }

    fn event(parent: &str) -> String {
        format!(r#"{{"id":"a","traceparent":"{parent}","data":{{}}}}"#)
    }

    #[test]
    fn every_trace_of_a_message_is_found_once() {
        let events = [event(&parent(1)), event(&parent(2)), event(&parent(1))].join(",");
        let ids: Vec<String> = origins(events.as_bytes())
            .iter()
            .map(|origin| origin.trace_id().to_string())
            .collect();
        assert_eq!(ids.len(), 2);
        assert!(ids[0].ends_with("01") && ids[1].ends_with("02"), "{ids:?}");
    }

    #[test]
    fn what_is_no_trace_or_stands_in_a_text_is_passed_over() {
        let text = serde_json::to_string(&event(&parent(1))).expect("a text");
        assert!(text.contains("traceparent"));
        for payload in [
            text.as_str(),
            r#"{"traceparent":"00-1"}"#,
            r#"{"traceparent":""#,
            &event("00-4bf92f3577b34da6a3ce929d0e0e47+1-00f067aa0ba902b7-01"),
            &event("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
            "",
        ] {
            assert_eq!(origins(payload.as_bytes()), [], "{payload}");
        }
        let many: Vec<String> = (0..=255).map(|number| event(&parent(number))).collect();
        assert_eq!(origins(many.join(",").as_bytes()).len(), MOST);
    }
}
