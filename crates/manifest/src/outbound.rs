//! Where a component may connect to.

use crate::{Component, Manifest, Resolver};

/// The `allowed_outbound_hosts` of one component, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts {}

/// An entry of `allowed_outbound_hosts` that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("allowed_outbound_hosts: `{entry}`: {reason}")]
pub struct AllowedHostsError {
    /// The entry as the manifest writes it, before any value is put in.
    pub entry: String,
    /// What is wrong with it.
    pub reason: String,
}

impl AllowedHosts {
    /// Reads the entries of a component, with the variables' values put in.
    pub fn new(
        _component: &Component,
        _manifest: &Manifest,
        _resolver: &Resolver,
    ) -> Result<Self, AllowedHostsError> {
        Ok(Self {})
    }

    /// Whether the component may connect to this absolute URL.
    pub fn check(&self, url: &str) -> bool {
        self.check_address(url, "")
    }

    /// The same for an address such as `db:5432` that may lack its scheme, as database interfaces take it.
    pub fn check_address(&self, _address: &str, _scheme: &str) -> bool {
        false
    }

    /// Whether it may send a request without a host, to its own application, under one of these schemes.
    pub fn check_relative(&self, _schemes: &[&str]) -> bool {
        false
    }
}

/// The component that a host name of service chaining means: `stock` for `stock.spin.internal`, with or without a port.
pub fn service_chaining_target(host: &str) -> Option<&str> {
    let (host, _port) = host.rsplit_once(':').unwrap_or((host, ""));
    let (component, domain) = host.split_once('.')?;
    (domain == "spin.internal").then_some(component)
}
