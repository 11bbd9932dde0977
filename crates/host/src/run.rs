//! One request on one instance, and the bounds of every instance.
//!
//! The instance of a request runs in the task that asks for it, which saves waking another. When its response has begun, or
//! when the client goes away, the rest of it becomes a task of its own: it is not cut off. wasmtime-wasi-http has a `ProxyHandler` for this; it
//! brings in the component model's async support, of which a WASI p2 guest uses nothing, and its
//! worker queue has no bound, so the few lines it would save are written here.

use crate::answer::Failure;
use crate::app::{Guest, Shared};
use crate::body::{Honest, Limited, Outcome, Overrun};
use crate::meter::timed;
use crate::rest::Worker;
use crate::state::{Chain, State};
use crate::trace::{Place, Span};
use http::{Request, Response};
use http_body_util::BodyExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, field};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

/// What a component answers first.
pub(crate) type Head = Result<Response<WasiBody>, ErrorCode>;

/// One request and what goes with it.
pub(crate) struct Call {
    pub(crate) app: Arc<Shared>,
    pub(crate) guest: Arc<Guest>,
    pub(crate) request: Request<WasiBody>,
    pub(crate) chain: Chain,
    /// Held until the instance is gone; a chained call lives on its caller's.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
    /// Ends with the instance's work.
    pub(crate) span: Span,
}

impl Call {
    /// Runs the component and answers its response as soon as the head is there.
    pub(crate) async fn run(mut self) -> Result<Response<WasiBody>, Failure> {
        let overrun = Arc::new(Overrun::default());
        let outcome = Arc::new(Outcome::default());
        let limit = self.app.bounds.body_bytes;
        self.request = self
            .request
            .map(|body| Limited::new(body, limit, overrun.clone()).boxed_unsync());
        let (sender, mut head) = oneshot::channel();
        let span = log_span(&self.guest.id, &self.chain.place);
        let mut work = Driven::new(self.instance(sender, outcome.clone()).instrument(span));
        let head = tokio::select! {
            biased;
            () = overrun.wait() => None,
            head = &mut head => head.ok(),
            ended = &mut work => match head.try_recv() {
                Ok(head) => Some(head),
                Err(_) if overrun.has_happened() => None,
                Err(_) => return Err(ended.err().unwrap_or(Failure::Broken)),
            },
        };
        // What the guest says about a body that was cut off counts for nothing.
        if overrun.has_happened() {
            work.stop();
            return Err(Failure::BodyTooLarge);
        }
        match head {
            Some(Ok(response)) => Ok(response.map(|body| Honest::new(body, outcome).boxed_unsync())),
            Some(Err(code)) => {
                tracing::error!(?code, "the component answered with an error");
                Err(Failure::Broken)
            }
            // The instance is about to end without an answer, and says why.
            None => Err(work.await.err().unwrap_or(Failure::Broken)),
        }
    }

    async fn instance(mut self, sender: oneshot::Sender<Head>, outcome: Arc<Outcome>) -> Result<(), Failure> {
        let _permit = self.permit;
        let deadline = self.chain.deadline;
        let rested = self.guest.rested.upgrade();
        let mut worker = match rested.as_ref().and_then(|rested| rested.take()) {
            Some(mut worker) => {
                worker.store.data_mut().begin(self.chain);
                worker
            }
            None => {
                self.app.counters.instance();
                let store = State::store(self.app.clone(), self.guest.clone(), self.chain);
                Worker::new(store.map_err(|error| broken(&error, &outcome))?)
            }
        };
        drop(rested);
        let trap = worker.store.data().trap.clone();
        let meter = worker.store.data().pace.meter();
        let work = worker.serve(&self.guest, self.request, sender);
        // The outcome has to be known before the store goes, and the response's writer with it.
        let meters = self.app.meters.as_ref();
        let spent = meters.and_then(|meters| meters.guest(&self.guest.id));
        match timed(spent, bounded(meter.measure(work), deadline, &trap)).await {
            Ok(()) => {
                if let Some(rested) = self.guest.rested.upgrade() {
                    rested.keep(worker);
                }
                Ok(())
            }
            Err(Ended::Broken(error)) => {
                self.span.fail("the instance broke off");
                Err(broken(&error, &outcome))
            }
            Err(Ended::Deadline) => {
                self.span.fail("it ran into the request's deadline");
                outcome.set_broken();
                tracing::error!("the instance was stopped: it ran into the request's deadline");
                Err(Failure::Deadline)
            }
        }
    }
}

/// The work of an instance, driven by whoever waits for it. Dropped before its end, it goes on by itself.
struct Driven<F: Instance>(Option<Pin<Box<F>>>);

/// What can go on by itself.
trait Instance: Future<Output = Result<(), Failure>> + Send + 'static {}

impl<F: Future<Output = Result<(), Failure>> + Send + 'static> Instance for F {}

impl<F: Instance> Driven<F> {
    fn new(work: F) -> Self {
        Self(Some(Box::pin(work)))
    }

    /// Ends the work where it stands.
    fn stop(mut self) {
        self.0 = None;
    }
}

impl<F: Instance> Future for Driven<F> {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = self.0.as_mut() else {
            return Poll::Ready(Err(Failure::Broken));
        };
        // A panic costs this request, and not the others of its connection.
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        let polled = polled.unwrap_or(Poll::Ready(Err(Failure::Broken)));
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<F: Instance> Drop for Driven<F> {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

/// What the log says of everything that an instance does and writes: whose it is, and in which trace.
pub(crate) fn log_span(component: &str, place: &Place) -> tracing::Span {
    match place.ids() {
        None => tracing::info_span!("instance", component),
        Some((trace_id, span_id)) => tracing::info_span!(
            "instance",
            component,
            trace_id = field::display(trace_id),
            span_id = field::display(span_id)
        ),
    }
}

/// Why an instance did not come to its end.
pub(crate) enum Ended {
    /// It took too long.
    Deadline,
    /// It trapped, or could not be made.
    Broken(wasmtime::Error),
}

/// Lets an instance work until its deadline, or until a fault ends it from outside.
pub(crate) async fn bounded<T>(
    work: impl Future<Output = wasmtime::Result<T>>,
    deadline: Instant,
    trap: &Notify,
) -> Result<T, Ended> {
    tokio::select! {
        done = timeout_at(deadline, work) => match done {
            Ok(done) => done.map_err(Ended::Broken),
            Err(_) => Err(Ended::Deadline),
        },
        () = trap.notified() => Err(Ended::Broken(crate::state::injected())),
    }
}

fn broken(error: &wasmtime::Error, outcome: &Outcome) -> Failure {
    outcome.set_broken();
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        tracing::warn!(%error, "no room for another instance");
        return Failure::Busy;
    }
    tracing::error!(error = format!("{error:#}"), "the instance broke off");
    Failure::Broken
}
