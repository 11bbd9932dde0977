//! What the kernel says of the processor time of threads and processes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use ::tests::Shop;
use anyhow::{Context, Result};
use serde::Serialize;

/// Clock ticks a second in `/proc`: the same on every Linux.
const TICKS: u64 = 100;

/// What a process has computed.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Cpu {
    /// Outside the kernel, in µs; its resolution is 10 ms.
    pub(crate) user_us: f64,
    /// Inside the kernel.
    pub(crate) system_us: f64,
    /// Both, by the kind of thread: exact where the kernel tells.
    pub(crate) threads_us: BTreeMap<&'static str, f64>,
}

/// What the shop's host has computed until now.
pub(crate) fn of(shop: &Shop) -> Result<Cpu> {
    let folder = format!("/proc/{}", shop.pid().context("the shop is not running")?);
    let (_, [user, system]) = stat(&fs::read_to_string(format!("{folder}/stat"))?)?;
    let mut cpu = Cpu {
        user_us: user * 1e6,
        system_us: system * 1e6,
        ..Cpu::default()
    };
    for task in fs::read_dir(format!("{folder}/task"))? {
        let task = task?.path();
        // A thread that ends meanwhile counts for nothing.
        if let Ok((name, us)) = thread(&task) {
            *cpu.threads_us.entry(kind(&name)).or_default() += us;
        }
    }
    Ok(cpu)
}

/// What this thread has computed until now.
pub(crate) fn own_cpu() -> Result<Duration> {
    let (_, us) = thread(Path::new("/proc/thread-self"))?;
    Ok(Duration::from_secs_f64(us / 1e6))
}

impl Cpu {
    /// What was added to an earlier reading, for one of so many requests.
    pub(crate) fn each(&self, earlier: &Self, requests: usize) -> Self {
        let each = |now: f64, then: f64| (now - then) / requests.max(1) as f64;
        let thread = |(kind, now): (&&'static str, &f64)| {
            let then = earlier.threads_us.get(kind).copied().unwrap_or_default();
            (*kind, each(*now, then))
        };
        Self {
            user_us: each(self.user_us, earlier.user_us),
            system_us: each(self.system_us, earlier.system_us),
            threads_us: self.threads_us.iter().map(thread).collect(),
        }
    }

    /// Inside and outside the kernel.
    pub(crate) fn total_us(&self) -> f64 {
        self.user_us + self.system_us
    }
}

fn kind(name: &str) -> &'static str {
    match name {
        name if name.starts_with("tokio") => "tokio",
        name if name.starts_with("sqlite-writer") => "sqlite-writer",
        name if name.starts_with("sqlite") => "sqlite, others",
        _ => "others",
    }
}

/// A thread's name and what it has computed, in µs.
fn thread(folder: &Path) -> Result<(String, f64)> {
    let (name, ticks) = stat(&fs::read_to_string(folder.join("stat"))?)?;
    // Nanoseconds on a processor, where the kernel counts them.
    let exact = fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
    let exact = exact
        .split(' ')
        .next()
        .and_then(|first| first.parse::<f64>().ok());
    Ok((
        name,
        exact.map_or(1e6 * (ticks[0] + ticks[1]), |nanos| nanos / 1e3),
    ))
}

/// The name, and the seconds outside and inside the kernel. The name may hold blanks and brackets.
fn stat(text: &str) -> Result<(String, [f64; 2])> {
    let sense = || format!("a line of /proc that makes no sense: {text}");
    let (head, rest) = text.rsplit_once(')').with_context(sense)?;
    let (_, name) = head.split_once('(').with_context(sense)?;
    let mut ticks = rest.split_whitespace().skip(11).map(str::parse::<u64>);
    let mut seconds = || Some(ticks.next()?.ok()? as f64 / TICKS as f64);
    let both = [seconds().with_context(sense)?, seconds().with_context(sense)?];
    Ok((name.to_owned(), both))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stand_behind_the_name_whatever_it_is() {
        let text = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 2 3 4 150 25 0 0 20 0 3 0 99";
        assert_eq!(stat(text).unwrap(), ("a (b) c".to_owned(), [1.5, 0.25]));
        assert!(stat("7 (a) S 1").is_err());
    }

    #[test]
    fn what_a_thread_computes_is_seen() {
        let before = own_cpu().unwrap();
        while own_cpu().unwrap() - before < Duration::from_millis(30) {}
        assert_eq!(kind("tokio-rt-worker"), "tokio");
    }
}
