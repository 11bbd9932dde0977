//! `cargo xtask up`: build, keys, and then this process becomes the host.
//!
//! It is replaced, not waited for, so a signal, the exit status and the process id are the host's
//! own without anybody passing them on. The greeting comes from a small process beside it.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::build::{self, build};
use crate::run::{heading, run};
use crate::secrets;
use crate::tree::Tree;

/// Where a shop keeps its data unless told otherwise.
pub(crate) const STATE_DIR: &str = ".bodega";

const LISTEN: &str = "127.0.0.1:3000";

/// Serves the shop; returns only when that could not be started.
pub(crate) fn up(tree: &Tree, arguments: &[String]) -> Result<()> {
    build(tree)?;
    // An empty one means that the shop keeps nothing; its keys still have to be somewhere.
    let state_dir = match value_of(arguments, "--state-dir").filter(|given| !given.is_empty()) {
        Some(given) => env::current_dir()?.join(given),
        None => tree.path(STATE_DIR),
    };
    let secrets = secrets::ensure_in(&state_dir)?;

    let mut host = Command::new(build::host(tree));
    host.arg("up");
    if value_of(arguments, "--from").is_none() {
        host.arg("--from").arg(tree.path("spin.toml"));
    }
    // The runtime config names the default folder's files, which would win over another folder.
    if value_of(arguments, "--state-dir").is_none() {
        host.arg("--state-dir").arg(&state_dir);
        if value_of(arguments, "--runtime-config-file").is_none() {
            host.arg("--runtime-config-file")
                .arg(tree.path("runtime-config.toml"));
        }
    }
    // Ours come first, so that a variable the user gives wins.
    let mut from_file = std::ffi::OsString::from("@");
    from_file.push(&secrets);
    host.arg("--variable").arg(from_file).args(arguments);

    heading("starting the shop; Ctrl-C stops it");
    let asks_for_help = arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h");
    if let Some(address) = address(arguments).filter(|_| !asks_for_help) {
        start_greeter(&address)?;
    }
    Err(host.exec()).with_context(|| format!("could not start {}", build::host(tree).display()))
}

/// The address to greet from; none if the host will choose a port, which it then prints itself.
fn address(arguments: &[String]) -> Option<String> {
    if arguments.iter().any(|argument| argument == "--find-free-port") {
        return None;
    }
    let from_env = || env::var("SPIN_HTTP_LISTEN_ADDR").ok();
    let listen = value_of(arguments, "--listen")
        .or_else(from_env)
        .unwrap_or_else(|| LISTEN.to_owned());
    let (host, port) = listen.rsplit_once(':')?;
    let host = match host {
        "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        other => other,
    };
    (port != "0").then(|| format!("{host}:{port}"))
}

/// Starts `greet` as nobody's child: a shell starts it in the background and ends. The host
/// would otherwise keep its remains in the process table.
fn start_greeter(address: &str) -> Result<()> {
    let own: PathBuf = env::current_exe()?;
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "\"$@\" &", "sh"])
        .arg(own)
        .args(["greet", address]);
    run(shell.arg(std::process::id().to_string()).stdin(Stdio::null()))
}

/// The last value of `--flag VALUE` or `--flag=VALUE`.
fn value_of(arguments: &[String], flag: &str) -> Option<String> {
    let mut found = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == flag {
            found = words.next().cloned();
        } else if let Some(value) = word.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')) {
            found = Some(value.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_flag_is_read_in_both_spellings_and_the_last_one_counts() {
        let arguments = words("--state-dir one --listen=127.0.0.1:1 --state-dir=two --state-directory x");
        assert_eq!(value_of(&arguments, "--state-dir").as_deref(), Some("two"));
        assert_eq!(value_of(&arguments, "--listen").as_deref(), Some("127.0.0.1:1"));
        assert_eq!(value_of(&arguments, "--from"), None);
    }

    #[test]
    fn the_greeting_goes_to_an_address_one_can_connect_to() {
        assert_eq!(
            address(&words("--listen 0.0.0.0:80")).as_deref(),
            Some("127.0.0.1:80")
        );
        assert_eq!(address(&words("--listen [::]:80")).as_deref(), Some("[::1]:80"));
        assert_eq!(address(&words("--listen 127.0.0.1:0")), None);
    }
}
