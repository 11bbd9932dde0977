//! Addresses of NATS.

use super::{AddressError, decoded, is_name};
use std::fmt;
use std::time::Duration;
use url::Url;

const EXPECTED: AddressError = AddressError::Malformed {
    expected: "nats://[USER:PASSWORD@]HOST[:PORT][?stream=NAME&durable=NAME&max_deliver=N&ack_wait_ms=N or ?queue=GROUP]",
};

/// A NATS server, and how its subscribers share the work.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NatsAddress {
    pub(crate) server: Server,
    pub(crate) sharing: Sharing,
}

/// A NATS server: what a connection needs to know, and all it depends on.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// User and password.
    pub(crate) login: Option<(String, String)>,
}

/// How the subscribers of one name share the work: each message goes to one of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// A plain subject with this queue group, or the subscriber's name: at most once.
    Group(Option<String>),
    /// A stream with a durable consumer: again and again until it is done or given up.
    Stream(JetStream),
}

/// A stream of JetStream, and how it is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JetStream {
    /// The stream; it is made when it is absent, and takes the subject if it does not yet.
    pub stream: String,
    /// The durable consumer. Without it the subscriber's name and the channel make one.
    pub durable: Option<String>,
    /// How often a message is delivered before it is given up: 10 unless the address says otherwise.
    pub max_deliver: u32,
    /// How long a subscriber may be silent about a message before somebody else gets it: 30 s
    /// unless the address says otherwise. A handler at work is not silent.
    pub ack_wait: Duration,
}

impl NatsAddress {
    pub(super) fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| EXPECTED)?;
        let strange = url.fragment().is_some() || !matches!(url.path(), "" | "/") || url.port() == Some(0);
        let host = url.host_str().filter(|host| !host.is_empty());
        let Some(host) = host.filter(|_| !strange) else {
            return Err(EXPECTED);
        };
        Ok(Self {
            server: Server {
                host: host.to_owned(),
                port: url.port().unwrap_or(4222),
                login: login(&url)?,
            },
            sharing: Parameters::read(&url)?.sharing()?,
        })
    }

    /// How the work is shared.
    pub fn sharing(&self) -> &Sharing {
        &self.sharing
    }
}

fn login(url: &Url) -> Result<Option<(String, String)>, AddressError> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(EXPECTED),
        (user, Some(password)) => Ok(Some((
            decoded(user).ok_or(EXPECTED)?,
            decoded(password).ok_or(EXPECTED)?,
        ))),
    }
}

#[derive(Default)]
struct Parameters {
    queue: Option<String>,
    stream: Option<String>,
    durable: Option<String>,
    max_deliver: Option<u32>,
    ack_wait: Option<Duration>,
}

impl Parameters {
    fn read(url: &Url) -> Result<Self, AddressError> {
        let mut read = Self::default();
        for (name, value) in url.query_pairs() {
            match &*name {
                "queue" => put(&mut read.queue, &name, text(&name, &value)?)?,
                "stream" => put(&mut read.stream, &name, text(&name, &value)?)?,
                "durable" => put(&mut read.durable, &name, text(&name, &value)?)?,
                "max_deliver" => put(&mut read.max_deliver, &name, number(&name, &value, 1, 1_000_000)?)?,
                "ack_wait_ms" => {
                    let ms = number(&name, &value, 100, 3_600_000)?;
                    put(&mut read.ack_wait, &name, Duration::from_millis(ms.into()))?;
                }
                _ => {
                    return Err(fault(
                        &name,
                        "is not known: there are queue, stream, durable, max_deliver and ack_wait_ms",
                    ));
                }
            }
        }
        Ok(read)
    }

    fn sharing(self) -> Result<Sharing, AddressError> {
        if let Some(stream) = self.stream {
            if self.queue.is_some() {
                return Err(fault(
                    "queue",
                    "is for a plain subject: name the durable consumer of the stream instead",
                ));
            }
            return Ok(Sharing::Stream(JetStream {
                stream,
                durable: self.durable,
                max_deliver: self.max_deliver.unwrap_or(10),
                ack_wait: self.ack_wait.unwrap_or(Duration::from_secs(30)),
            }));
        }
        let orphan = [
            ("durable", self.durable.is_some()),
            ("max_deliver", self.max_deliver.is_some()),
            ("ack_wait_ms", self.ack_wait.is_some()),
        ];
        match orphan.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(fault(name, "needs a stream")),
            None => Ok(Sharing::Group(self.queue)),
        }
    }
}

fn fault(name: &str, reason: &'static str) -> AddressError {
    AddressError::Parameter {
        name: name.to_owned(),
        reason,
    }
}

fn put<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), AddressError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(fault(name, "is given twice")),
    }
}

fn text(name: &str, value: &str) -> Result<String, AddressError> {
    if is_name(value) {
        Ok(value.to_owned())
    } else {
        Err(fault(name, "must be a name of letters, digits, - and _"))
    }
}

fn number(name: &str, value: &str, least: u32, most: u32) -> Result<u32, AddressError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(number) if digits && (least..=most).contains(&number) => Ok(number),
        _ => Err(fault(
            name,
            "is not a whole number in its bounds (max_deliver 1 to 1000000, ack_wait_ms 100 to 3600000)",
        )),
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nats://")?;
        if let Some((user, _)) = &self.login {
            write!(f, "{user}:***@")?;
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for NatsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(f)?;
        match &self.sharing {
            Sharing::Group(None) => Ok(()),
            Sharing::Group(Some(group)) => write!(f, "?queue={group}"),
            Sharing::Stream(options) => write!(f, "?stream={}", options.stream),
        }
    }
}

impl fmt::Debug for NatsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
