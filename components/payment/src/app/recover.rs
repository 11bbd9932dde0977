//! The job: refunds that were left half done, and money that arrived when nobody waited for it any more.

use kernel::{Instant, Millis};

use super::refund::Tried;
use super::{App, CancelError, Gateway, Payments, Trouble};
use crate::domain::Look;

/// A refund that was requested longer ago than this has nobody who is still at it: requests end sooner.
const ABANDONED_MICROS: i64 = 20_000_000;

/// How long a refund is left alone about which the gateway is silent, so that others get their turn.
const PAUSE: Millis = Millis(60_000);

/// A count of what was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Brought to an end.
    pub done: u32,
    /// Left for a later run: the gateway did not answer, or somebody else was at it.
    pub left: u32,
    /// The gateway refuses; a person must look.
    pub stuck: u32,
}

/// What became of one of them.
enum End {
    Done,
    Left,
    Stuck,
}

impl<P: Payments, G: Gateway> App<'_, P, G> {
    /// Carries up to `limit` things on. A silent gateway keeps none from the others, and only a database
    /// that does not answer ends the run.
    pub fn recover(&self, limit: u32, now: Instant) -> Result<Tally, Trouble> {
        let mut tally = Tally::default();
        let before = Instant::from_micros(now.micros().saturating_sub(ABANDONED_MICROS));
        let refunds = self.payments.requested(before, now, limit)?;
        let rest = limit.saturating_sub(u32::try_from(refunds.len()).unwrap_or(limit));
        for (refund, till) in &refunds {
            tally.count(match self.carry_on(refund, till, now) {
                Ok(Tried::Done(_)) => End::Done,
                Ok(Tried::Refused(_)) => End::Stuck,
                Ok(Tried::Overtaken) => End::Left,
                Err(Trouble::Gateway(_)) => {
                    self.payments.pause(refund, now.after(PAUSE))?;
                    End::Left
                }
                Err(trouble) => return Err(trouble),
            });
        }
        for look in self.payments.looks(now, rest)? {
            tally.count(self.look(look, now)?);
        }
        Ok(tally)
    }

    /// Looks whether the gateway holds money that no payment of ours keeps, and gives it back.
    fn look(&self, look: Look, now: Instant) -> Result<End, Trouble> {
        let held = match self.orphan(look.order) {
            Err(Trouble::Gateway(_)) => return self.put_off(look.again(now), End::Left),
            found => found?,
        };
        let kept = self.payments.find(look.order)?;
        let stray = held.filter(|(key, _)| !kept.is_some_and(|payment| payment.keeps(key)));
        match stray.map_or(Ok(()), |(key, amount)| {
            self.return_stray(look.order, &key, amount)
        }) {
            Ok(()) => {}
            Err(CancelError::Unavailable(_)) => return self.put_off(look.again(now), End::Left),
            Err(
                CancelError::UnknownPayment
                | CancelError::DiffersFromExisting
                | CancelError::ExceedsRemaining
                | CancelError::Refused(_),
            ) => return self.put_off(look.stuck(now), End::Stuck),
        }
        match look.next(now) {
            Some(next) => self.put_off(next, End::Done),
            None => self
                .payments
                .end_look(look)
                .map(|()| End::Done)
                .map_err(Trouble::from),
        }
    }

    fn put_off(&self, look: Look, end: End) -> Result<End, Trouble> {
        self.payments.set_look(look)?;
        Ok(end)
    }
}

impl Tally {
    const fn count(&mut self, end: End) {
        match end {
            End::Done => self.done += 1,
            End::Left => self.left += 1,
            End::Stuck => self.stuck += 1,
        }
    }
}
