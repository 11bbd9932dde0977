//! The machine a run was made on: figures without it say nothing.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::figures::{median, millis};

const SYNCS: usize = 30;

/// What matters about a machine.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// The processor's name.
    processor: String,
    /// How many threads run at the same time.
    cores: usize,
    /// In MB.
    memory_mb: u64,
    /// The kernel's release.
    kernel: String,
    /// What making 4 kB durable takes where the shops keep their data.
    sync_ms: f64,
    /// The load average of the last minute when the run began.
    pub(crate) load: String,
}

/// Looks at the machine; `folder` is on the disk that counts.
pub(crate) fn look(folder: &Path) -> Result<Machine> {
    let processor = fs::read_to_string("/proc/cpuinfo")?;
    Ok(Machine {
        processor: field(&processor, "model name").unwrap_or_else(|| "unknown processor".to_owned()),
        cores: std::thread::available_parallelism()?.get(),
        memory_mb: kilobytes(&fs::read_to_string("/proc/meminfo")?, "MemTotal")? / 1024,
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?
            .trim()
            .to_owned(),
        sync_ms: sync(folder)?,
        load: load()?,
    })
}

/// The load average of the last minute.
pub(crate) fn load() -> Result<String> {
    let averages = fs::read_to_string("/proc/loadavg")?;
    Ok(averages.split(' ').next().unwrap_or_default().to_owned())
}

/// The number of a line such as `VmRSS:   1234 kB`.
pub(crate) fn kilobytes(text: &str, name: &str) -> Result<u64> {
    let value = field(text, name).with_context(|| format!("there is no {name}"))?;
    let number = value.trim_end_matches("kB").trim();
    number
        .parse()
        .with_context(|| format!("{name} is {value:?}, not a number of kB"))
}

fn field(text: &str, name: &str) -> Option<String> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(found, _)| found.trim() == name)?;
    Some(value.trim().to_owned())
}

/// The median time of making 4 kB durable, in ms.
pub(crate) fn sync(folder: &Path) -> Result<f64> {
    let mut file = File::create(folder.join("sync"))?;
    let mut one = || -> Result<Duration> {
        let started = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        Ok(started.elapsed())
    };
    let took = (0..SYNCS).map(|_| one()).collect::<Result<Vec<_>>>()?;
    Ok(median(took.into_iter().map(millis)))
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} cores, {} MB, Linux {}, fsync {:.2} ms",
            self.processor, self.cores, self.memory_mb, self.kernel, self.sync_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "Name:\tbodega\nVmPeak:\t  99 kB\nVmRSS:\t  1234 kB\n";
        assert_eq!(kilobytes(text, "VmRSS").unwrap(), 1234);
        let missing = kilobytes(text, "RSS").unwrap_err();
        assert_eq!(missing.to_string(), "there is no RSS");
        assert!(kilobytes(text, "Name").is_err());
    }
}
