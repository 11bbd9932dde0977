//! One entry of `allowed_outbound_hosts`: `SCHEME://HOST[:PORT]`, each of which may be `*`.
//!
//! Reasons never quote the entry, since a secret may have been put into it.

use super::CHAINING_DOMAIN;
use std::net::IpAddr;
use std::ops::Range;
use url::Host;

/// What an entry lets through.
#[derive(Clone)]
pub(super) struct Entry {
    /// `None` is any.
    scheme: Option<String>,
    host: HostRule,
    port: PortRule,
}

#[derive(Clone)]
enum HostRule {
    Any,
    /// The application itself, for requests without a host.
    Itself,
    Exactly(Host),
    /// Any host whose name ends like this, dot included.
    Below(String),
    /// Any component of the application, by service chaining.
    Components(Vec<Host>),
    Network(Network),
}

#[derive(Clone)]
enum PortRule {
    Any,
    Exactly(u16),
    /// As in Spin the end is not included.
    Within(Range<u16>),
}

/// Checks an entry without variables.
pub(crate) fn check_entry(text: &str) -> Result<(), String> {
    Entry::parse(text, &[]).map(drop)
}

/// Whether an entry lets requests through to components of the application.
pub(crate) fn asks_for_chaining(text: &str) -> bool {
    Entry::parse(text, &[]).is_ok_and(|entry| match entry.host {
        HostRule::Components(_) => true,
        HostRule::Exactly(Host::Domain(domain)) => super::service_chaining_target(&domain).is_some(),
        _ => false,
    })
}

impl Entry {
    pub(super) fn parse(text: &str, components: &[&str]) -> Result<Self, String> {
        let form = "it must be SCHEME://HOST or SCHEME://HOST:PORT, each of which may be `*`";
        let (scheme, rest) = text.trim().split_once("://").ok_or(form)?;
        let (host, port) = split_port(rest)?;
        Ok(Self {
            port: PortRule::parse(port, scheme)?,
            scheme: parse_scheme(scheme)?,
            host: HostRule::parse(host)?.with_components(components),
        })
    }

    pub(super) fn allows(&self, scheme: &str, host: &Host, port: Option<u16>) -> bool {
        self.allows_scheme(scheme)
            && self.host.allows(host)
            && self.port.allows(port.or_else(|| default_port(scheme)))
    }

    pub(super) fn allows_relative(&self, schemes: &[&str]) -> bool {
        matches!(self.host, HostRule::Any | HostRule::Itself)
            && schemes.iter().any(|scheme| self.allows_scheme(scheme))
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
    }
}

fn parse_scheme(text: &str) -> Result<Option<String>, String> {
    match text {
        "*" => Ok(None),
        _ if text.starts_with('{') => {
            Err("lists of schemes are not possible; write one entry each".to_owned())
        }
        _ if text.chars().any(|letter| !letter.is_alphabetic()) => Err("a scheme is letters only".to_owned()),
        _ => Ok(Some(text.to_owned())),
    }
}

/// Splits off the port, unless what looks like one is the end of an IPv6 address.
fn split_port(rest: &str) -> Result<(&str, &str), String> {
    match rest.rsplit_once(':') {
        None => Ok((rest, "")),
        Some((host, "")) => Ok((host, "")),
        Some(_) if HostRule::parse(rest).is_ok() => Ok((rest, "")),
        Some((host, tail)) => match tail.split_once('/') {
            None => Ok((host, tail)),
            Some((port, "")) => Ok((host, port)),
            Some(_) => Err("it must not have a path".to_owned()),
        },
    }
}

impl HostRule {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::Itself),
            _ if text.starts_with('{') => {
                return Err("lists of hosts are not possible; write one entry each".to_owned());
            }
            _ => {}
        }
        if let Some(network) = Network::parse(text) {
            return Ok(Self::Network(network));
        }
        let host = text.strip_suffix('/').unwrap_or(text);
        if host.contains('/') {
            return Err("it must not have a path".to_owned());
        }
        match host.strip_prefix("*.") {
            Some(domain) if !domain.contains('*') => Self::below(domain),
            None if !host.contains('*') => Host::parse(host)
                .map(Self::Exactly)
                .map_err(|error| error.to_string()),
            _ => Err(
                "`*` is only possible as the whole host or as its first part, as in `*.example.com`"
                    .to_owned(),
            ),
        }
    }

    fn below(domain: &str) -> Result<Self, String> {
        match Host::parse(domain) {
            Ok(Host::Domain(domain)) => Ok(Self::Below(format!(".{domain}"))),
            Ok(Host::Ipv4(_) | Host::Ipv6(_)) => Err("only a name can follow `*.`".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// `*.spin.internal` means the components that exist, no others.
    fn with_components(self, components: &[&str]) -> Self {
        match self {
            Self::Below(suffix) if suffix.strip_prefix('.') == Some(CHAINING_DOMAIN) => {
                let host = |component: &&str| Host::Domain(format!("{component}{suffix}"));
                Self::Components(components.iter().map(host).collect())
            }
            other => other,
        }
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Exactly(allowed), host) => allowed == host,
            (Self::Below(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Components(allowed), host) => allowed.contains(host),
            (Self::Network(network), Host::Ipv4(address)) => network.contains((*address).into()),
            (Self::Network(network), Host::Ipv6(address)) => network.contains((*address).into()),
            (Self::Itself, _) | (Self::Below(_), _) | (Self::Network(_), Host::Domain(_)) => false,
        }
    }
}

impl PortRule {
    fn parse(text: &str, scheme: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse().map_err(|_| {
                "the port must be a number up to 65535, a range such as 8000..9000, or `*`".to_owned()
            })
        };
        match text {
            // A bus inside the process has no port.
            "" if scheme == "local" => Ok(Self::Any),
            "" => default_port(scheme)
                .map(Self::Exactly)
                .ok_or_else(|| "this scheme has no usual port, so it needs one".to_owned()),
            "*" => Ok(Self::Any),
            _ if text.starts_with('{') => {
                Err("lists of ports are not possible; write one entry each".to_owned())
            }
            _ => match text.split_once("..") {
                Some((start, end)) => Ok(Self::Within(number(start)?..number(end)?)),
                None => number(text).map(Self::Exactly),
            },
        }
    }

    fn allows(&self, port: Option<u16>) -> bool {
        match (self, port) {
            (Self::Any, _) => true,
            (_, None) => false,
            (Self::Exactly(allowed), Some(port)) => *allowed == port,
            (Self::Within(allowed), Some(port)) => allowed.contains(&port),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        "nats" => Some(4222),
        _ => None,
    }
}

/// The addresses that share the first bits with one, `10.0.0.0/8`.
#[derive(Clone, Copy)]
struct Network {
    address: IpAddr,
    shift: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let width: u32 = if address.is_ipv4() { 32 } else { 128 };
        let shift = width.checked_sub(u32::from(prefix.parse::<u8>().ok()?))?;
        Some(Self { address, shift })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let shared = |bits: u128| bits.checked_shr(self.shift).unwrap_or(0);
        match (self.address, address) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                shared(mine.to_bits().into()) == shared(other.to_bits().into())
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => shared(mine.to_bits()) == shared(other.to_bits()),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}
