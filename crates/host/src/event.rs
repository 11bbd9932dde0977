//! One tick or one message on one fresh instance, under the bounds of a request.

use crate::app::{Guest, Shared};
use crate::faults::Cause;
use crate::meter::timed;
use crate::run::{Ended, bounded, log_span};
use crate::state::{Chain, State};
use crate::trace::{self, Consumed, Place, Span};
use bindings::cron::Metadata;
use bytes::Bytes;
use std::sync::Arc;
use tracing::Instrument;
use wasmtime::Store;

/// What a component is run for.
pub(crate) enum Event {
    Tick,
    Message {
        payload: Bytes,
        /// Where it came from; empty when nobody said.
        channel: String,
    },
}

/// Why a component was not run, or not well.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// No trigger names it, so it was not loaded.
    #[error("there is no component `{0}` with a trigger")]
    NoSuchComponent(String),
    /// It cannot be run for this.
    #[error("component `{component}` exports no {export}")]
    NoHandler {
        /// The component.
        component: String,
        /// What it should export.
        export: &'static str,
    },
    /// Its handler answered with an error.
    #[error("the handler of component `{component}` failed: {reason}")]
    Failed {
        /// The component.
        component: String,
        /// In its own words, where the interface has room for them.
        reason: String,
    },
    /// It took longer than a request may.
    #[error("component `{0}` was stopped: it ran into its deadline")]
    Deadline(String),
    /// It trapped, or there was no room for its instance.
    #[error("component `{component}` broke off")]
    Broken {
        /// The component.
        component: String,
        /// What wasmtime says.
        source: wasmtime::Error,
    },
}

/// Runs the component's handler to its end. It waits for its turn among the requests; the deadline
/// begins then.
pub(crate) async fn run(app: &Arc<Shared>, component: &str, event: Event) -> Result<(), TriggerError> {
    let id = || component.to_owned();
    let guest = app.guests.get(component);
    let guest = guest.ok_or_else(|| TriggerError::NoSuchComponent(id()))?;
    check(guest, &event)?;
    // It is never closed, so a permit always comes.
    let _permit = app.permits.clone().acquire_owned().await;
    let mut traced = Traced::begin(app, component, &event);
    let span = log_span(component, &traced.place());
    let done = instance(app, guest, event, traced.place()).instrument(span).await;
    if !matches!(done, Ok(Ok(()))) {
        traced.fail();
    }
    match done {
        Ok(Ok(())) => Ok(()),
        Ok(Err(reason)) => Err(TriggerError::Failed {
            component: id(),
            reason,
        }),
        Err(Ended::Deadline) => Err(TriggerError::Deadline(id())),
        Err(Ended::Broken(source)) => Err(TriggerError::Broken {
            component: id(),
            source,
        }),
    }
}

fn check(guest: &Guest, event: &Event) -> Result<(), TriggerError> {
    let (handled, export) = match event {
        Event::Tick => (guest.handlers.cron.is_some(), CRON_EXPORT),
        Event::Message { .. } => (guest.handlers.message.is_some(), MESSAGE_EXPORT),
    };
    if handled {
        return Ok(());
    }
    Err(TriggerError::NoHandler {
        component: guest.id.clone(),
        export,
    })
}

/// What a cron trigger calls.
pub(crate) const CRON_EXPORT: &str = "handle-cron-event (fermyon:spin-cron@2.0.0)";

/// What a trigger for messages calls.
pub(crate) const MESSAGE_EXPORT: &str = "fermyon:spin/inbound-redis";

/// The spans of a run.
enum Traced {
    Tick(Span),
    Message(Consumed),
}

impl Traced {
    fn begin(app: &Shared, component: &str, event: &Event) -> Self {
        let tracing = app.tracing.as_ref();
        match event {
            Event::Tick => {
                let name = || trace::called(format!("tick {component}"), component);
                Self::Tick(Place::root(tracing, name))
            }
            Event::Message { payload, channel } => {
                Self::Message(Consumed::begin(tracing, component, channel, payload))
            }
        }
    }

    fn place(&self) -> Place {
        match self {
            Self::Tick(span) => span.place(&Place::Nowhere),
            Self::Message(consumed) => consumed.place(),
        }
    }

    fn fail(&mut self) {
        match self {
            Self::Tick(span) => span.fail("the run failed"),
            Self::Message(consumed) => consumed.fail(),
        }
    }
}

async fn instance(
    app: &Arc<Shared>,
    guest: &Arc<Guest>,
    event: Event,
    place: Place,
) -> Result<Result<(), String>, Ended> {
    let cause = match event {
        Event::Tick => Cause::Tick,
        Event::Message { .. } => Cause::Message,
    };
    let mut chain = Chain::begin(app, cause);
    chain.place = place;
    let deadline = chain.deadline;
    let mut store = State::store(app.clone(), guest.clone(), chain).map_err(Ended::Broken)?;
    app.counters.instance();
    let trap = store.data().trap.clone();
    let spent = app.meters.as_ref().and_then(|meters| meters.guest(&guest.id));
    timed(spent, bounded(call(&mut store, event), deadline, &trap)).await
}

async fn call(store: &mut Store<State>, event: Event) -> wasmtime::Result<Result<(), String>> {
    let guest = store.data().guest.clone();
    let missing = || wasmtime::format_err!("the handler is gone");
    match event {
        Event::Tick => {
            let timestamp = store.data().app.clock.now().as_secs();
            let cron = guest.handlers.cron.as_ref().ok_or_else(missing)?;
            let cron = cron.instantiate_async(&mut *store).await?;
            let answer = cron.call_handle_cron_event(&mut *store, Metadata { timestamp });
            Ok(answer.await?.map_err(|bindings::cron::Error::Other(text)| text))
        }
        Event::Message { payload, .. } => {
            let handler = guest.handlers.message.as_ref().ok_or_else(missing)?;
            let handler = handler.instantiate_async(&mut *store).await?;
            let handler = handler.fermyon_spin_inbound_redis();
            let payload = Vec::from(payload);
            let answer = handler.call_handle_message(&mut *store, &payload);
            // Its error has no words; what the component wanted to say is in its output.
            Ok(answer.await?.map_err(|_| "it says no more".to_owned()))
        }
    }
}
