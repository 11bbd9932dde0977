//! `cargo xtask bench`: what starting, a page and a checkout cost.
//!
//! Everything runs on loopback against the host and the components that `up` serves, each section on a
//! shop of its own in a temporary folder. A shop that sold something is audited when it has stopped, and a
//! broken invariant fails the benchmark: a figure of a shop that miscounts is worth nothing.
#![allow(
    clippy::float_arithmetic,
    reason = "rates and ratios of measurements; there is no money here"
)]
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

mod bare;
mod costs;
mod disk;
mod door;
mod figures;
mod flags;
mod load;
mod machine;
mod memory;
mod overload;
mod pages;
mod place;
mod plot;
mod process;
mod report;
mod rivals;
mod scenarios;
mod start;
mod stores;
mod table;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::flags::{Flags, Plan, Section};
use crate::place::Place;
use crate::report::Report;

/// One thread for the load, so that the host has the rest of the machine.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match measure(&Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(flags: &Flags) -> Result<()> {
    flags.check()?;
    let plan = Plan::of(flags);
    let place = Place::make(flags.host.clone())?;
    let mut report = Report::new(machine::look(place.path())?, flags.quick);
    println!("{}", report.machine);
    for section in flags.sections() {
        eprintln!("measuring: {}", section.name());
        match section {
            Section::Start => report.start = Some(said(start::measure(&place, &plan).await?)),
            Section::Memory => report.memory = Some(said(memory::measure(&place).await?)),
            Section::Pages => report.pages = Some(said(pages::measure(&place, &plan).await?)),
            Section::Costs => report.costs = Some(said(costs::measure(&place).await?)),
            Section::Door => report.door = Some(said(door::measure(&place, &plan).await?)),
            Section::Stores => report.stores = Some(said(stores::measure(&plan).await?)),
            Section::Scenarios => report.scenarios = Some(said(scenarios::measure(&place, &plan).await?)),
            Section::Rivals => report.rivals = Some(said(rivals::measure(&place, &plan).await?)),
            Section::Overload => report.overload = Some(said(overload::measure(&place, &plan).await?)),
        }
    }
    report.load_after = machine::load()?;
    println!(
        "load average {} before, {} after",
        report.machine.load, report.load_after
    );
    if let Some(path) = &flags.json {
        report.write(path)?;
    }
    if let Some(folder) = &flags.report {
        report.publish(folder)?;
    }
    Ok(())
}

/// Prints a section as soon as it is known.
fn said<T: std::fmt::Display>(section: T) -> T {
    println!("{section}");
    section
}
