//! The one entry point: `cargo xtask build`, `up`, `admin`, `test`, `check`, `bench`, `spin-profile`.
//!
//! Everything here runs on a bare machine: a Rust toolchain, a C compiler and the package
//! registries. `cargo xtask --help` lists the commands.

mod admin;
mod apt;
mod build;
mod check;
mod data;
mod greet;
mod guest;
mod http;
mod profile;
mod run;
mod secrets;
mod sysroot;
mod target;
mod test;
mod tree;
mod up;
mod variant;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::tree::Tree;

/// Builds, runs and checks Bodega.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make sure that components can be compiled, and print the setting that does it by hand
    Target,
    /// Build the components and the host
    Build,
    /// Build and serve the shop; arguments go to `bodega up`
    Up {
        /// Such as --listen 127.0.0.1:8080, --state-dir DIR, --variable NAME=VALUE
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build everything and run all tests; arguments go to `cargo test`
    Test {
        /// A test's name or part of it, `--test NAME`, `-p CRATE`, …
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Formatting, lints on both targets, dependencies, rules of the tree
    Check,
    /// Build and measure; arguments go to the benchmark
    Bench {
        /// Passed on as they are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Who runs the shop
    Admin {
        #[command(subcommand)]
        action: admin::Action,
    },
    /// Make a manifest for SpinKube of one for everywhere
    SpinProfile(profile::Arguments),
    /// Remove the shop's databases, and nothing else
    CleanData {
        /// The directory that `up` was given
        #[arg(long, default_value = up::STATE_DIR)]
        state_dir: PathBuf,
    },
    /// Wait for the shop and say what to try; `up` starts it
    #[command(hide = true)]
    Greet {
        /// Where the shop will answer
        address: String,
        /// The shop's process
        process: u32,
    },
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<()> {
    let tree = Tree::here()?;
    match command {
        Command::Target => target::print(&tree),
        Command::Build => build::build(&tree),
        Command::Up { arguments } => up::up(&tree, &arguments),
        Command::Test { arguments } => test::test(&tree, &arguments),
        Command::Check => check::check(&tree),
        Command::Bench { arguments } => test::bench(&tree, &arguments),
        Command::Admin { action } => admin::run(&tree, action),
        Command::SpinProfile(arguments) => profile::write(&tree, &arguments),
        Command::CleanData { state_dir } => data::clean(&tree, &state_dir),
        Command::Greet { address, process } => greet::greet(&address, process),
    }
}
