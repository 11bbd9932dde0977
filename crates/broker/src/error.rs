//! What can go wrong when somebody talks to a broker.

use crate::MAX_PAYLOAD;

/// Why a call to a broker failed. No text of it holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// The payload is above [`MAX_PAYLOAD`]; repeating the call is no use.
    #[error("a message of {size} bytes is more than the {MAX_PAYLOAD} that are allowed")]
    TooBig {
        /// How many bytes it has.
        size: usize,
    },
    /// The broker knows no such channel; repeating the call is no use.
    #[error("{channel:?} cannot be a channel of {address}: {reason}")]
    Channel {
        /// The broker.
        address: String,
        /// What was asked for.
        channel: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A Redis command was sent to something else; repeating the call is no use.
    #[error("{address} is not Redis, and only Redis runs Redis commands")]
    NotRedis {
        /// The broker.
        address: String,
    },
    /// A Redis command that would disturb others on the shared connection; repeating is no use.
    #[error("{command} needs a Redis connection of its own, and this one is shared")]
    NotShared {
        /// The command's name.
        command: String,
    },
    /// The broker answered, and said no.
    #[error("{address} refused: {reason}")]
    Refused {
        /// The broker.
        address: String,
        /// What it said.
        reason: String,
    },
    /// The broker can't be reached or did not answer: what was asked may have been done or not.
    #[error("{address} is not available: {reason}")]
    Unavailable {
        /// The broker.
        address: String,
        /// What happened.
        reason: String,
    },
}
