//! The one entry point: `cargo xtask build`, `up`, `test`, `check`, `bench`.
//!
//! Everything here runs on a bare machine: a Rust toolchain, a C compiler and the package
//! registries. `cargo xtask --help` lists the commands.

mod apt;
mod run;
mod sysroot;
mod target;
mod tree;

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
    /// Make sure that guests can be compiled for wasm32-wasip2
    Target,
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    let tree = Tree::here()?;
    match command {
        Command::Target => target::print(&tree)?,
    }
    Ok(ExitCode::SUCCESS)
}
