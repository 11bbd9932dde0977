//! Counters of what the host did; the bench reads them.

use crate::faults::{Cause, Kind};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What has happened since the start, as read at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests that came in from outside.
    pub requests: u64,
    /// Ticks of cron triggers that were run.
    pub ticks: u64,
    /// Messages that were handed to a component.
    pub messages: u64,
    /// Instances made, for requests from outside and from components, ticks and messages.
    pub instances: u64,
    /// Host calls by kind.
    pub host_calls: BTreeMap<&'static str, u64>,
    /// By database label.
    pub databases: BTreeMap<String, DatabaseStats>,
    /// By component, the processor time of its instances in µs, with what the host did for them on the same
    /// thread; empty unless it is measured.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub guests_us: BTreeMap<String, u64>,
    /// The part of it that was spent in calls of each database.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sqlite_us: BTreeMap<String, u64>,
}

/// What one database did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DatabaseStats {
    /// Statements that guests ran, BEGIN and COMMIT included.
    pub statements: u64,
    /// Transactions written to disk.
    pub commits: u64,
    /// Times that its log was synced for them.
    pub syncs: u64,
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    runs: AtomicU64,
    requests: AtomicU64,
    ticks: AtomicU64,
    messages: AtomicU64,
    instances: AtomicU64,
    refused: AtomicU64,
    host_calls: [AtomicU64; Kind::ALL.len()],
}

impl Counters {
    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    /// Counts a run that begins and answers its number. Requests are counted where they come in.
    pub(crate) fn run(&self, cause: Cause) -> u64 {
        match cause {
            Cause::Request => {}
            Cause::Tick => drop(self.ticks.fetch_add(1, Relaxed)),
            Cause::Message => drop(self.messages.fetch_add(1, Relaxed)),
        }
        self.runs.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn instance(&self) {
        self.instances.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Requests from outside that found the line full.
    pub(crate) fn all_refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    pub(crate) fn instances(&self) -> u64 {
        self.instances.load(Relaxed)
    }

    pub(crate) fn host_call(&self, kind: Kind) {
        self.host_calls[kind as usize].fetch_add(1, Relaxed);
    }

    /// Reads all counters but those of the databases.
    pub(crate) fn read(&self) -> Stats {
        Stats {
            requests: self.requests.load(Relaxed),
            ticks: self.ticks.load(Relaxed),
            messages: self.messages.load(Relaxed),
            instances: self.instances.load(Relaxed),
            host_calls: Kind::ALL
                .iter()
                .map(|kind| (kind.name(), self.host_calls[*kind as usize].load(Relaxed)))
                .collect(),
            ..Stats::default()
        }
    }
}
