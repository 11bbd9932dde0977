//! What the host's process holds in memory, and how large the files it runs are.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use tests::{Shop, workspace};

use crate::load::{Ask, Until, drive};
use crate::machine::kilobytes;
use crate::place::{Place, close};
use crate::table::Table;

/// What the process may hold after the pages.
const GOAL_KB: u64 = 150 * 1024;

const REQUESTS: usize = 1000;
const CLIENTS: usize = 16;

/// Memory at three moments, and files.
#[derive(Serialize)]
pub(crate) struct Memory {
    after_start: Held,
    after_pages: Held,
    /// After as many orders again, and the log-ins before them.
    after_orders: Held,
    /// The files that `up` runs, in bytes.
    files: BTreeMap<String, u64>,
}

/// What the kernel says a process holds, in kB.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Held {
    resident_kb: u64,
    peak_kb: u64,
    /// The part of the resident memory that is no file's.
    anonymous_kb: u64,
}

/// Reads pages, then buys, and looks at the process in between.
pub(crate) async fn measure(place: &Place) -> Result<Memory> {
    let shop = place.stocked_shop().await?;
    let after_start = held(&shop)?;
    let page = Ask::get(&shop.visitor(), "/products/1", 200);
    drive(&vec![page; CLIENTS], Until::Count(REQUESTS))
        .await?
        .strict_figures()?;
    let after_pages = held(&shop)?;
    let mut orders = Vec::new();
    for _ in 0..CLIENTS {
        orders.push(Ask::order(&shop.customer().await?.client));
    }
    drive(&orders, Until::Count(REQUESTS)).await?.strict_figures()?;
    let after_orders = held(&shop)?;
    close(shop).await?;
    Ok(Memory {
        after_start,
        after_pages,
        after_orders,
        files: files(place)?,
    })
}

/// Reads the host's `/proc` entry.
pub(crate) fn held(shop: &Shop) -> Result<Held> {
    let process = shop.pid().context("the shop is not running")?;
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    Ok(Held {
        resident_kb: kilobytes(&status, "VmRSS")?,
        peak_kb: kilobytes(&status, "VmHWM")?,
        anonymous_kb: kilobytes(&status, "RssAnon")?,
    })
}

/// The host, and the components that the shop's manifest names.
fn files(place: &Place) -> Result<BTreeMap<String, u64>> {
    let manifest = fs::read_to_string(workspace().join("spin.toml"))?;
    let components = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("source = \""))
        .map(|rest| workspace().join(rest.trim_end_matches('"')));
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    std::iter::once(place.host().to_owned())
        .chain(components)
        .map(|path| Ok((name(&path), fs::metadata(&path)?.len())))
        .collect()
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [resident, peak, anonymous] = self.cells();
        write!(
            f,
            "{resident} MB resident, {anonymous} of it anonymous; {peak} MB at most"
        )
    }
}

impl Held {
    /// In whole MB.
    pub(crate) fn resident_mb(self) -> f64 {
        (self.resident_kb / 1024) as f64
    }

    fn cells(self) -> [String; 3] {
        [self.resident_kb, self.peak_kb, self.anonymous_kb].map(|kb| (kb / 1024).to_string())
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["memory, MB", "resident", "peak", "anonymous"]);
        for (moment, held) in [
            ("after the start".to_owned(), self.after_start),
            (
                format!("after {REQUESTS} pages, {CLIENTS} clients"),
                self.after_pages,
            ),
            (
                format!("after {REQUESTS} orders, {CLIENTS} clients"),
                self.after_orders,
            ),
        ] {
            table.row(std::iter::once(moment).chain(held.cells()));
        }
        write!(f, "\n{table}")?;
        let most = self.after_pages.resident_kb.max(self.after_orders.resident_kb);
        let verdict = if most < GOAL_KB { "kept" } else { "MISSED" };
        writeln!(f, "  goal: resident under {} MB: {verdict}\n", GOAL_KB / 1024)?;
        let mut table = Table::new(&["file", "kB"]);
        for (name, bytes) in &self.files {
            table.row([name.clone(), (bytes / 1024).to_string()]);
        }
        write!(f, "{table}")
    }
}
