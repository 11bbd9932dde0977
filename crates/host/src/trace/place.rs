//! Where in a trace something happens, and the spans that begin there.

use super::Tracing;
use http::{HeaderMap, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanContext, Status, TraceContextExt};
use opentelemetry::{KeyValue, Value};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::borrow::Cow;

pub(super) const TRACEPARENT: &str = "traceparent";

/// Where something happens.
#[derive(Debug, Clone, Default)]
pub(crate) enum Place {
    /// In no trace that we know of.
    #[default]
    Nowhere,
    /// In somebody's trace, which we only put into the log.
    Told(SpanContext),
    /// In a span of ours, or one that we go on from.
    Traced(Tracing, SpanContext),
}

impl Place {
    /// Begins the span of a request from outside: in its caller's trace if it names exactly one.
    pub(crate) fn arrival(tracing: Option<&Tracing>, headers: &HeaderMap, described: SpanBuilder) -> Span {
        match tracing {
            Some(tracing) => tracing.span(context(headers).as_ref(), described),
            None => Span::default(),
        }
    }

    /// Begins a span that goes back to nothing.
    pub(crate) fn root(tracing: Option<&Tracing>, described: impl FnOnce() -> SpanBuilder) -> Span {
        tracing.map_or_else(Span::default, |tracing| tracing.span(None, described()))
    }

    /// Begins a span inside this place; none where nobody looks at it.
    pub(crate) fn begin(&self, described: impl FnOnce() -> SpanBuilder) -> Span {
        match self {
            Self::Traced(tracing, context) if context.is_sampled() => {
                tracing.span(Some(context), described())
            }
            Self::Nowhere | Self::Told(_) | Self::Traced(..) => Span::default(),
        }
    }

    /// Whether spans that begin here are looked at.
    pub(crate) const fn is_traced(&self) -> bool {
        matches!(self, Self::Traced(..))
    }

    /// Says in a request's headers that it comes from here. Where we trace nothing, what they say is only heard.
    pub(crate) fn hand_over(&mut self, headers: &mut HeaderMap) {
        match self {
            Self::Traced(..) => self.inject(headers),
            Self::Nowhere | Self::Told(_) => *self = context(headers).map_or(Self::Nowhere, Self::Told),
        }
    }

    /// Writes this place into headers, in place of any other.
    pub(crate) fn inject(&self, headers: &mut HeaderMap) {
        if let Self::Traced(_, context) = self {
            headers.remove("tracestate");
            let here = Context::new().with_remote_span_context(context.clone());
            TraceContextPropagator::new().inject_context(&here, &mut HeaderInjector(headers));
        }
    }

    /// The ids of trace and span, as a log names them.
    pub(crate) fn ids(&self) -> Option<(String, String)> {
        match self {
            Self::Nowhere => None,
            Self::Told(context) | Self::Traced(_, context) => {
                Some((context.trace_id().to_string(), context.span_id().to_string()))
            }
        }
    }
}

/// The trace that headers name, if they name one and no other.
fn context(headers: &HeaderMap) -> Option<SpanContext> {
    let mut named = headers.get_all(TRACEPARENT).iter();
    let (parent, None) = (named.next()?, named.next()) else {
        return None;
    };
    is_plain(parent)
        .then(|| {
            let extracted = TraceContextPropagator::new()
                .extract_with_context(&Context::new(), &HeaderExtractor(headers));
            extracted.span().span_context().clone()
        })
        .filter(SpanContext::is_valid)
}

/// The propagator reads numbers with signs and of any length, which others take for no trace.
fn is_plain(parent: &HeaderValue) -> bool {
    let lengths = |text: &str| text.split('-').map(str::len).take(4).eq([2, 32, 16, 2]);
    let digits = |text: &str| text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    parent.to_str().is_ok_and(|text| {
        let known = text.get(..55).unwrap_or_default();
        lengths(known) && digits(known) && matches!(text.as_bytes().get(55), None | Some(b'-'))
    })
}

/// Something that takes time; it ends when it is dropped. Without a trace it is nothing.
#[derive(Debug, Default)]
pub(crate) struct Span(Option<(Tracing, opentelemetry_sdk::trace::Span)>);

impl Span {
    pub(super) fn new(tracing: &Tracing, span: opentelemetry_sdk::trace::Span) -> Self {
        Self(Some((tracing.clone(), span)))
    }

    /// Inside this span; `outside` when it is none.
    pub(crate) fn place(&self, outside: &Place) -> Place {
        match &self.0 {
            Some((tracing, span)) => Place::Traced(tracing.clone(), span.span_context().clone()),
            None => outside.clone(),
        }
    }

    /// Adds what was not known when it began.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some((_, span)) = &mut self.0 {
            span.set_attribute(KeyValue::new(name, value));
        }
    }

    pub(crate) fn rename(&mut self, name: impl FnOnce() -> String) {
        if let Some((_, span)) = &mut self.0 {
            span.update_name(name());
        }
    }

    /// It came to nothing. `why` is ours: what a guest or a database says may name somebody.
    pub(crate) fn fail(&mut self, why: impl Into<Cow<'static, str>>) {
        if let Some((_, span)) = &mut self.0 {
            span.set_status(Status::error(why));
        }
    }

    /// Takes the status of an answer in; ours to answer for from 500 on.
    pub(crate) fn answered(&mut self, status: http::StatusCode) {
        self.set("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            self.fail("");
        }
    }

    pub(super) fn context(&self) -> Option<SpanContext> {
        let (_, span) = self.0.as_ref()?;
        Some(span.span_context().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn told(values: &[&str]) -> Option<(String, String)> {
        let value = |value: &&str| HeaderValue::from_str(value).expect("a header value");
        let name = || http::HeaderName::from_static(TRACEPARENT);
        let mut headers: HeaderMap = HeaderMap::new();
        for one in values {
            headers.append(name(), value(one));
        }
        let mut place = Place::default();
        place.hand_over(&mut headers);
        assert_eq!(headers.len(), values.len(), "what is only heard is not touched");
        place.ids()
    }

    #[test]
    fn one_good_parent_is_heard_and_nothing_else() {
        let ids = (
            "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
            "00f067aa0ba902b7".to_owned(),
        );
        assert_eq!(told(&[GOOD]), Some(ids));
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[GOOD, GOOD]), None);
        for bad in [
            "",
            "00-1-1-1",
            &GOOD[..54],
            &format!("{GOOD}x"),
            &GOOD.to_uppercase(),
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        ] {
            assert_eq!(told(&[bad]), None, "{bad}");
        }
    }

    #[test]
    fn where_nobody_traces_no_span_is_even_described() {
        let span = Place::Nowhere.begin(|| unreachable!("nobody asked"));
        assert!(matches!(span.place(&Place::Nowhere), Place::Nowhere));
    }
}
