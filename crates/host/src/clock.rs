//! The time that components see, as a seam for tests.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use wasmtime_wasi::HostWallClock;

/// Says what time it is. Deadlines and the ticks of cron triggers do not ask it: they are real.
pub trait Clock: Send + Sync {
    /// How long ago 1970 began, in UTC.
    fn now(&self) -> Duration;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the host reads the time for its guests"
    )]
    fn now(&self) -> Duration {
        // A machine whose clock stands before 1970 has none.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// The same as wasmtime wants it.
pub(crate) struct WallClock(pub(crate) Arc<dyn Clock>);

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.0.now()
    }
}
