//! What one run came to.

use relay::message::EncodeError;

use super::{Chore, Producer};

/// How far a job came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Brought to an end.
    pub done: u32,
    /// Left for a later run.
    pub left: u32,
    /// Waiting for a person from now on.
    pub stuck: u32,
}

/// What did not work. Nothing of it is lost: every run tries again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A domain did not do its job.
    #[error("{chore} failed: {why}")]
    Chore {
        /// Which one.
        chore: &'static str,
        /// What it said.
        why: String,
    },
    /// A domain did not say which events are due.
    #[error("drain failed: {0}")]
    Drain(String),
    /// How far a consumer is can't be read; what was known before still holds.
    #[error("{key}: {why}")]
    Acknowledgement {
        /// The key in the store.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// Messages did not get onto the bus; their events are due again later.
    #[error("{events} events not published: {why}")]
    Publish {
        /// How many events were in them.
        events: u32,
        /// What the bus said the last time.
        why: String,
    },
    /// An event that can't travel: a defect. Its tombstone goes in its place, so consumers put it aside.
    #[error("event {position} can't be published: {why}")]
    Event {
        /// Its position.
        position: u64,
        /// What is wrong with it.
        why: EncodeError,
    },
}

/// What one run came to for one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The domain.
    pub producer: Producer,
    /// Its jobs, but not those that failed.
    pub chores: Vec<(Chore, Tally)>,
    /// Events that went onto the bus.
    pub published: u32,
    /// What did not work.
    pub troubles: Vec<Trouble>,
}

/// What one run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One for each domain.
    pub accounts: Vec<Account>,
}

/// How loudly a run is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing was done, as in most seconds.
    Nothing,
    /// Something was done.
    Info,
    /// Something did not work and will be tried again.
    Warn,
    /// Somebody must look.
    Error,
}

impl Report {
    /// Events that went onto the bus.
    pub fn published(&self) -> u32 {
        self.accounts.iter().map(|account| account.published).sum()
    }

    /// How loudly it is to be told.
    pub fn level(&self) -> Level {
        let levels = self.accounts.iter().map(Account::level);
        levels.max().unwrap_or(Level::Nothing)
    }

    /// One line for the log: what was done, and what did not work.
    pub fn line(&self) -> String {
        let told = self
            .accounts
            .iter()
            .filter(|account| account.level() > Level::Nothing);
        told.map(Account::line).collect::<Vec<_>>().join("; ")
    }
}

impl Account {
    fn level(&self) -> Level {
        let stuck = self.chores.iter().any(|(_, tally)| tally.stuck > 0);
        let defect = |trouble: &Trouble| matches!(trouble, Trouble::Event { .. });
        if stuck || self.troubles.iter().any(defect) {
            Level::Error
        } else if !self.troubles.is_empty() {
            Level::Warn
        } else if self.published > 0 || self.chores.iter().any(|(_, tally)| tally.done > 0) {
            Level::Info
        } else {
            // What is merely left for later is told by the domain that left it.
            Level::Nothing
        }
    }

    fn line(&self) -> String {
        let mut parts = Vec::new();
        for (chore, tally) in &self.chores {
            let counts = [("done", tally.done), ("left", tally.left), ("stuck", tally.stuck)];
            let counts = counts.iter().filter(|(_, count)| *count > 0);
            let words: Vec<_> = counts.map(|(word, count)| format!("{word} {count}")).collect();
            if !words.is_empty() {
                parts.push(format!("{} {}", chore.name(), words.join(" ")));
            }
        }
        if self.published > 0 {
            parts.push(format!("published {}", self.published));
        }
        parts.extend(self.troubles.iter().map(Trouble::to_string));
        format!("{}: {}", self.producer.name(), parts.join(", "))
    }
}
