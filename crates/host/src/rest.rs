//! Instances that serve several requests, one after the other.
//!
//! A component opts in (`requests_per_instance` in its manifest), and thereby promises that no answer depends on what
//! an instance did before. The host keeps its part: an instance rests only after a request that came to its
//! end, with every handle closed; one that trapped, ran out of time or left something open is thrown away,
//! and so is one that has served its number.

use crate::app::Guest;
use crate::run::Head;
use crate::state::State;
use http::Request;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;
use wasmtime::Store;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;

/// The most instances of a component that rest: those beyond would only hold memory.
const MOST_RESTED: usize = 24;

/// An instance with its store.
pub(crate) struct Worker {
    pub(crate) store: Store<State>,
    proxy: Option<Proxy>,
    served: u32,
}

/// The instances of one component that wait for their next request.
pub(crate) struct Rested {
    requests_per_instance: u32,
    workers: Mutex<Vec<Worker>>,
}

impl Worker {
    pub(crate) const fn new(store: Store<State>) -> Self {
        Self {
            store,
            proxy: None,
            served: 0,
        }
    }

    /// Has the component handle a request to its end; its answer's head goes to `sender` before.
    pub(crate) async fn serve(
        &mut self,
        guest: &Guest,
        request: Request<WasiBody>,
        sender: oneshot::Sender<Head>,
    ) -> wasmtime::Result<()> {
        let mut view = self.store.data_mut().http();
        let request = view.new_incoming_request(Scheme::Http, request)?;
        let response = view.new_response_outparam(sender)?;
        let proxy = match &self.proxy {
            Some(proxy) => proxy,
            None => {
                let http = guest.handlers.http.as_ref();
                let http = http.ok_or_else(|| wasmtime::format_err!("it has no HTTP trigger"))?;
                self.proxy.insert(http.instantiate_async(&mut self.store).await?)
            }
        };
        self.served += 1;
        proxy
            .wasi_http_incoming_handler()
            .call_handle(&mut self.store, request, response)
            .await
    }
}

impl Rested {
    pub(crate) const fn new(requests_per_instance: u32) -> Self {
        Self {
            requests_per_instance,
            workers: Mutex::new(Vec::new()),
        }
    }

    /// The instance that rested last: its memory is warm.
    pub(crate) fn take(&self) -> Option<Worker> {
        if self.requests_per_instance <= 1 {
            return None;
        }
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Takes an instance back whose request came to its end, if it is fit for another.
    pub(crate) fn keep(&self, mut worker: Worker) {
        worker.store.data_mut().pace.stop();
        if worker.served >= self.requests_per_instance || !worker.store.data().is_clear() {
            return;
        }
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if workers.len() < MOST_RESTED {
            workers.push(worker);
        }
    }
}
