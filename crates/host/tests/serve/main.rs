//! The host with real components, over real sockets.

mod chaining;
mod composition;
mod connections;
mod faults;
mod grants;
mod limits;
mod loading;
mod misdeeds;
mod routing;
mod support;
