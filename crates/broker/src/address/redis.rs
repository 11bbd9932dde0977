//! Addresses of Redis.

use super::{AddressError, decoded};
use std::fmt;
use url::Url;

const EXPECTED: AddressError = AddressError::Malformed {
    expected: "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]",
};

/// A Redis server, and a database of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RedisAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// For commands; channels are the same in all databases.
    pub(crate) database: u16,
}

impl RedisAddress {
    pub(super) fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| EXPECTED)?;
        if let Some((name, _)) = url.query_pairs().next() {
            return Err(AddressError::Parameter {
                name: name.into_owned(),
                reason: "is not known: Redis has none",
            });
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        if url.fragment().is_some() || url.query().is_some() || url.port() == Some(0) {
            return Err(EXPECTED);
        }
        let user = decoded(url.username()).ok_or(EXPECTED)?;
        let password = url
            .password()
            .map(|password| decoded(password).ok_or(EXPECTED))
            .transpose()?;
        if password.is_none() && !user.is_empty() {
            return Err(EXPECTED);
        }
        Ok(Self {
            host: host.ok_or(EXPECTED)?.to_owned(),
            port: url.port().unwrap_or(6379),
            user: Some(user).filter(|user| !user.is_empty()),
            password,
            database: match url.path().trim_start_matches('/') {
                "" => 0,
                number => number.parse().map_err(|_| EXPECTED)?,
            },
        })
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("redis://")?;
        if self.password.is_some() {
            write!(f, "{}:***@", self.user.as_deref().unwrap_or_default())?;
        }
        write!(f, "{}:{}", self.host, self.port)?;
        match self.database {
            0 => Ok(()),
            database => write!(f, "/{database}"),
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
