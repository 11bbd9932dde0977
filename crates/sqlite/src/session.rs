//! What is known of one guest's connection.

use crate::Error;

/// One guest's connection, as the database tells them apart.
pub(crate) type SessionId = u64;

/// Where a guest stands with its transaction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// Outside a transaction.
    Idle,
    /// Inside one, which pins the writer.
    Open(Opened),
    /// Inside one as far as the guest knows; the host has rolled it back.
    Lost(Opened, Error),
}

/// How a transaction was opened: by the outermost `SAVEPOINT` of this name, or by `BEGIN`.
pub(crate) type Opened = Option<String>;
