//! The job: refunds that were left half done, and money that arrived when nobody waited for it any more.

use kernel::{Instant, Millis};

use super::refund::Tried;
use super::{App, BadRefund, CancelError, Gateway, Payments, Trouble};
use crate::domain::{HOLD, Look, Refund, Stray, Till};

/// How long the job leaves a refund alone that it tried, so that others get their turn whatever happens.
const REST: Millis = Millis(60_000);

/// What log lines of the job are about.
const OPERATION: &str = "payment.recover";

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
    /// Carries up to `limit` things on. Only a database that does not answer ends the run: a silent gateway, a
    /// row that makes no sense and a run that dies keep none from the others.
    pub fn recover(&self, limit: u32, now: Instant) -> Result<Tally, Trouble> {
        let mut tally = Tally::default();
        let before = Instant::from_micros(now.micros().saturating_sub(i64::from(HOLD.0) * 1_000));
        let refunds = self.payments.requested(before, now, limit)?;
        let rest = limit.saturating_sub(u32::try_from(refunds.len()).unwrap_or(limit));
        for due in refunds {
            let (what, end) = match due {
                Ok((refund, till)) => (name(&refund), self.recover_refund(&refund, &till, now)),
                Err(bad) => (bad.to_string(), self.leave_unread(&bad, now)),
            };
            tally.count(or_left(&what, end)?);
        }
        for due in self.payments.looks(now, rest)? {
            let (what, end) = match due {
                Ok(look) => (format!("order {}", look.order), self.look(look, now)),
                Err(bad) => {
                    let off = self.payments.put_off(bad.order, bad.due, now.after(REST));
                    let unread = |_| Err(Trouble::Store(bad.source.clone().into()));
                    (bad.to_string(), off.map_err(Trouble::from).and_then(unread))
                }
            };
            tally.count(or_left(&what, end)?);
        }
        Ok(tally)
    }

    fn recover_refund(&self, refund: &Refund, till: &Till, now: Instant) -> Result<End, Trouble> {
        Ok(match self.carry_on(refund, till, now, now.after(REST))? {
            Tried::Done(_) => End::Done,
            Tried::Refused(code) => stuck(&name(refund), &code),
            Tried::Overtaken => End::Left,
        })
    }

    fn leave_unread(&self, bad: &BadRefund, now: Instant) -> Result<End, Trouble> {
        self.payments.rest(bad, now.after(REST))?;
        Err(Trouble::Store(bad.source.clone().into()))
    }

    /// Looks whether the gateway holds money that no payment of ours keeps, and gives it back. Before the
    /// gateway is asked the look is put off, so that it is not the next one again when it never answers.
    fn look(&self, look: Look, now: Instant) -> Result<End, Trouble> {
        let taken = look.again(now);
        if !self.payments.put_off(look.order.as_i64(), look.due, taken.due)? {
            return Ok(End::Left);
        }
        let held = self.orphan(look.order)?;
        let kept = self.payments.find(look.order)?;
        let stray = held.filter(|(key, _)| !kept.is_some_and(|payment| payment.keeps(key)));
        if let Some((payment_key, amount)) = stray {
            match self.return_stray(look.order, &payment_key, amount) {
                Ok(()) => {}
                Err(CancelError::Unavailable(why)) => return Err(Trouble::Gateway(why)),
                Err(refusal) => {
                    let (order, code) = (look.order, refusal.code());
                    let what = format!("order {order}, stray money {payment_key}");
                    let stray = Stray {
                        order,
                        payment_key,
                        amount,
                    };
                    self.payments
                        .stick_look(taken, look.stuck(now), &stray, &code, now)?;
                    return Ok(stuck(&what, &code));
                }
            }
        }
        self.payments.end_look(taken, look.next(now))?;
        Ok(End::Done)
    }
}

fn name(refund: &Refund) -> String {
    format!("order {}, refund {}", refund.order, refund.key.as_str())
}

fn stuck(what: &str, code: &str) -> End {
    web::log::error(OPERATION, &format!("{what}: the gateway keeps the money: {code}"));
    End::Stuck
}

/// One thing that can't be done must not keep the others from it; a database that does not answer does.
fn or_left(what: &str, end: Result<End, Trouble>) -> Result<End, Trouble> {
    match end {
        Err(Trouble::Store(error)) if error.retryable() => Err(Trouble::Store(error)),
        Err(Trouble::Store(error)) => {
            web::log::error(OPERATION, &format!("{what}: {error}"));
            Ok(End::Left)
        }
        Err(trouble) => {
            web::log::warn(OPERATION, &format!("{what}: {trouble}"));
            Ok(End::Left)
        }
        Ok(end) => Ok(end),
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
