//! The command line: Spin's own flags, and what only this host has.

mod admin;
mod up;

use crate::{App, CompileCache, Options, Part, plug};
use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use manifest::Manifest;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub use up::UpArgs;

/// bodega: runs a Spin application in one process.
#[derive(Parser)]
#[command(name = "bodega", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the application.
    Up(Box<UpArgs>),
    /// Parse, compose, compile and link the application, and start nothing.
    Check(CheckArgs),
    /// Put components into a component before a manifest composes it.
    Compose(ComposeArgs),
    /// Check on the shop's databases, while it works, that what must hold does.
    ///
    /// Ends with 0 when nothing is wrong, 1 with violations, 2 when it could not look.
    Audit(audit::AuditArgs),
    /// Who runs the shop.
    Admin {
        #[command(subcommand)]
        action: admin::Action,
    },
}

#[derive(Args)]
struct CheckArgs {
    /// The manifest, or a folder with a spin.toml.
    #[arg(short = 'f', long = "from", default_value = "spin.toml")]
    from: PathBuf,
}

#[derive(Args)]
struct ComposeArgs {
    /// The component that imports something.
    socket: PathBuf,
    /// A component that exports it; each must satisfy at least one import.
    #[arg(long = "plug", required = true)]
    plugs: Vec<PathBuf>,
    /// Where the result goes.
    #[arg(short = 'o', long = "output")]
    output: PathBuf,
}

/// Runs the command line and answers what the process should exit with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Up(args) => up::run(*args),
        Command::Check(args) => check(&args),
        Command::Compose(args) => compose(&args),
        Command::Audit(args) => Ok(audit::run(&args)),
        Command::Admin { action } => admin::run(action),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            report(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn check(args: &CheckArgs) -> Result<ExitCode> {
    let manifest = load_manifest(&args.from)?;
    let mut options = Options {
        cache: default_cache(&manifest.dir),
        ..Options::default()
    };
    // Variables without a value are for the start to complain about.
    let given: Vec<String> = manifest
        .variables
        .iter()
        .filter(|(_, variable)| variable.required())
        .map(|(name, _)| format!("{name}=unset"))
        .collect();
    options.variables = manifest::CliVariables::parse(&given)?;
    let app = up::runtime()?.block_on(App::load(&manifest, options))?;
    report(&format!(
        "{}: {} routes, {} channels, {} schedules, nothing to complain about",
        app.name(),
        app.routes().len(),
        app.channels().len(),
        app.schedules().len()
    ));
    Ok(ExitCode::SUCCESS)
}

fn compose(args: &ComposeArgs) -> Result<ExitCode> {
    let part = |path: &PathBuf| -> Result<Part> {
        Ok(Part {
            name: path.display().to_string(),
            bytes: std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?,
        })
    };
    let plugs = args.plugs.iter().map(part).collect::<Result<Vec<_>>>()?;
    let composed = plug(&part(&args.socket)?, &plugs)?;
    if let Some(folder) = args.output.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    }
    std::fs::write(&args.output, composed)
        .with_context(|| format!("cannot write {}", args.output.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the manifest that `--from` names, as a file or as its folder.
fn load_manifest(from: &Path) -> Result<Manifest> {
    let path = if from.is_dir() {
        from.join("spin.toml")
    } else {
        from.to_owned()
    };
    Ok(Manifest::load(&path)?)
}

/// Compiled code lives beside the build's other products; it is worth nothing elsewhere.
fn default_cache(manifest_dir: &Path) -> CompileCache {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        _ if manifest_dir.join("target").is_dir() => manifest_dir.join("target"),
        Some(dir) => PathBuf::from(dir),
        None => match std::env::var_os("HOME") {
            Some(home) => PathBuf::from(home).join(".cache"),
            None => std::env::temp_dir(),
        },
    };
    // wasmtime wants an absolute path.
    match std::path::absolute(base.join("bodega-compiled")) {
        Ok(dir) => CompileCache::Dir(dir),
        Err(_) => CompileCache::Off,
    }
}

/// Says something to the person at the terminal; standard output is for what programs read.
#[expect(clippy::print_stderr, reason = "this is the command line's own voice")]
fn report(line: &str) {
    eprintln!("{line}");
}
