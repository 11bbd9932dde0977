//! Running on the thread that asks.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs something that may take long: a thread of a runtime that has several lets the others take its tasks over
/// meanwhile.
pub(crate) fn run_inline<T>(work: impl FnOnce() -> T) -> T {
    let several =
        Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if several {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}
