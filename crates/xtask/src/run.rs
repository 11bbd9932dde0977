//! Running other programs: visible, with the command line in the error when one fails.

use std::io::{ErrorKind, IsTerminal};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Says what happens next, so that a long step is never silent.
pub(crate) fn heading(text: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("\x1b[1m==> {text}\x1b[0m");
    } else {
        eprintln!("==> {text}");
    }
}

/// Says something about the step under way.
pub(crate) fn note(text: &str) {
    eprintln!("    {text}");
}

/// Runs to the end with our own stdout and stderr; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs to the end and answers what it wrote to stdout; stderr stays visible.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("could not start {}", shown(command)))?;
    if !output.status.success() {
        bail!("{} ended with {}", shown(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} did not write UTF-8", shown(command)))
}

/// How a command with a time limit ended.
pub(crate) enum Limited {
    /// It ended by itself.
    Ended(ExitStatus),
    /// It was still running when the time was up, and was killed.
    TimedOut,
    /// There is no such program.
    Missing,
}

/// Runs a command that may hang, for at most `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<Limited> {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Limited::Missing),
        Err(error) => return Err(error).with_context(|| format!("could not start {}", shown(command))),
    };
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Limited::Ended(status));
        }
        if started.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(Limited::TimedOut);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    format!("`{}`", line.join(" "))
}
