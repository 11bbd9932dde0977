//! Says once when a subscription begins to work, and once when it stops.

use crate::Subscription;
use std::fmt::Display;

pub(crate) struct Health<'a> {
    subscription: &'a Subscription,
    works: Option<bool>,
}

impl<'a> Health<'a> {
    pub(crate) fn new(subscription: &'a Subscription) -> Self {
        Self {
            subscription,
            works: None,
        }
    }

    /// Messages come from now on.
    pub(crate) fn works(&mut self) {
        if self.works.replace(true) == Some(true) {
            return;
        }
        let Subscription {
            address,
            channel,
            name,
        } = self.subscription;
        tracing::info!(subscriber = name, channel, %address, "subscribed");
    }

    /// Messages do not come, for the time being.
    pub(crate) fn broken(&mut self, reason: &dyn Display) {
        let Subscription {
            address,
            channel,
            name,
        } = self.subscription;
        if self.works.replace(false) == Some(false) {
            tracing::debug!(subscriber = name, channel, %address, %reason, "still without the broker");
        } else {
            tracing::warn!(
                subscriber = name, channel, %address, %reason,
                "no messages from the broker: trying again until they come"
            );
        }
    }
}
