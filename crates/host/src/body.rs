//! Bodies with a limit, a time limit, or an end that must be a real one.

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Sleep;
use wasmtime_wasi_http::{Error, WasiBody};

/// Tells the server that a body went over its limit while a component was reading it.
#[derive(Debug, Default)]
pub(crate) struct Overrun {
    happened: AtomicBool,
    notify: Notify,
}

impl Overrun {
    fn report(&self) {
        self.happened.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    /// Whether the body has gone over its limit.
    pub(crate) fn has_happened(&self) -> bool {
        self.happened.load(Ordering::Acquire)
    }

    /// Returns when the body has gone over its limit, and never otherwise.
    pub(crate) async fn wait(&self) {
        while !self.has_happened() {
            self.notify.notified().await;
        }
    }
}

/// A request body that breaks off after so many bytes.
pub(crate) struct Limited {
    inner: WasiBody,
    left: u64,
    overrun: Arc<Overrun>,
}

impl Limited {
    pub(crate) fn new(inner: WasiBody, limit: u64, overrun: Arc<Overrun>) -> Self {
        Self {
            inner,
            left: limit,
            overrun,
        }
    }
}

impl Body for Limited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let Poll::Ready(Some(Ok(frame))) = &polled else {
            return polled;
        };
        let size = frame.data_ref().map_or(0, |data| data.remaining() as u64);
        if let Some(left) = self.left.checked_sub(size) {
            self.left = left;
            return polled;
        }
        self.left = 0;
        self.overrun.report();
        Poll::Ready(Some(Err(Error::HttpRequestBodySize(None))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Whether the component that writes a body has broken off. Set before the body's writer goes away.
#[derive(Debug, Default)]
pub(crate) struct Outcome(AtomicBool);

impl Outcome {
    pub(crate) fn set_broken(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_broken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A response body whose end counts only if its component has not broken off.
///
/// Without it a component that traps halfway would look like one that had said all it wanted.
pub(crate) struct Honest {
    inner: WasiBody,
    outcome: Arc<Outcome>,
}

impl Honest {
    pub(crate) fn new(inner: WasiBody, outcome: Arc<Outcome>) -> Self {
        Self { inner, outcome }
    }
}

impl Body for Honest {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(None) if self.outcome.is_broken() => {
                Poll::Ready(Some(Err(Error::HttpResponseIncomplete)))
            }
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A response body that fails when too much time passes between two frames.
pub(crate) struct Impatient<B> {
    inner: B,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<B> Impatient<B> {
    pub(crate) fn new(inner: B, patience: Duration) -> Self {
        Self {
            inner,
            patience,
            waiting: None,
        }
    }
}

impl<B: Body<Data = Bytes, Error = Error> + Unpin> Body for Impatient<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if polled.is_ready() {
            self.waiting = None;
            return polled;
        }
        let patience = self.patience;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        waiting
            .as_mut()
            .poll(cx)
            .map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    fn body(text: &'static str) -> WasiBody {
        Full::new(Bytes::from_static(text.as_bytes()))
            .map_err(|never| match never {})
            .boxed_unsync()
    }

    #[tokio::test]
    async fn a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
        let overrun = Arc::new(Overrun::default());
        let whole = Limited::new(body("12345"), 5, overrun.clone()).collect().await;
        assert_eq!(whole.expect("within the limit").to_bytes(), "12345");
        assert!(
            Limited::new(body("123456"), 5, overrun.clone())
                .collect()
                .await
                .is_err()
        );
        overrun.wait().await;
    }

    #[tokio::test]
    async fn a_body_whose_writer_broke_off_does_not_end_well() {
        let outcome = Arc::new(Outcome::default());
        assert!(Honest::new(body("x"), outcome.clone()).collect().await.is_ok());
        outcome.set_broken();
        assert!(Honest::new(body("x"), outcome).collect().await.is_err());
    }

    #[tokio::test]
    async fn a_silent_body_times_out() {
        struct Silent;
        impl Body for Silent {
            type Data = Bytes;
            type Error = Error;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
                Poll::Pending
            }
        }
        let patience = Duration::from_millis(5);
        let Err(error) = Impatient::new(Silent, patience).collect().await else {
            panic!("there was no frame");
        };
        assert!(matches!(error, Error::ConnectionReadTimeout));
    }
}
