//! What `infra/`, `deploy/` and the workflows say, held against the programs and schemas that will read it.
//!
//! Programs that are not there are installed by the tests under `target/`, from the registries of Python and Debian and in
//! the versions of `tools.rs`; where that is not possible a test says that it was left out, and fails under
//! `BODEGA_REQUIRE_SERVERS=1`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod audit;
mod backup;
mod chart;
mod dashboards;
mod documents;
mod image;
mod monitoring;
mod outside;
mod postgres;
mod profile;
mod rules;
mod runbook;
mod schemas;
mod scripts;
mod tools;
mod yaml;
