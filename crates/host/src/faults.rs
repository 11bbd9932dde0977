//! The seam where a test makes the n-th host call fail, wait or crash.
//!
//! Every capability asks before it acts and again after it has acted but before the guest hears of
//! it, so that "done, but the answer got lost" can be tested too.

use std::time::Duration;

/// What kind of host call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Opening a database or running a statement.
    Sqlite,
    /// A key-value store, through either interface.
    KeyValue,
    /// Reading a variable, through either interface.
    Variables,
    /// A request to another component.
    Chain,
    /// A request to the network.
    Http,
}

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 5] = [
        Self::Sqlite,
        Self::KeyValue,
        Self::Variables,
        Self::Chain,
        Self::Http,
    ];

    /// The word for it in counters and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::KeyValue => "key_value",
            Self::Variables => "variables",
            Self::Chain => "chain",
            Self::Http => "http",
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

/// One host call, as a fault sees it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What kind it is.
    pub kind: Kind,
    /// The component that calls.
    pub component: &'a str,
    /// What is asked: a statement, a key, a URL.
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
    /// The guest gets the interface's own error with this text.
    Fail(String),
    /// The instance is gone at once, as if it had trapped.
    Trap,
    /// The whole process is gone at once, as by a power cut.
    Crash,
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
        Action::Fail(text) => Err(Interruption::Failed(text)),
        Action::Trap => Err(Interruption::Trapped),
        Action::Crash => std::process::abort(),
    }
}
