//! Where a component may connect to.

mod entry;

use crate::{Component, Manifest, Resolver};
use entry::Entry;
use std::fmt;
use url::{Host, Url};

pub(crate) use entry::{asks_for_chaining, check_entry};

/// The domain under which components reach each other.
const CHAINING_DOMAIN: &str = "spin.internal";

/// The `allowed_outbound_hosts` of one component, ready to be asked.
#[derive(Clone, Default)]
pub struct AllowedHosts {
    entries: Vec<Entry>,
}

/// Shows how many there are: a secret may have been put into one.
impl fmt::Debug for AllowedHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AllowedHosts({})", self.entries.len())
    }
}

/// An entry of `allowed_outbound_hosts` that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("allowed_outbound_hosts of component `{component}`: `{entry}`: {reason}")]
pub struct AllowedHostsError {
    /// The component that has the entry.
    pub component: String,
    /// The entry as the manifest writes it, before any value is put in.
    pub entry: String,
    /// What is wrong with it; never a variable's value.
    pub reason: String,
}

impl AllowedHosts {
    /// Reads the entries of a component, with the variables' values put in.
    ///
    /// An entry that is empty because its variables are (`{{ host }}`, `https://{{ host }}`) grants nothing
    /// and is no error, so that an endpoint can be optional. A variable may hold a whole address, such as a
    /// broker's: who logs in there, the database of a Redis and what stands behind `?` say how to use it, not
    /// where it is, and are left out.
    pub fn new(
        component: &Component,
        manifest: &Manifest,
        resolver: &Resolver,
    ) -> Result<Self, AllowedHostsError> {
        let components: Vec<_> = manifest.components.keys().map(String::as_str).collect();
        let mut entries = Vec::new();
        for template in &component.allowed_outbound_hosts {
            let refuse = |reason: String| AllowedHostsError {
                component: component.id.clone(),
                entry: template.to_string(),
                reason,
            };
            let text = resolver
                .expand(template)
                .map_err(|error| refuse(error.to_string()))?;
            if !template.is_literal() && matches!(text.as_str(), "" | "http://" | "https://") {
                continue;
            }
            let place = if template.is_literal() { text } else { place(&text) };
            entries.push(Entry::parse(&place, &components).map_err(refuse)?);
        }
        Ok(Self { entries })
    }

    /// Whether the component may connect to this absolute URL.
    pub fn check(&self, url: &str) -> bool {
        self.check_address(url, "")
    }

    /// The same for an address such as `db:5432` that may lack its scheme, as database interfaces take it.
    pub fn check_address(&self, address: &str, scheme: &str) -> bool {
        let Some(url) = parse_address(address, scheme) else {
            return false;
        };
        let Some(Ok(host)) = url.host_str().map(Host::parse) else {
            return false;
        };
        self.entries
            .iter()
            .any(|entry| entry.allows(url.scheme(), &host, url.port()))
    }

    /// Whether it may send a request without a host, to its own application, under one of these schemes.
    pub fn check_relative(&self, schemes: &[&str]) -> bool {
        self.entries.iter().any(|entry| entry.allows_relative(schemes))
    }
}

fn parse_address(address: &str, scheme: &str) -> Option<Url> {
    let address = without_user(address);
    let whole = Url::parse(&address).ok().filter(Url::has_host);
    whole.or_else(|| Url::parse(&format!("{scheme}://{address}")).ok())
}

/// Where an address leads.
fn place(address: &str) -> String {
    let (place, _) = address.split_once('?').unwrap_or((address, ""));
    let place = without_user(place);
    let redis = place.strip_prefix("redis://");
    match redis.and_then(|rest| rest.split_once('/')) {
        Some((server, _database)) => format!("redis://{server}"),
        None => place,
    }
}

/// Leaves out `user:password@`: a password may hold `#` or other letters that would end the host.
fn without_user(address: &str) -> String {
    let start = address.find("://").map_or(0, |scheme_end| scheme_end + 3);
    let (scheme, rest) = address.split_at(start);
    let path = rest.find('/').unwrap_or(rest.len());
    match rest.find('@') {
        Some(at) if at < path => format!("{scheme}{}", &rest[at + 1..]),
        _ => address.to_owned(),
    }
}

/// The component that a host name of service chaining means: `stock` for `stock.spin.internal`, with or without a port.
pub fn service_chaining_target(host: &str) -> Option<&str> {
    let (host, _port) = host.rsplit_once(':').unwrap_or((host, ""));
    let (component, domain) = host.split_once('.')?;
    (domain == CHAINING_DOMAIN).then_some(component)
}

#[cfg(test)]
mod tests;
