//! Whose request it is, by address.
//!
//! The peer of the connection is the client, unless it is one of our own proxies: then the proxy's word counts,
//! and so on to the left of `X-Forwarded-For`, as long as who says it is one of ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use crate::headers::{Headers, values};

/// The header in which the host says who is connected.
const PEER: &str = "spin-client-addr";

/// The header to which each proxy adds who is connected to it.
const WAY: &str = "x-forwarded-for";

/// The proxies whose word about a client is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Reads addresses and networks (`10.0.0.0/8`), separated by commas; blank means that there are none.
    ///
    /// Every part that is neither is named: to skip one would believe nobody where somebody should be believed,
    /// and put all clients of a proxy into one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let (good, bad): (Vec<_>, Vec<_>) = parts.map(network).partition(Result::is_ok);
        if bad.is_empty() {
            return Ok(Self(good.into_iter().flatten().collect()));
        }
        let bad: Vec<_> = bad.into_iter().filter_map(Result::err).collect();
        Err(format!("no address or network: {}", bad.join(", ")))
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// One address is a network of its own. A network of IPv4 written as IPv6 means the IPv4 one, as addresses do.
fn network(text: &str) -> Result<IpNet, String> {
    let parsed = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = parsed.map_err(|_| format!("`{text}`"))?;
    let mapped = match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => {
            v6.addr().to_ipv4_mapped().map(|v4| (v4, v6.prefix_len() - 96))
        }
        IpNet::V4(_) | IpNet::V6(_) => None,
    };
    match mapped {
        Some((v4, length)) => IpNet::new(v4.into(), length).map_err(|_| format!("`{text}`")),
        None => Ok(network.trunc()),
    }
}

/// A client, as far as addresses tell clients apart.
///
/// Whoever has one IPv6 address has the whole /64 around it, so those are one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// The first half of an IPv6 address.
    V6([u16; 4]),
    /// The host did not say. All such requests are one client's.
    Unknown,
}

impl Client {
    /// The client of a request with these headers.
    pub fn of(headers: &Headers, proxies: &Proxies) -> Self {
        // The host adds its own at the end; what stands before it the client may have sent.
        let peer = values(headers, PEER).last().and_then(|value| address(value));
        let Some(peer) = peer else {
            return Self::Unknown;
        };
        let way = values(headers, WAY);
        let entries = way.iter().flat_map(|line| line.split(|byte| *byte == b','));
        Self::from(first_stranger(peer, entries, proxies))
    }
}

/// Goes back along the way as long as who tells about it is trusted, and what is told is an address.
fn first_stranger<'a>(
    peer: IpAddr,
    way: impl DoubleEndedIterator<Item = &'a [u8]>,
    proxies: &Proxies,
) -> IpAddr {
    let mut last = peer;
    for entry in way.rev() {
        if !proxies.trust(last) {
            break;
        }
        match address(entry) {
            Some(address) => last = address,
            None => break,
        }
    }
    last
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::V4(v4),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

/// An address with or without a port, IPv6 with or without brackets. IPv4 written as IPv6 is IPv4.
fn address(value: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .map(|inside| inside.parse::<Ipv6Addr>().map(IpAddr::V6));
    let parsed = match bare {
        Some(parsed) => parsed.ok(),
        None => text.parse::<IpAddr>().ok(),
    };
    let parsed = parsed
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| unbracketed(text));
    parsed.map(|address| address.to_canonical())
}

/// `2001:db8:0:0:0:0:0:1:443`: all eight parts and a port behind them, which no address alone can be.
fn unbracketed(text: &str) -> Option<IpAddr> {
    let (address, port) = text.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &str, headers: &[(&str, &str)]) -> Client {
        let headers: Headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        Client::of(&headers, &Proxies::parse(proxies).unwrap())
    }

    fn named(text: &str) -> Client {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn the_peer_is_what_the_host_said_last() {
        let check = |values: &[&str], expected: Client| {
            let headers: Vec<_> = values.iter().map(|value| (PEER, *value)).collect();
            assert_eq!(client("", &headers), expected, "{values:?}");
        };
        check(&["192.0.2.1:80"], named("192.0.2.1"));
        check(&["192.0.2.1"], named("192.0.2.1"));
        check(&["10.0.0.1:1", "192.0.2.1:80"], named("192.0.2.1"));
        check(&["[2001:db8::1]:80"], named("2001:db8::"));
        check(&["[2001:db8::1]"], named("2001:db8::"));
        check(&["2001:db8::1"], named("2001:db8::"));
        check(&["2001:db8:0:0:0:0:0:1:443"], named("2001:db8::"));
        check(&["[::ffff:192.0.2.1]:80"], named("192.0.2.1"));
        check(&["::ffff:192.0.2.1"], named("192.0.2.1"));
        check(&[], Client::Unknown);
        for bad in [
            "",
            "shop",
            "192.0.2.1:80:80",
            "192.0.2.256",
            "[192.0.2.1",
            "[192.0.2.1]",
        ] {
            check(&[bad], Client::Unknown);
            check(&["192.0.2.1:80", bad], Client::Unknown);
        }
    }

    #[test]
    fn a_whole_64_is_one_client_and_the_next_is_another() {
        assert_eq!(named("2001:db8:1:2::1"), named("2001:db8:1:2:ffff::9"));
        assert_ne!(named("2001:db8:1:2::1"), named("2001:db8:1:3::1"));
    }

    #[test]
    fn nobody_is_believed_unless_trusted() {
        let forged = [(PEER, "192.0.2.1:80"), (WAY, "198.51.100.7")];
        assert_eq!(client("", &forged), named("192.0.2.1"));
        assert_eq!(client("10.0.0.0/8", &forged), named("192.0.2.1"));
        assert_eq!(client("192.0.2.1", &forged), named("198.51.100.7"));
    }

    #[test]
    fn the_way_is_walked_from_the_right_past_our_own() {
        let ours = "10.0.0.0/8, 2001:db8:f::/48, ::ffff:172.16.0.0/108";
        let check = |way: &[&str], expected: &str| {
            let mut headers = vec![(PEER, "10.0.0.1:80")];
            headers.extend(way.iter().map(|line| ("X-Forwarded-For", *line)));
            assert_eq!(client(ours, &headers), named(expected), "{way:?}");
        };
        check(&[], "10.0.0.1");
        check(&["198.51.100.7"], "198.51.100.7");
        check(&["203.0.113.9, 198.51.100.7"], "198.51.100.7");
        check(&["198.51.100.7, 10.0.0.2"], "198.51.100.7");
        check(&["198.51.100.7", "10.0.0.2"], "198.51.100.7");
        check(&["203.0.113.9", "198.51.100.7, 2001:db8:f::1"], "198.51.100.7");
        check(
            &["198.51.100.7:4711, ::ffff:10.0.0.2, 172.17.0.1"],
            "198.51.100.7",
        );
        check(&["[2001:db8:1:2::5]:4711"], "2001:db8:1:2::");
        check(&["10.0.0.3, 10.0.0.2"], "10.0.0.3");
        // What is no address stops the walk, whoever wrote it.
        check(&["198.51.100.7, unknown"], "10.0.0.1");
        check(&["198.51.100.7, , 10.0.0.2"], "10.0.0.2");
        check(&["198.51.100.7, _hidden, 10.0.0.2"], "10.0.0.2");
        check(&[""], "10.0.0.1");
    }

    #[test]
    fn all_that_is_no_network_is_named() {
        assert_eq!(Proxies::parse(" , "), Ok(Proxies::default()));
        assert!(Proxies::parse("10.0.0.0/8,::1,192.0.2.1").is_ok());
        assert_eq!(
            Proxies::parse("10.0.0.0/33, ::1, proxy.example"),
            Err("no address or network: `10.0.0.0/33`, `proxy.example`".to_owned())
        );
    }
}
