//! One message at a time.

use crate::queue::Exit;
use crate::{Message, Subscription, Verdict};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

/// Lets `handle` have one message. A panic in it is a failure like any other: the subscriber goes on.
pub(crate) async fn attempt<H, F>(handle: &mut H, message: Message) -> Verdict
where
    H: FnMut(Message) -> F + Send,
    F: Future<Output = Verdict> + Send,
{
    let handling = async { handle(message).await };
    AssertUnwindSafe(handling)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            tracing::error!("the handler of a message panicked");
            Verdict::Failed
        })
}

/// Handles what comes out of a queue until `stop`, each message once.
pub(crate) async fn at_most_once<H, F, S>(
    subscription: &Subscription,
    mut messages: Exit,
    mut handle: H,
    mut stop: Pin<&mut S>,
) where
    H: FnMut(Message) -> F + Send,
    F: Future<Output = Verdict> + Send,
    S: Future<Output = ()> + Send,
{
    loop {
        let message = tokio::select! {
            biased;
            () = &mut stop => return,
            message = messages.next() => message,
        };
        let Some(message) = message else {
            return stop.await;
        };
        let (channel, size) = (message.channel.clone(), message.payload.len());
        if attempt(&mut handle, message).await == Verdict::Failed {
            tracing::warn!(
                subscriber = subscription.name,
                channel,
                size,
                "a message was not handled and does not come again by itself"
            );
        }
    }
}
