//! Waiting for something, but not for ever.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::{Either, poll_fn, select};
use kernel::Millis;
use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use spin_sdk::wit::wasi::clocks0_2_0::monotonic_clock;

/// What comes out, or nothing when it takes longer than this.
///
/// The clock runs beside it, because a first-byte timeout in the options of a request is not kept by every
/// host where service chaining is concerned. What is given up is dropped, which cancels it.
pub async fn within<T>(limit: Millis, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), pin!(elapsed(limit))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(((), _)) => None,
    }
}

/// Ends after this time. The clock is first read when it is first waited for.
async fn elapsed(limit: Millis) {
    let mut end = None;
    // The last registration; a new one takes its place, or it is withdrawn at the end.
    let mut waiting: Option<CancelOnDropToken> = None;
    poll_fn(move |context| {
        let now = monotonic_clock::now();
        let end = *end.get_or_insert(now + u64::from(limit.0) * 1_000_000);
        drop(waiting.take());
        if now >= end {
            return Poll::Ready(());
        }
        let pollable = monotonic_clock::subscribe_instant(end);
        waiting = Some(push_waker_and_get_token(pollable, context.waker().clone()).into());
        Poll::Pending
    })
    .await;
}
