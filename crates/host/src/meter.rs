//! Where processor time goes, for those who ask: reading that clock is a call of the kernel.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of processor time spent on something.
pub(crate) type Spent = Arc<AtomicU64>;

/// The time of each component's instances, and the part of it that they spent in calls of each database.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    guests: BTreeMap<String, Spent>,
    databases: BTreeMap<String, Spent>,
}

impl Meters {
    pub(crate) fn new<'a>(
        guests: impl Iterator<Item = &'a String>,
        databases: impl Iterator<Item = &'a String>,
    ) -> Self {
        Self {
            guests: guests.map(|id| (id.clone(), Spent::default())).collect(),
            databases: databases.map(|label| (label.clone(), Spent::default())).collect(),
        }
    }

    pub(crate) fn guest(&self, id: &str) -> Option<Spent> {
        self.guests.get(id).cloned()
    }

    pub(crate) fn database(&self, label: &str) -> Option<Spent> {
        self.databases.get(label).cloned()
    }

    /// Both, in µs.
    pub(crate) fn read(&self) -> [BTreeMap<String, u64>; 2] {
        [&self.guests, &self.databases].map(|meters| {
            let read = |(name, spent): (&String, &Spent)| (name.clone(), spent.load(Relaxed) / 1000);
            meters.iter().map(read).collect()
        })
    }
}

/// The same work; the processor time it takes is added to `spent`, if anybody wants to know.
pub(crate) async fn timed<T>(spent: Option<Spent>, work: impl Future<Output = T>) -> T {
    let Some(spent) = spent else {
        return work.await;
    };
    let mut work = pin!(work);
    poll_fn(|context| {
        let began = own_cpu();
        let polled = work.as_mut().poll(context);
        let nanos = u64::try_from(own_cpu().saturating_sub(began).as_nanos()).unwrap_or(u64::MAX);
        spent.fetch_add(nanos, Relaxed);
        polled
    })
    .await
}

/// How long this thread has had a processor: on a busy machine, a clock would count its waiting for one too.
fn own_cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn computing_counts_and_waiting_does_not() {
        let name = "a".to_owned();
        let meters = Meters::new(std::iter::once(&name), std::iter::empty());
        let sleep = async { std::thread::sleep(Duration::from_millis(30)) };
        timed(meters.guest("a"), sleep).await;
        assert!(meters.read()[0]["a"] < 20_000, "{meters:?}");
        let compute = async {
            let began = own_cpu();
            while own_cpu() - began < Duration::from_millis(25) {}
        };
        timed(meters.guest("a"), compute).await;
        assert!(meters.read()[0]["a"] >= 24_000, "{meters:?}");
        assert_eq!(timed(meters.database("a"), async { 7 }).await, 7, "nobody asked");
    }
}
