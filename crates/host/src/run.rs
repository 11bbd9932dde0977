//! One request on one instance, and the bounds of every instance.
//!
//! The instance of a request runs in a task of its own, so that it can go on after its response has begun and
//! is not cut off when the client goes away. wasmtime-wasi-http has a `ProxyHandler` for this; it
//! brings in the component model's async support, of which a WASI p2 guest uses nothing, and its
//! worker queue has no bound, so the few lines it would save are written here.

use crate::answer::Failure;
use crate::app::{Guest, Shared};
use crate::body::{Honest, Limited, Outcome, Overrun};
use crate::meter::timed;
use crate::rest::Worker;
use crate::state::{Chain, State};
use http::{Request, Response};
use http_body_util::BodyExt;
use std::sync::Arc;
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
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
        let (sender, head) = oneshot::channel();
        let span = tracing::info_span!("instance", component = %self.guest.id);
        let task = tokio::spawn(self.instance(sender, outcome.clone()).instrument(span));
        let head = tokio::select! {
            // What the guest says about a body that was cut off counts for nothing.
            biased;
            () = overrun.wait() => {
                task.abort();
                return Err(Failure::BodyTooLarge);
            }
            head = head => head,
        };
        match head {
            Ok(Ok(response)) => Ok(response.map(|body| Honest::new(body, outcome).boxed_unsync())),
            Ok(Err(code)) => {
                tracing::error!(?code, "the component answered with an error");
                Err(Failure::Broken)
            }
            // The instance ended without an answer and says why.
            Err(_) => Err(task.await.ok().and_then(Result::err).unwrap_or(Failure::Broken)),
        }
    }

    async fn instance(self, sender: oneshot::Sender<Head>, outcome: Arc<Outcome>) -> Result<(), Failure> {
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
            Err(Ended::Broken(error)) => Err(broken(&error, &outcome)),
            Err(Ended::Deadline) => {
                outcome.set_broken();
                tracing::error!("the instance was stopped: it ran into the request's deadline");
                Err(Failure::Deadline)
            }
        }
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
