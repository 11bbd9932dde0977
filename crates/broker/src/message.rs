//! What is published, how it is subscribed to, and what a handler answers.

use crate::{Address, BrokerError};
use bytes::Bytes;

/// The most bytes a message may have: 1 MiB. More is refused when published here, and cut to one byte
/// above it when somebody else published it: its handler can tell, and put it aside.
pub const MAX_PAYLOAD: usize = 1024 * 1024;

/// A message as a handler gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it was published: with a wildcard in the subscription (NATS only), the very subject.
    pub channel: String,
    /// What was published; with more than [`MAX_PAYLOAD`] bytes only its beginning.
    pub payload: Bytes,
    /// Which time this message is delivered, from 1; above 1 only with JetStream.
    pub delivery: u32,
}

impl Message {
    /// A message as it came from a broker, where anybody may publish anything of any size.
    pub(crate) fn received(channel: &str, payload: Bytes, delivery: u32) -> Self {
        let payload = if payload.len() > MAX_PAYLOAD {
            tracing::error!(
                channel,
                "a message is bigger than allowed: only its beginning is handed on"
            );
            beginning(&payload)
        } else {
            payload
        };
        Self {
            channel: channel.to_owned(),
            payload,
            delivery,
        }
    }
}

/// A copy of as much of a payload as is handed on: what is bigger is never there twice.
pub(crate) fn beginning(payload: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&payload[..payload.len().min(MAX_PAYLOAD + 1)])
}

/// How handling a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was handled: JetStream may forget it.
    Done,
    /// It was not handled. JetStream delivers it again after 1 s, 2 s, 4 s … (at most 30 s), and
    /// after `max_deliver` deliveries gives it up with an error in the log; everybody else delivers
    /// at most once, so it is logged and lost.
    Failed,
}

/// Who listens where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The broker.
    pub address: Address,
    /// The channel or subject. NATS knows the wildcards `*` and `>`; the others take it literally.
    pub channel: String,
    /// The subscriber: stands in logs, is the queue group of a NATS subject unless the address names
    /// one, and together with the channel the durable consumer of a stream unless the address names one.
    pub name: String,
}

impl Subscription {
    /// Says whether this can work at all, so that a configuration can be refused before it is used.
    pub fn check(&self) -> Result<(), BrokerError> {
        check_channel(&self.address, &self.channel, Wildcards::Allowed)
    }
}

/// Says whether `payload` may be sent to `channel`.
pub(crate) fn check_publish(address: &Address, channel: &str, payload: &Bytes) -> Result<(), BrokerError> {
    if payload.len() > MAX_PAYLOAD {
        return Err(BrokerError::TooBig { size: payload.len() });
    }
    check_channel(address, channel, Wildcards::Refused)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wildcards {
    Allowed,
    Refused,
}

fn check_channel(address: &Address, channel: &str, wildcards: Wildcards) -> Result<(), BrokerError> {
    let fault = match address {
        Address::Local(_) | Address::Redis(_) => channel.is_empty().then_some("it must not be empty"),
        Address::Nats(_) => subject_fault(channel, wildcards),
    };
    fault.map_or(Ok(()), |reason| {
        Err(BrokerError::Channel {
            address: address.to_string(),
            channel: channel.to_owned(),
            reason,
        })
    })
}

/// What is wrong with a NATS subject. A line break in one would end up as a command to the server.
fn subject_fault(subject: &str, wildcards: Wildcards) -> Option<&'static str> {
    if subject
        .chars()
        .any(|letter| letter.is_whitespace() || letter.is_control())
    {
        return Some("a subject has no white space");
    }
    let tokens: Vec<&str> = subject.split('.').collect();
    if tokens.iter().any(|token| token.is_empty()) {
        return Some("a subject is one or more words with a dot between");
    }
    if wildcards == Wildcards::Refused && tokens.iter().any(|token| matches!(*token, "*" | ">")) {
        return Some("nothing is published to a wildcard");
    }
    let many = tokens.iter().position(|token| *token == ">");
    many.is_some_and(|at| at + 1 < tokens.len())
        .then_some("> can only be the last word")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(channel: &str, wildcards: Wildcards) -> bool {
        subject_fault(channel, wildcards).is_none()
    }

    #[test]
    fn subjects_are_words_with_dots_between() {
        for good in ["shop", "shop.order", "가게.주문", "a.b.c-d_e"] {
            assert!(check(good, Wildcards::Refused), "{good}");
        }
        for bad in ["", ".", "a.", ".a", "a..b", "a b", "a\tb", "a\r\nPUB b 0", "a\0b"] {
            assert!(!check(bad, Wildcards::Allowed), "{bad:?}");
        }
    }

    #[test]
    fn wildcards_are_only_for_those_who_listen() {
        for wild in ["shop.*", "*", ">", "shop.>", "*.order"] {
            assert!(check(wild, Wildcards::Allowed), "{wild}");
            assert!(!check(wild, Wildcards::Refused), "{wild}");
        }
        assert!(!check("shop.>.order", Wildcards::Allowed));
    }
}
