//! `bodega audit`: looks once, says what it found, and ends with a number that a script can ask.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use kernel::{Instant, Millis};

use crate::{Address, AuditError, Invariant, Label, Report, Scope, Settings, Sources, at_rest, look};

/// Something does not hold.
const VIOLATIONS: u8 = 1;

/// Nothing can be said: a database did not answer, or the question made no sense.
const COULD_NOT_LOOK: u8 = 2;

/// The flags of `bodega audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Where the shop keeps its data, as `up --state-dir` has it; `.bodega` by default
    #[arg(long, value_name = "DIR", conflicts_with = "database")]
    state_dir: Option<PathBuf>,
    /// Where one database is: LABEL=FILE, LABEL=postgres://ROLE:PASSWORD@HOST:PORT/DATABASE, or LABEL=@FILE for a file with
    /// the address in it, where no list of processes shows a password. What needs a database that is not named is not
    /// looked at
    #[arg(long, value_name = "LABEL=ADDRESS")]
    database: Vec<String>,
    /// How long something must stand wrong and unchanged to be a violation
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    grace: u32,
    /// Look at what was told of in these last hours, at what is under way, and at the stock
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    since: u32,
    /// Look at everything there is
    #[arg(long, conflicts_with = "since")]
    full: bool,
    /// Nothing is under way: look at everything, once, and excuse nothing. For a shop that has stopped with all its jobs
    /// done, and for its backup
    #[arg(long, conflicts_with_all = ["since", "full", "grace"])]
    at_rest: bool,
    /// Answer as a JSON document
    #[arg(long)]
    json: bool,
}

/// What the command has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 0 when nothing is wrong, 1 with violations, 2 when it could not look.
    pub code: u8,
    /// The report, for standard output.
    pub output: String,
    /// Why it could not look, for the person at the terminal.
    pub complaint: String,
}

/// Runs `bodega audit`. Not from within an asynchronous runtime: it takes its time, and a connection to Postgres has a
/// runtime of its own.
pub fn run(args: &AuditArgs) -> ExitCode {
    let answer = answer(args);
    // Who reads it may have gone; the number is still the answer.
    let _ = std::io::stdout().write_all(answer.output.as_bytes());
    let _ = std::io::stderr().write_all(answer.complaint.as_bytes());
    ExitCode::from(answer.code)
}

/// The same without saying it.
pub fn answer(args: &AuditArgs) -> Answer {
    match audit(args) {
        Ok(report) => told(args, &report),
        Err(error) => Answer {
            code: COULD_NOT_LOOK,
            output: String::new(),
            complaint: complaint(&error),
        },
    }
}

fn audit(args: &AuditArgs) -> Result<Report, AuditError> {
    let sources = sources(args)?;
    if args.at_rest {
        return at_rest(&sources, &Invariant::ALL);
    }
    let since = i64::from(args.since) * 3_600_000_000;
    let scope = if args.full {
        Scope::Full
    } else {
        Scope::Since(Instant::from_micros(now().micros().saturating_sub(since)))
    };
    let grace = Millis(args.grace.saturating_mul(1_000));
    look(&sources, &Invariant::ALL, Settings { grace, scope }, &now)
}

fn sources(args: &AuditArgs) -> Result<Sources, AuditError> {
    let wrong = |why: String| Err(AuditError::Sources(why));
    if args.database.is_empty() {
        let folder = args.state_dir.as_deref().unwrap_or_else(|| Path::new(".bodega"));
        if !folder.is_dir() {
            return wrong(format!(
                "there is no folder {}: name the shop's with --state-dir, or its databases with --database",
                folder.display()
            ));
        }
        return Ok(Sources::in_folder(folder));
    }
    let mut sources = Sources::default();
    for given in &args.database {
        let Some((label, address)) = given.split_once('=') else {
            return wrong("--database is LABEL=ADDRESS".to_owned());
        };
        let label: Label = label.parse()?;
        if !sources.add(label, address.parse::<Address>()?) {
            return wrong(format!("the database {label} is named twice"));
        }
    }
    Ok(sources)
}

fn told(args: &AuditArgs, report: &Report) -> Answer {
    let output = if args.json {
        format!("{:#}\n", report.json())
    } else {
        report.to_string()
    };
    let code = match (report.violations.is_empty(), report.unkept) {
        (false, _) => VIOLATIONS,
        (true, 0) => 0,
        (true, _) => COULD_NOT_LOOK,
    };
    Answer {
        code,
        output,
        complaint: String::new(),
    }
}

/// An error and its causes, in one line.
fn complaint(error: &AuditError) -> String {
    let mut text = format!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text + "\n"
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the outermost layer of the command"
)]
fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
