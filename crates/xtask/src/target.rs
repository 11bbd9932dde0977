//! The `wasm32-wasip2` target, in four steps, from what is there to what can be made.
//!
//! 1. It is installed in the toolchain.
//! 2. `rustup target add` installs it, unless `RUSTUP_AUTO_INSTALL=0` forbids that.
//! 3. It is built from the distribution's packages into a private sysroot ([`crate::sysroot`]).
//! 4. None of that works: one message says what to run.
//!
//! A private sysroot from an earlier run is used before rustup is asked again.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::run::{Limited, heading, note, output, run_within};
use crate::sysroot;
use crate::tree::{Tree, rustc};

/// The target that guests are compiled for.
pub(crate) const TRIPLE: &str = "wasm32-wasip2";

/// Long enough for the download on a slow line, short enough to wait for where nothing answers.
const RUSTUP_LIMIT: Duration = Duration::from_secs(60);

/// Where the target's standard library comes from.
pub(crate) enum Target {
    /// The toolchain has it.
    Installed,
    /// A sysroot of our own has it.
    Private(PathBuf),
}

impl Target {
    /// Makes `command`, a cargo invocation for [`TRIPLE`], find the standard library.
    ///
    /// Flags go through `CARGO_ENCODED_RUSTFLAGS`, which stands a blank in a path and wins over
    /// `RUSTFLAGS`; what the user has set there is kept. The host's own build scripts are not
    /// touched, since cargo applies these flags only to the target when one is named.
    pub(crate) fn configure(&self, command: &mut Command) {
        let Target::Private(sysroot) = self else { return };
        let mut flags = user_flags();
        if !flags.is_empty() {
            flags.push("\x1f");
        }
        flags.push("--sysroot=");
        flags.push(sysroot);
        command
            .env_remove("RUSTFLAGS")
            .env("CARGO_ENCODED_RUSTFLAGS", flags);
    }
}

/// Finds the target or makes it; an error says what a person can do.
pub(crate) fn ensure(tree: &Tree) -> Result<Target> {
    if is_installed()? {
        return Ok(Target::Installed);
    }
    let compiler = Compiler::ask()?;
    if let Some(path) = sysroot::ready(tree, &compiler) {
        return Ok(Target::Private(path));
    }
    heading(&format!(
        "the target {TRIPLE} is not installed for rustc {}",
        compiler.release
    ));
    if add_with_rustup()? {
        return Ok(Target::Installed);
    }
    match sysroot::build(tree, &compiler) {
        Ok(path) => Ok(Target::Private(path)),
        Err(error) => Err(anyhow!(advice(&compiler, &error))),
    }
}

/// `cargo xtask target`: make sure of it, and say how to use it by hand.
pub(crate) fn print(tree: &Tree) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match ensure(tree)? {
        Target::Installed => writeln!(out, "# {TRIPLE} is installed in the toolchain")?,
        Target::Private(path) => {
            writeln!(
                out,
                "export CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS=\"--sysroot={}\"",
                path.display()
            )?;
        }
    }
    Ok(())
}

/// The compiler in use, by its own account.
pub(crate) struct Compiler {
    /// Such as `1.95.0`.
    pub(crate) release: String,
    /// Such as `x86_64-unknown-linux-gnu`.
    pub(crate) host: String,
    /// All of `rustc -vV`.
    pub(crate) account: String,
    /// Its sysroot, as installed.
    pub(crate) sysroot: PathBuf,
}

impl Compiler {
    fn ask() -> Result<Compiler> {
        let account = output(Command::new(rustc()).arg("-vV"))?;
        let field = |name: &str| {
            let value = account
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value
                .map(str::to_owned)
                .with_context(|| format!("`rustc -vV` names no {name}"))
        };
        let sysroot = output(Command::new(rustc()).args(["--print", "sysroot"]))?;
        Ok(Compiler {
            release: field("release")?,
            host: field("host")?,
            sysroot: PathBuf::from(sysroot.trim_end()),
            account,
        })
    }
}

/// Step 1: does the toolchain have a standard library for the target?
fn is_installed() -> Result<bool> {
    let libdir = output(Command::new(rustc()).args(["--print", "target-libdir", "--target", TRIPLE]))?;
    Ok(holds_std(Path::new(libdir.trim_end())))
}

/// Whether a `libstd*.rlib` is in `libdir`.
pub(crate) fn holds_std(libdir: &Path) -> bool {
    let Ok(entries) = fs::read_dir(libdir) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd") && name.ends_with(".rlib")
    })
}

/// Step 2: answers whether the target is there afterwards.
///
/// `RUSTUP_AUTO_INSTALL=0` is the owner's word that nothing may be installed unasked; a toolchain is
/// often shared, so it counts here as well.
fn add_with_rustup() -> Result<bool> {
    if env::var_os("RUSTUP_AUTO_INSTALL").is_some_and(|value| value == "0") {
        note("(2/4) not asking rustup to install it, since RUSTUP_AUTO_INSTALL=0");
        return Ok(false);
    }
    note(&format!("(2/4) trying `rustup target add {TRIPLE}`"));
    let mut command = Command::new("rustup");
    command
        .args(["target", "add", TRIPLE])
        .env("RUSTUP_MAX_RETRIES", "1");
    match run_within(&mut command, RUSTUP_LIMIT)? {
        Limited::Ended(status) if status.success() => return is_installed(),
        Limited::Ended(_) => note("rustup could not install it (its reason is above); going on without"),
        Limited::TimedOut => note(&format!(
            "rustup did not finish within {} s; going on without",
            RUSTUP_LIMIT.as_secs()
        )),
        Limited::Missing => note("there is no rustup here; going on without"),
    }
    Ok(false)
}

/// Step 4: what a person can do when nothing worked.
fn advice(compiler: &Compiler, error: &anyhow::Error) -> String {
    format!(
        "the target {TRIPLE} is missing, and could neither be installed nor built: {error:#}\n\
         Do one of these, then run the command again:\n\
         * with access to Rust's download server: rustup target add {TRIPLE}\n\
         * on Debian or a relative of it: install the packages wasi-libc and rust-src of version {} \
         reachable through apt's own mirror (suite {})",
        compiler.release,
        sysroot::SUITE,
    )
}

/// What the user asked rustc for, in cargo's encoded form.
fn user_flags() -> OsString {
    if let Some(encoded) = env::var_os("CARGO_ENCODED_RUSTFLAGS") {
        return encoded;
    }
    let plain = env::var("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS").ok();
    let plain = env::var("RUSTFLAGS")
        .ok()
        .filter(|flags| !flags.trim().is_empty())
        .or(plain);
    let words: Vec<String> = plain
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    // A sysroot set by hand for the same purpose would otherwise be named twice.
    let kept: Vec<_> = words
        .into_iter()
        .filter(|word| !word.starts_with("--sysroot="))
        .collect();
    kept.join("\x1f").into()
}
