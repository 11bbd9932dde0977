//! The seam where a test makes the n-th host call of a run fail, wait or crash.
//!
//! Every capability asks before it acts and again after it has acted but before the guest hears of
//! it, so that "done, but the answer got lost" can be tested too. A run is all that one request from
//! outside, one tick or one message sets going, in however many components.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;

/// What kind of host call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Opening a database or running a statement.
    Sqlite,
    /// Opening a connection to Postgres or running a statement.
    Postgres,
    /// A key-value store, through either interface.
    KeyValue,
    /// Reading a variable, through either interface.
    Variables,
    /// A request to another component.
    Chain,
    /// A request to the network.
    Http,
    /// A message to a broker, or a command to Redis.
    Publish,
}

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 7] = [
        Self::Sqlite,
        Self::Postgres,
        Self::KeyValue,
        Self::Variables,
        Self::Chain,
        Self::Http,
        Self::Publish,
    ];

    /// The word for it in counters and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::KeyValue => "key_value",
            Self::Variables => "variables",
            Self::Chain => "chain",
            Self::Http => "http",
            Self::Publish => "publish",
        }
    }
}

/// Whether the call is about to act or has acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Nothing has happened yet.
    Before,
    /// It has happened, the guest does not know yet.
    After,
}

/// What sets a run going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A request from outside.
    Request,
    /// A tick of a cron trigger.
    Tick,
    /// A message.
    Message,
}

/// One host call, as a fault sees it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The run it belongs to; no two of an application have the same number.
    pub run: u64,
    /// What set the run going.
    pub cause: Cause,
    /// Which host call of the run it is, from 1; the same before and after the act.
    pub number: u64,
    /// What kind it is.
    pub kind: Kind,
    /// The component that calls.
    pub component: &'a str,
    /// What is asked: a statement, a key, a URL, a channel.
    pub detail: &'a str,
    /// Before or after the act.
    pub moment: Moment,
}

/// What shall become of a host call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Action {
    /// Nothing out of the ordinary.
    #[default]
    Go,
    /// It goes on, but later.
    Delay(Duration),
    /// It goes on when the gate is opened; the request's deadline does not wait.
    Hold(Gate),
    /// The guest gets the interface's own error with this text.
    Fail(String),
    /// The instance is gone at once, as if it had trapped.
    Trap,
    /// The whole process is gone at once, as by a power cut.
    Crash,
}

/// Where host calls wait for a test. Clones are the same gate; once open it stays open.
#[derive(Clone)]
pub struct Gate(Arc<watch::Sender<Doorway>>);

#[derive(Clone, Copy, Default)]
struct Doorway {
    waiting: usize,
    open: bool,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Doorway::default())))
    }

    /// Returns as soon as a call waits here.
    pub async fn reached(&self) {
        self.until(|door| door.waiting > 0).await;
    }

    /// Lets every call go on that waits here or will.
    pub fn open(&self) {
        self.0.send_modify(|door| door.open = true);
    }

    async fn pass(&self) {
        self.0.send_modify(|door| door.waiting += 1);
        self.until(|door| door.open).await;
    }

    async fn until(&self, holds: impl FnMut(&Doorway) -> bool) {
        // It fails only when there is no sender any more, and this is one.
        let _ = self.0.subscribe().wait_for(holds).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Gate {}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.borrow().open {
            "Gate(open)"
        } else {
            "Gate(closed)"
        })
    }
}

/// One run, as all its instances share it.
#[derive(Debug)]
pub(crate) struct Run {
    id: u64,
    cause: Cause,
    calls: AtomicU64,
}

impl Run {
    pub(crate) fn new(id: u64, cause: Cause) -> Self {
        Self {
            id,
            cause,
            calls: AtomicU64::new(0),
        }
    }

    /// The number of the next host call.
    pub(crate) fn count(&self) -> u64 {
        self.calls.fetch_add(1, Relaxed) + 1
    }

    /// A host call as a fault sees it before it acts.
    pub(crate) fn call<'a>(&self, number: u64, kind: Kind, component: &'a str, detail: &'a str) -> Call<'a> {
        Call {
            run: self.id,
            cause: self.cause,
            number,
            kind,
            component,
            detail,
            moment: Moment::Before,
        }
    }
}

/// Decides about every host call. Must not block.
pub trait Faults: Send + Sync {
    /// What shall become of this call.
    fn decide(&self, call: &Call<'_>) -> Action;
}

/// The world as it should be.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn decide(&self, _call: &Call<'_>) -> Action {
        Action::Go
    }
}

/// Why a host call did not go its way.
#[derive(Debug)]
pub(crate) enum Interruption {
    /// The guest is told this.
    Failed(String),
    /// The guest is told nothing any more.
    Trapped,
}

/// Asks and carries out the answer.
pub(crate) async fn consult(faults: &dyn Faults, call: Call<'_>) -> Result<(), Interruption> {
    match faults.decide(&call) {
        Action::Go => Ok(()),
        Action::Delay(time) => {
            tokio::time::sleep(time).await;
            Ok(())
        }
        Action::Hold(gate) => {
            gate.pass().await;
            Ok(())
        }
        Action::Fail(text) => Err(Interruption::Failed(text)),
        Action::Trap => Err(Interruption::Trapped),
        Action::Crash => std::process::abort(),
    }
}
