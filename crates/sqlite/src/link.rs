//! What a database's handles hold on to: when the last one goes, the database closes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use tokio::sync::watch;

use crate::core::Core;
use crate::session::SessionId;

/// The guests' end.
pub(crate) struct Link {
    pub(crate) core: Arc<Core>,
    /// True once every file handle is closed.
    pub(crate) closed: watch::Receiver<bool>,
    pub(crate) sessions: AtomicU64,
}

impl Link {
    pub(crate) fn next_session(&self) -> SessionId {
        self.sessions.fetch_add(1, Relaxed)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.core.gate.close(Instant::now());
    }
}
