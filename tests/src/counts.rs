//! The host's own counters, read from outside.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::Shop;

/// The host's counters, as it writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests from outside.
    pub requests: u64,
    /// Instances of components.
    pub instances: u64,
    /// Host calls by kind.
    pub host_calls: BTreeMap<String, u64>,
    /// By database label.
    pub databases: BTreeMap<String, Work>,
    /// Where time went, in µs, if the host was told to measure it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub guests_us: BTreeMap<String, u64>,
    /// The part of it that guests spent in calls of each database, on their own thread.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sqlite_us: BTreeMap<String, u64>,
}

/// What one database did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Statements, BEGIN and COMMIT included.
    pub statements: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Times that its log was made durable, if the host counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syncs: Option<u64>,
}

impl Counts {
    /// Has a shop's host write its counters to the file it was started with.
    pub fn read(shop: &Shop, file: &Path) -> Result<Self> {
        let process = shop.pid().context("the shop is not running")?.to_string();
        if file.exists() {
            fs::remove_file(file)?;
        }
        let signalled = Command::new("kill").args(["-USR1", &process]).status()?;
        ensure!(signalled.success(), "could not signal the host");
        let asked = Instant::now();
        while !file.exists() {
            ensure!(
                asked.elapsed() < Duration::from_secs(10),
                "the host wrote no counters"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        serde_json::from_slice(&fs::read(file)?).context("the host's counters make no sense")
    }

    /// The same once they stand still: an instance may go on after its answer.
    pub fn settled(shop: &Shop, file: &Path) -> Result<Self> {
        let mut last = Self::read(shop, file)?;
        for _ in 0..50 {
            std::thread::sleep(Duration::from_millis(20));
            let next = Self::read(shop, file)?;
            if next == last {
                return Ok(next);
            }
            last = next;
        }
        bail!("the shop does not come to rest: its counters go on");
    }

    /// What was added to an earlier reading.
    pub fn since(&self, earlier: &Self) -> Result<Self> {
        let mut databases = BTreeMap::new();
        for (label, work) in &self.databases {
            let then = earlier.databases.get(label).copied().unwrap_or_default();
            let syncs = work
                .syncs
                .map(|syncs| less(syncs, then.syncs.unwrap_or_default()));
            let work = Work {
                statements: less(work.statements, then.statements)?,
                commits: less(work.commits, then.commits)?,
                syncs: syncs.transpose()?,
            };
            databases.insert(label.clone(), work);
        }
        Ok(Self {
            requests: less(self.requests, earlier.requests)?,
            instances: less(self.instances, earlier.instances)?,
            host_calls: each_less(&self.host_calls, &earlier.host_calls)?,
            guests_us: each_less(&self.guests_us, &earlier.guests_us)?,
            sqlite_us: each_less(&self.sqlite_us, &earlier.sqlite_us)?,
            databases,
        })
    }

    /// The sum over all databases.
    pub fn in_all(&self) -> Work {
        let works = || self.databases.values();
        let mut syncs = works().filter_map(|work| work.syncs).peekable();
        Work {
            statements: works().map(|work| work.statements).sum(),
            commits: works().map(|work| work.commits).sum(),
            syncs: syncs.peek().is_some().then(|| syncs.sum()),
        }
    }
}

fn less(now: u64, then: u64) -> Result<u64> {
    now.checked_sub(then).context("a counter went down")
}

fn each_less(now: &BTreeMap<String, u64>, then: &BTreeMap<String, u64>) -> Result<BTreeMap<String, u64>> {
    let added = |(name, count): (&String, &u64)| {
        let then = then.get(name).copied().unwrap_or_default();
        Ok((name.clone(), less(*count, then)?))
    };
    now.iter().map(added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(statements: u64) -> Counts {
        let text = format!(
            r#"{{"requests":{statements},"instances":1,"host_calls":{{"sqlite":{statements}}},
                "databases":{{"order":{{"statements":{statements},"commits":1}}}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_difference_of_two_readings_is_what_happened_between_them() {
        let added = counts(9).since(&counts(4)).unwrap();
        assert_eq!(
            (added.requests, added.instances, added.host_calls["sqlite"]),
            (5, 0, 5)
        );
        let expected = Work {
            statements: 5,
            ..Work::default()
        };
        assert_eq!(added.in_all(), expected);
        assert!(
            counts(4).since(&counts(9)).is_err(),
            "a host that was restarted in between"
        );
    }

    #[test]
    fn a_database_that_appears_later_counts_from_nothing() {
        let added = counts(3).since(&Counts::default()).unwrap();
        let expected = Work {
            statements: 3,
            commits: 1,
            syncs: None,
        };
        assert_eq!(added.in_all(), expected);
    }

    #[test]
    fn syncs_are_counted_where_the_host_counts_them() {
        let mut after = counts(3);
        after.databases.get_mut("order").unwrap().syncs = Some(7);
        assert_eq!(after.since(&counts(1)).unwrap().in_all().syncs, Some(7));
    }
}
