use kernel::{Instant, Money, PaymentId};

use crate::domain::{
    Amount, Charge, EXCEEDS_REMAINING, Method, Payment, PaymentKey, Refund, RefundKey, RefundState, State,
    Till, VOIDED,
};

/// The command: end the payment of an order, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Void {
    /// The charge that was or would have been made.
    pub charge: Charge,
    /// Under which key money goes back.
    pub key: RefundKey,
    /// Why, in the caller's words.
    pub reason: String,
}

/// Why money is still kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VoidRefused {
    /// The gateway does not give it back; carries its code.
    #[error("the gateway refused: {0}")]
    Refused(String),
}

/// What voiding still needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoidStep {
    /// Nothing: nothing is kept, and nothing can be taken.
    Settled(Payment),
    /// Nothing is written here: the gateway knows whether anything was taken.
    AskGateway,
    /// Others' refunds are under way; only when they have ended is it known what is left.
    CarryOn(Vec<Refund>, Till),
    /// Write the promise down, then give back what is left.
    Promise(Refund, Till),
    /// It is promised already: give it back.
    Continue(Refund, Till),
    /// The gateway holds less than is left here, and nothing is under way: somebody gave money back there.
    Compare(Payment),
}

impl Void {
    /// What is to be done, given the order's payment and those of its refunds that are under way or have
    /// this command's key or one derived from it.
    pub fn next(
        &self,
        payment: Option<Payment>,
        refunds: &[Refund],
        now: Instant,
    ) -> Result<VoidStep, VoidRefused> {
        let Some(payment) = payment else {
            return Ok(VoidStep::AskGateway);
        };
        let till = match &payment.state {
            State::Captured { till, .. } => till.clone(),
            State::Failed { .. } => return Ok(VoidStep::Settled(payment)),
        };
        let (key, ours) = self.current(refunds, payment.refundable());
        let under_way = |refund: &&Refund| refund.state == RefundState::Requested && refund.key != key;
        let others: Vec<Refund> = refunds.iter().filter(under_way).cloned().collect();
        if !others.is_empty() {
            return Ok(VoidStep::CarryOn(others, till));
        }
        if let Some(ours) = ours
            && ours.state == RefundState::Requested
        {
            return Ok(VoidStep::Continue(ours.clone(), till));
        }
        let Ok(left) = Amount::try_new(payment.refundable()) else {
            return Ok(VoidStep::Settled(payment));
        };
        match ours.map(|refund| &refund.state) {
            Some(RefundState::Refused { code, .. }) if code == EXCEEDS_REMAINING => {
                Ok(VoidStep::Compare(payment))
            }
            Some(RefundState::Refused { code, .. }) => Err(VoidRefused::Refused(code.clone())),
            Some(RefundState::Requested | RefundState::Done { .. }) | None => {
                Ok(VoidStep::Promise(self.refund(key, left, now), till))
            }
        }
    }

    /// The payment that the gateway took without our hearing of it. Only a card's or a window's money is
    /// with the gateway, so it was not cash, whatever the command says.
    pub fn found(&self, id: PaymentId, payment_key: String, held: Amount, now: Instant) -> Payment {
        let method = match self.charge.method {
            Method::Card | Method::Pg => self.charge.method,
            Method::Cash | Method::Point => Method::Card,
        };
        let window_key = PaymentKey::try_new(&payment_key).ok();
        let charge = Charge {
            amount: held,
            method,
            ..self.charge
        };
        Payment {
            window_key: window_key.filter(|_| method == Method::Pg),
            ..charge.captured(id, Till::Gateway { payment_key }, now)
        }
    }

    /// What was given back at the gateway without us, where it holds less than is left of `payment`; `cancelled`
    /// is all that it gave back.
    pub fn elsewhere(
        &self,
        payment: &Payment,
        held: Money,
        cancelled: Money,
        now: Instant,
    ) -> Option<Refund> {
        let missing = payment.refundable().checked_sub(held).ok()?;
        let amount = Amount::try_new(missing).ok()?;
        Some(Refund {
            reason: "given back at the gateway".to_owned(),
            ..self.refund(RefundKey::elsewhere(cancelled), amount, now)
        })
    }

    /// The payment that never was, and never will be.
    pub fn voided(&self, id: PaymentId, now: Instant) -> Payment {
        self.charge.failed(id, VOIDED.to_owned(), now)
    }

    /// The key that is up next, and its refund if there is one. Those before it are done, and money was left
    /// again since, because a refund of another key was refused; or they asked for more than the gateway
    /// held, and less is `left` by now.
    fn current<'a>(&self, refunds: &'a [Refund], left: Money) -> (RefundKey, Option<&'a Refund>) {
        let outdated = |refund: &Refund| {
            matches!(&refund.state, RefundState::Refused { code, .. } if code == EXCEEDS_REMAINING)
                && refund.amount.money().minor() > left.minor()
        };
        let mut key = self.key.clone();
        for number in 2u32.. {
            let found = refunds.iter().find(|refund| refund.key == key);
            if found.is_some_and(outdated) {
                key = self.key.derived(number);
                continue;
            }
            match found.map(|refund| &refund.state) {
                Some(RefundState::Done { .. }) => key = self.key.derived(number),
                Some(RefundState::Requested | RefundState::Refused { .. }) | None => return (key, found),
            }
        }
        (key, None)
    }

    fn refund(&self, key: RefundKey, amount: Amount, now: Instant) -> Refund {
        Refund {
            order: self.charge.order,
            key,
            amount,
            reason: self.reason.clone(),
            state: RefundState::Requested,
            requested_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::payment::tests::{captured, failed, won};
    use expect_test::expect;

    fn void(method: Method) -> Void {
        let charge = Charge {
            order: captured(0, 0).order,
            user: captured(0, 0).user,
            amount: Amount::try_new(won(100)).unwrap(),
            method,
        };
        Void {
            charge,
            key: RefundKey::try_new("undo").unwrap(),
            reason: "given up".to_owned(),
        }
    }

    fn refund(key: &str, amount: i64, state: RefundState) -> Refund {
        let amount = Amount::try_new(won(amount)).unwrap();
        Refund {
            state,
            ..void(Method::Card).refund(RefundKey::stored(key.to_owned()).unwrap(), amount, Instant::EPOCH)
        }
    }

    fn requested(key: &str, amount: i64) -> Refund {
        refund(key, amount, RefundState::Requested)
    }

    fn done(key: &str, amount: i64) -> Refund {
        refund(key, amount, RefundState::Done { at: Instant::EPOCH })
    }

    fn refused(key: &str, amount: i64) -> Refund {
        let code = "NO".to_owned();
        let at = Instant::EPOCH;
        refund(key, amount, RefundState::Refused { code, at })
    }

    fn too_much(key: &str, amount: i64) -> Refund {
        let code = EXCEEDS_REMAINING.to_owned();
        let at = Instant::EPOCH;
        refund(key, amount, RefundState::Refused { code, at })
    }

    fn answer(payment: Option<Payment>, refunds: &[Refund]) -> String {
        let keys = |refunds: &[Refund]| {
            let one =
                |refund: &Refund| format!("{} of {}", refund.amount.money().minor(), refund.key.as_str());
            refunds.iter().map(one).collect::<Vec<_>>().join(" and ")
        };
        match void(Method::Card).next(payment, refunds, Instant::EPOCH) {
            Ok(VoidStep::Settled(payment)) => format!("settled, {}", payment.status()),
            Ok(VoidStep::AskGateway) => "ask the gateway".to_owned(),
            Ok(VoidStep::CarryOn(others, _)) => format!("first carry on {}", keys(&others)),
            Ok(VoidStep::Promise(refund, _)) => format!("promise {}", keys(&[refund])),
            Ok(VoidStep::Continue(refund, _)) => format!("continue {}", keys(&[refund])),
            Ok(VoidStep::Compare(payment)) => {
                format!(
                    "compare {} with what the gateway holds",
                    payment.refundable().minor()
                )
            }
            Err(VoidRefused::Refused(code)) => format!("refused: {code}"),
        }
    }

    #[test]
    fn every_state_of_a_payment_and_its_refunds_has_its_step() {
        let voided = void(Method::Card).voided(captured(0, 0).id, Instant::EPOCH);
        let cases: &[(&str, Option<Payment>, Vec<Refund>)] = &[
            ("nothing", None, vec![]),
            ("failed", Some(failed()), vec![]),
            ("voided", Some(voided), vec![]),
            ("captured", Some(captured(0, 0)), vec![]),
            ("30 back", Some(captured(30, 0)), vec![done("return", 30)]),
            ("all back", Some(captured(100, 0)), vec![done("return", 100)]),
            (
                "30 under way",
                Some(captured(0, 30)),
                vec![requested("return", 30)],
            ),
            (
                "all under way",
                Some(captured(0, 100)),
                vec![requested("return", 100)],
            ),
            (
                "30 and 20 under way, 10 of them ours",
                Some(captured(0, 60)),
                vec![requested("a", 30), requested("undo", 10), requested("b", 20)],
            ),
            ("one refused", Some(captured(0, 0)), vec![refused("return", 30)]),
            (
                "ours under way",
                Some(captured(0, 100)),
                vec![requested("undo", 100)],
            ),
            ("ours done", Some(captured(100, 0)), vec![done("undo", 100)]),
            (
                "ours done, and another one refused since",
                Some(captured(70, 0)),
                vec![refused("return", 30), done("undo", 70)],
            ),
            (
                "the second of ours under way",
                Some(captured(70, 30)),
                vec![done("undo", 70), requested("undo~2", 30)],
            ),
            (
                "the second of ours done",
                Some(captured(90, 0)),
                vec![done("undo", 70), done("undo~2", 20)],
            ),
            ("ours refused", Some(captured(0, 0)), vec![refused("undo", 100)]),
            (
                "the second of ours refused",
                Some(captured(70, 0)),
                vec![done("undo", 70), refused("undo~2", 30)],
            ),
            (
                "ours refused, then somebody else gave it back",
                Some(captured(100, 0)),
                vec![refused("undo", 100), done("by hand", 100)],
            ),
            (
                "ours was too much for the gateway",
                Some(captured(0, 0)),
                vec![too_much("undo", 100)],
            ),
            (
                "ours was too much, and others are under way",
                Some(captured(0, 30)),
                vec![requested("return", 30), too_much("undo", 70)],
            ),
            (
                "ours was too much, and the difference was written down",
                Some(captured(30, 0)),
                vec![too_much("undo", 100)],
            ),
            (
                "the second of ours was too much too",
                Some(captured(30, 0)),
                vec![too_much("undo", 100), too_much("undo~2", 70)],
            ),
            (
                "ours was too much, and everything went back elsewhere",
                Some(captured(100, 0)),
                vec![too_much("undo", 100)],
            ),
        ];
        let line = |(name, payment, refunds): &(&str, Option<Payment>, Vec<Refund>)| {
            format!("{name}: {}\n", answer(payment.clone(), refunds))
        };
        expect![[r#"
            nothing: ask the gateway
            failed: settled, FAILED
            voided: settled, FAILED
            captured: promise 100 of undo
            30 back: promise 70 of undo
            all back: settled, REFUNDED
            30 under way: first carry on 30 of return
            all under way: first carry on 100 of return
            30 and 20 under way, 10 of them ours: first carry on 30 of a and 20 of b
            one refused: promise 100 of undo
            ours under way: continue 100 of undo
            ours done: settled, REFUNDED
            ours done, and another one refused since: promise 30 of undo~2
            the second of ours under way: continue 30 of undo~2
            the second of ours done: promise 10 of undo~3
            ours refused: refused: NO
            the second of ours refused: refused: NO
            ours refused, then somebody else gave it back: settled, REFUNDED
            ours was too much for the gateway: compare 100 with what the gateway holds
            ours was too much, and others are under way: first carry on 30 of return
            ours was too much, and the difference was written down: promise 70 of undo~2
            the second of ours was too much too: compare 70 with what the gateway holds
            ours was too much, and everything went back elsewhere: settled, REFUNDED
        "#]]
        .assert_eq(&cases.iter().map(line).collect::<String>());
    }

    #[test]
    fn what_the_gateway_holds_is_written_as_what_it_must_have_been() {
        let held = Amount::try_new(won(70)).unwrap();
        let mut table = String::new();
        for method in [Method::Card, Method::Pg, Method::Cash, Method::Point] {
            let void = void(method);
            let found = void.found(captured(0, 0).id, "window".to_owned(), held, Instant::EPOCH);
            assert!(found.keeps("window") && !found.keeps("other"));
            let key = found.window_key.as_ref().map(PaymentKey::as_str);
            let (paid, amount) = (found.method.text(), found.amount.minor());
            table.push_str(&format!("{}: {paid} {amount} {key:?}\n", method.text()));
            let voided = void.voided(found.id, Instant::EPOCH);
            assert!(voided.is_voided() && voided.method == method && !voided.keeps("window"));
        }
        expect![[r#"
            CARD: CARD 70 None
            PG: PG 70 Some("window")
            CASH: CARD 70 None
            POINT: CARD 70 None
        "#]]
        .assert_eq(&table);
        assert!(!failed().is_voided() && !captured(100, 0).is_voided());
    }
}
