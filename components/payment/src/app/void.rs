//! Ending a payment, whatever became of it.

use kernel::{Instant, OrderId, Outcome};

use super::{App, Failed, Gateway, Payments, Trouble, payment_id};
use crate::domain::{Amount, EXCEEDS_REMAINING, Payment, Void, VoidRefused, VoidStep};

/// How often it is asked what is left to do: the payment is found, others' refunds are carried on, the
/// rest goes back, and then some for what others do meanwhile.
const ROUNDS: u32 = 8;

impl<P: Payments, G: Gateway> App<'_, P, G> {
    /// Ends the payment of an order: afterwards nothing of it is kept, and nothing can be taken any more.
    pub fn void(
        &self,
        void: &Void,
        now: Instant,
        random: u64,
    ) -> Result<Outcome<Payment>, Failed<VoidRefused>> {
        let order = void.charge.order;
        for round in 0..ROUNDS {
            let (payment, refunds) = self.payments.find_void(order, &void.key)?;
            match void.next(payment, &refunds, now).map_err(Failed::Refused)? {
                VoidStep::Settled(payment) if round == 0 => return Ok(Outcome::AlreadyDone(payment)),
                VoidStep::Settled(payment) => return Ok(Outcome::Done(payment)),
                VoidStep::AskGateway => self.write_what_was_taken(void, now, random, round)?,
                VoidStep::CarryOn(others, till) => {
                    // Refused ones are no refusal of ours: what they promised is left again.
                    for refund in &others {
                        self.carry_on(refund, &till, now, now)?;
                    }
                }
                VoidStep::Promise(refund, till) => drop(self.begin(&refund, &till, now)?),
                VoidStep::Continue(refund, till) => drop(self.carry_on(&refund, &till, now, now)?),
                VoidStep::Compare(payment) => self.write_difference(void, &payment, now)?,
            }
        }
        Err(Trouble::Contended.into())
    }

    /// Writes down what the gateway took without our hearing of it, or that nothing will ever be taken.
    /// Where others were first, the next round sees what they wrote.
    fn write_what_was_taken(
        &self,
        void: &Void,
        now: Instant,
        random: u64,
        round: u32,
    ) -> Result<(), Trouble> {
        let id = payment_id(now, random, round);
        let payment: Payment = match self.orphan(void.charge.order)? {
            Some((payment_key, held)) => void.found(id, payment_key, held, now),
            None => void.voided(id, now),
        };
        self.payments.insert(&payment)?;
        Ok(())
    }

    /// Writes down what the gateway gave back without us. Where others were first, the next round sees it.
    fn write_difference(
        &self,
        void: &Void,
        payment: &Payment,
        now: Instant,
    ) -> Result<(), Failed<VoidRefused>> {
        let entry = self
            .gateway
            .find(payment.order)
            .map_err(|why| Failed::Unanswered(Trouble::Gateway(why)))?;
        let ours = entry.filter(|entry| payment.keeps(&entry.approval.payment_key));
        let refund = ours.and_then(|entry| {
            let held = entry.approval.amount.checked_sub(entry.cancelled).ok()?;
            void.elsewhere(payment, held, entry.cancelled, now)
        });
        match refund {
            // What that mutant gives back twice must not pass for somebody else's doing.
            Some(refund) if !cfg!(feature = "mutant-refund-twice") => {
                self.payments.book_elsewhere(&refund, payment, now)?;
                Ok(())
            }
            Some(_) | None => Err(Failed::Refused(VoidRefused::Refused(
                EXCEEDS_REMAINING.to_owned(),
            ))),
        }
    }

    /// What the gateway holds for an order whose charge was never heard of.
    pub(super) fn orphan(&self, order: OrderId) -> Result<Option<(String, Amount)>, Trouble> {
        if cfg!(feature = "mutant-no-void-find") {
            // Only for the test that proves this guard is needed.
            return Ok(None);
        }
        self.held(order)
    }
}
