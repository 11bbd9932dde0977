//! The host with real components, over real sockets.

mod brokers;
mod chaining;
mod command_line;
mod composition;
mod connections;
mod faults;
mod grants;
mod limits;
mod loading;
mod misdeeds;
mod resting;
mod routing;
mod seams;
mod storage;
mod support;
mod triggers;
