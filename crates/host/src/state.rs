//! What one instance carries with it: its capabilities and its open handles.
//!
//! It is dropped with the instance, however that ends; open databases roll back then.

use crate::app::{Guest, Shared};
use crate::faults::{Cause, Interruption, Kind, Run};
use crate::outgoing::Outgoing;
use crate::pace::Pace;
use crate::trace::Place;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Handles of all kinds, pollables and streams included, that one instance may have at once.
const MAX_RESOURCES: usize = 10_000;

/// Where an instance stands in a chain of components.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// How many components the request has come through.
    pub(crate) depth: u32,
    /// When it has to be over, for all of them.
    pub(crate) deadline: Instant,
    /// What all of them work for.
    pub(crate) run: Arc<Run>,
    /// Where in a trace it is.
    pub(crate) place: Place,
}

impl Chain {
    /// The first link, which begins now.
    pub(crate) fn begin(app: &Shared, cause: Cause) -> Self {
        Self {
            depth: 0,
            deadline: Instant::now() + app.bounds.request,
            run: Arc::new(Run::new(app.counters.run(cause), cause)),
            place: Place::Nowhere,
        }
    }
}

/// The data of one store.
pub(crate) struct State {
    pub(crate) app: Arc<Shared>,
    pub(crate) guest: Arc<Guest>,
    pub(crate) table: ResourceTable,
    /// Handles of databases and stores that are open, against their limit.
    pub(crate) open_handles: usize,
    /// Ends the instance as a trap would, from a task that cannot trap it.
    pub(crate) trap: Arc<Notify>,
    pub(crate) pace: Pace,
    /// Where in a trace its host calls are made.
    pub(crate) place: Place,
    run: Arc<Run>,
    /// The number of the host call that is being made; a guest makes one at a time.
    call: u64,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    limits: StoreLimits,
}

impl State {
    /// Makes the store of an instance that rested ready for its next request: nothing of the last one is left.
    pub(crate) fn begin(&mut self, chain: Chain) {
        self.run = chain.run.clone();
        self.place = chain.place.clone();
        self.call = 0;
        self.trap = Arc::new(Notify::new());
        self.pace = Pace::new(self.app.track.clone());
        self.outgoing = Outgoing::new(self.app.clone(), self.guest.clone(), chain, self.trap.clone());
    }

    /// Whether everything that the instance opened for its request is closed.
    pub(crate) fn is_clear(&self) -> bool {
        self.open_handles == 0 && self.table.is_empty()
    }

    /// A store for one instance of this component.
    pub(crate) fn store(app: Arc<Shared>, guest: Arc<Guest>, chain: Chain) -> wasmtime::Result<Store<Self>> {
        let wasi = crate::capability::wasi::context(&app, &guest)?;
        let limits = StoreLimitsBuilder::new()
            .memory_size(app.bounds.memory_bytes)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let trap = Arc::new(Notify::new());
        let state = Self {
            run: chain.run.clone(),
            place: chain.place.clone(),
            call: 0,
            outgoing: Outgoing::new(app.clone(), guest.clone(), chain, trap.clone()),
            trap,
            pace: Pace::new(app.track.clone()),
            table,
            open_handles: 0,
            http: WasiHttpCtx::new(),
            wasi,
            limits,
            app: app.clone(),
            guest,
        };
        let mut store = Store::new(&app.engine, state);
        store.limiter(|state| &mut state.limits);
        // At every tick the guest lets others run; its time limit is a timer of theirs.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            let rest = store.data_mut().pace.rest();
            Ok(if rest.is_zero() {
                UpdateDeadline::Yield(1)
            } else {
                UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(rest)))
            })
        });
        Ok(store)
    }

    /// Asks the faults before a call; `Ok(Some(text))` means that the guest shall be told of a failure.
    pub(crate) async fn before(&mut self, kind: Kind, detail: &str) -> wasmtime::Result<Option<String>> {
        self.call = self.run.count();
        let call = self.run.call(self.call, kind, &self.guest.id, detail);
        told(self.app.before(call).await)
    }

    /// The same when the call has been carried out.
    pub(crate) async fn after(&mut self, kind: Kind, detail: &str) -> wasmtime::Result<Option<String>> {
        let call = self.run.call(self.call, kind, &self.guest.id, detail);
        told(self.app.after(call).await)
    }
}

fn told(asked: Result<(), Interruption>) -> wasmtime::Result<Option<String>> {
    match asked {
        Ok(()) => Ok(None),
        Err(Interruption::Failed(text)) => Ok(Some(text)),
        Err(Interruption::Trapped) => Err(injected()),
    }
}

/// What an instance traps with when a test wants it to.
pub(crate) fn injected() -> wasmtime::Error {
    wasmtime::format_err!("a fault was injected")
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
