//! The database's own thread: it syncs commits, ends what lasts too long, and closes the file.

use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;
use crate::engine::Engine;
use crate::gate::Duty;

/// Works until the database is closed and hands the writing connection back with no transaction open.
pub(crate) fn run(core: &Arc<Core>) -> Option<Engine> {
    let options = &core.shared.options;
    let soonest = options.transaction_deadline.min(options.queue_timeout) / 8;
    let tick = soonest.clamp(Duration::from_millis(1), Duration::from_millis(250));
    loop {
        match core.gate.duty(tick, options.queue_timeout) {
            Duty::Sync => core.sync(),
            Duty::Evict(session) => core.evict(session),
            Duty::Close => break,
        }
    }
    core.gate.shut();
    let mut desk = core.desk().take()?;
    desk.end_turn();
    desk.flush().announce();
    Some(desk.into_engine())
}
