//! The audit as a part of the running shop: it looks again and again, and the admin port shows what it found.

use crate::{App, Clock, SystemClock};
use anyhow::{Context, Result, bail};
use audit::{Address, Label, Sources, Watch};
use kernel::{Instant, Millis};
use prometheus::{IntGauge, IntGaugeVec, Opts};
use std::path::PathBuf;
use std::time::Duration;

/// Something must stand wrong for so long to be a violation: what is under way is not.
const GRACE: Millis = Millis(120_000);

/// What the watch is told at start.
pub(super) struct Asked<'a> {
    /// How often it looks.
    pub(super) every: Duration,
    /// Where single databases are, as `bodega audit --database` has it; none for those of the state folder.
    pub(super) databases: &'a [String],
    pub(super) state_dir: Option<&'a PathBuf>,
}

/// What it shows.
struct Gauges {
    violations: IntGaugeVec,
    last_success: IntGauge,
}

/// Begins to look. Nobody waits for it, and it ends with the process: it only reads.
pub(super) fn start(app: &App, asked: &Asked<'_>) -> Result<()> {
    let Some(registry) = app.registry() else {
        bail!("--audit-every needs --admin-listen, where its figures are shown");
    };
    let gauges = Gauges::new()?;
    registry.register(Box::new(gauges.violations.clone()))?;
    registry.register(Box::new(gauges.last_success.clone()))?;
    let mut watch = Watch::new(sources(asked)?, GRACE);
    let every = asked.every;
    // It takes its time, and a connection to Postgres has an async runtime of its own.
    let thread = std::thread::Builder::new().name("audit".to_owned());
    thread
        .spawn(move || {
            loop {
                gauges.look(&mut watch);
                std::thread::sleep(every);
            }
        })
        .context("cannot start the audit")?;
    Ok(())
}

fn sources(asked: &Asked<'_>) -> Result<Sources> {
    if asked.databases.is_empty() {
        let Some(folder) = asked.state_dir else {
            bail!("--audit-every: without a state folder, say with --audit-database where the databases are");
        };
        return Ok(Sources::in_folder(folder));
    }
    let mut sources = Sources::default();
    for given in asked.databases {
        // An address may have a password in it, so none is repeated.
        let (label, address) = given
            .split_once('=')
            .context("--audit-database is LABEL=ADDRESS")?;
        let label: Label = label.parse()?;
        if !sources.add(label, address.parse::<Address>()?) {
            bail!("--audit-database: {label} is named twice");
        }
    }
    Ok(sources)
}

impl Gauges {
    fn new() -> prometheus::Result<Self> {
        let violations = Opts::new(
            "bodega_invariant_violations",
            "Violations that stand, by the invariant that does not hold.",
        );
        let last_success = IntGauge::new(
            "bodega_audit_last_success_timestamp_seconds",
            "When the audit last looked at everything it was to look at.",
        );
        Ok(Self {
            violations: IntGaugeVec::new(violations, &["invariant"])?,
            last_success: last_success?,
        })
    }

    fn look(&self, watch: &mut Watch) {
        match watch.pass(&now) {
            Ok(report) => {
                for (invariant, count) in report.counts() {
                    let shown = self.violations.with_label_values(&[invariant.code()]);
                    shown.set(i64::try_from(count).unwrap_or(i64::MAX));
                }
                let at = watch.last_success().unwrap_or(Instant::EPOCH);
                self.last_success.set(at.micros() / 1_000_000);
            }
            // The figures stay as they were; that they grow old is what an alert sees.
            Err(error) => tracing::warn!(
                error = format!("{:#}", anyhow::Error::from(error)),
                "the audit could not look"
            ),
        }
    }
}

fn now() -> Instant {
    let since = SystemClock.now().as_micros();
    Instant::from_micros(i64::try_from(since).unwrap_or(i64::MAX))
}
