//! What must hold of an order: pure, so that every rule is a line of a test.

use super::facts::{OrderFacts, Payment};
use crate::finding::{Finding, Subject};
use crate::rule::Rule;
use crate::scan::Moment;

/// Whether it may be that the ledger has only not heard yet: it hears of every movement by an event.
pub(super) fn is_told_by_events(finding: &Finding) -> bool {
    matches!(finding.rule, Rule::CapturedIsEntered | Rule::RefundedIsEntered)
}

/// Everything that is wrong with an order.
pub(super) fn judge(id: i64, facts: &OrderFacts, moment: Moment) -> Vec<Finding> {
    let mut judge = Judge {
        id,
        facts,
        findings: Vec::new(),
    };
    judge.money();
    judge.sums();
    judge.gateway();
    judge.goods();
    judge.own();
    judge.ends(moment);
    judge.ledger();
    judge.findings
}

struct Judge<'a> {
    id: i64,
    facts: &'a OrderFacts,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn broken(&mut self, rule: Rule, text: String) {
        self.findings.push(Finding {
            rule,
            subject: Subject::Order(self.id),
            text,
            facts: format!("{:?}", self.facts),
        });
    }

    fn is_paid(&self) -> bool {
        self.facts
            .order
            .as_ref()
            .is_some_and(|order| order.state == "PAID")
    }

    fn work_is(&self, kind: &str) -> bool {
        self.facts.work.as_ref().is_some_and(|work| work.kind == kind)
    }

    /// PAID, and a job has not come yet to let the goods go.
    fn in_the_house(&self) -> bool {
        let reserved = self
            .facts
            .goods
            .as_ref()
            .is_some_and(|goods| goods.state == "RESERVED");
        self.is_paid() && self.work_is("FINISH") && reserved
    }

    fn captured(&self) -> Option<&Payment> {
        self.facts
            .payment
            .as_ref()
            .filter(|payment| payment.state == "CAPTURED")
    }

    /// I2, I3, I4: who has whose money.
    fn money(&mut self) {
        let id = self.id;
        let refunds = &self.facts.refunds;
        let captured = self.captured().map_or(0, |payment| payment.amount_minor);
        let kept = captured - refunds.done_minor;
        if let Some(order) = self.facts.order.as_ref().filter(|_| self.is_paid()) {
            let due = order.due_minor;
            // What an admin gave back of a paid order is not the order's any more.
            let expected = due - refunds.by_admins_minor;
            if captured != due || kept != expected {
                let text = format!(
                    "order {id} is PAID with {due}, captured {captured}, kept {kept}, expected {expected}"
                );
                self.broken(Rule::PaidIsCaptured, text);
            }
        }
        if self.captured().is_some() && kept != 0 && !self.is_paid() {
            self.broken(
                Rule::KeptForPaid,
                format!("{kept} kept for order {id}, which is not PAID"),
            );
        }
        if self.captured().is_some() && kept < 0 {
            let beyond = -kept;
            self.broken(
                Rule::WithinCapture,
                format!("order {id} was refunded {beyond} beyond its capture"),
            );
        }
    }

    /// I4, I10: the sums beside a payment are those of its refunds, and nothing is promised for ever.
    fn sums(&mut self) {
        let Some(payment) = self.facts.payment.clone() else {
            return;
        };
        let (id, refunds) = (self.id, self.facts.refunds.clone());
        let off = payment.refunded_minor - refunds.done_minor;
        if off != 0 {
            self.broken(
                Rule::RefundedIsSum,
                format!("the refunds of order {id} are off their sum by {off}"),
            );
        }
        let off = payment.refunding_minor - refunds.requested_minor;
        if off != 0 {
            self.broken(
                Rule::PromisedIsSum,
                format!("the promised refunds of order {id} are off their sum by {off}"),
            );
        }
        if payment.refunding_minor != 0 {
            let minor = payment.refunding_minor;
            self.broken(
                Rule::PromiseKept,
                format!("{minor} of order {id} are promised and not given back"),
            );
        }
    }

    /// I11: what the gateway took and holds is what our payments say. What went back whole is nobody's any more,
    /// whether or not both wrote it down.
    fn gateway(&mut self) {
        let Some(theirs) = self.facts.gateway_minor else {
            return;
        };
        let through = self
            .captured()
            .filter(|payment| matches!(payment.method.as_str(), "CARD" | "PG"));
        let ours = through.map(|payment| payment.amount_minor - payment.refunded_minor);
        if ours.unwrap_or(0) != theirs.unwrap_or(0) {
            let id = self.id;
            self.broken(
                Rule::GatewayAgrees,
                format!(
                    "of order {id} we hold {}, the gateway says {}",
                    sum(ours),
                    sum(theirs)
                ),
            );
        }
    }

    /// I1: by the history, just the pieces of PAID orders are out of the house, and each of them once; sold are the
    /// goods of orders that are PAID, held those of orders that wait for their payment or for the job.
    fn goods(&mut self) {
        let (id, in_the_house) = (self.id, self.in_the_house());
        let out = self.facts.gone;
        let bought = match &self.facts.order {
            Some(order) if self.is_paid() && !in_the_house => order.pieces,
            _ => 0,
        };
        if out != bought {
            let text = format!("{out} pieces of order {id} left the house, {bought} were bought");
            self.broken(Rule::LeavesOnce, text);
        }
        let goods = self.facts.goods.as_ref();
        let sold = goods.is_some_and(|goods| goods.state == "COMMITTED" && !goods.taken_back);
        if self.is_paid() && !sold && !in_the_house {
            let text = format!("order {id} is PAID, its goods were not committed");
            self.broken(Rule::PaidIsSold, text);
        }
        if sold && !self.is_paid() {
            self.broken(
                Rule::SoldIsPaid,
                format!("the goods of order {id} are gone, it is not PAID"),
            );
        }
        self.holds(in_the_house);
    }

    fn holds(&mut self, in_the_house: bool) {
        let (id, waits) = (self.id, self.work_is("AWAIT"));
        match self.facts.held {
            Some(pieces) if !waits && !in_the_house => {
                let text = format!("{pieces} pieces still held for order {id}");
                self.broken(Rule::HeldIsWaitedFor, text);
            }
            None if waits => {
                let text = format!("nothing is held for order {id}, which waits for payment");
                self.broken(Rule::WaitedForIsHeld, text);
            }
            Some(_) | None => {}
        }
    }

    /// I8, I9: lines add up, and somebody was told.
    fn own(&mut self) {
        let id = self.id;
        let Some(order) = self.facts.order.clone() else {
            return;
        };
        let off = order.total_minor - order.lines_minor;
        if off != 0 {
            self.broken(
                Rule::LinesAreTotal,
                format!("order {id} is off its lines by {off}"),
            );
        }
        if !order.told {
            let text = format!("order {id} is {} and no event says so", order.state);
            self.broken(Rule::StateIsTold, text);
        }
    }

    /// I10: nothing waits but orders of a two-step checkout for their payment, and paid ones for a last look.
    fn ends(&mut self, moment: Moment) {
        let id = self.id;
        let is_pending = self
            .facts
            .order
            .as_ref()
            .is_some_and(|order| order.state == "PENDING");
        if is_pending && !self.work_is("AWAIT") {
            self.broken(Rule::IsDecided, format!("order {id} is still PENDING"));
        }
        let Some(work) = self.facts.work.clone() else {
            return;
        };
        let rests = matches!(work.kind.as_str(), "AWAIT" | "FINISH");
        if !rests || work.stuck {
            let how = if work.stuck { ", stuck" } else { "" };
            let (kind, attempt) = (&work.kind, work.attempt);
            let text = format!("order {id} is not at its end: {kind}, attempt {attempt}{how}");
            self.broken(Rule::IsAtItsEnd, text);
        }
        let overdue = work
            .expires_at
            .is_some_and(|at| at < moment.overdue_before().micros());
        if work.kind == "AWAIT" && overdue {
            self.broken(
                Rule::Expires,
                format!("order {id} waits for a payment whose time has run out"),
            );
        }
    }

    /// I5: the ledger holds what the payments say, and balances.
    fn ledger(&mut self) {
        let (id, entries) = (self.id, self.facts.entries.clone());
        let captured = self.captured().map_or(0, |payment| payment.amount_minor);
        let refunded = self.facts.refunds.done_minor;
        for (rule, what, expected, found) in [
            (
                Rule::CapturedIsEntered,
                "captured",
                captured,
                entries.captured_minor,
            ),
            (
                Rule::RefundedIsEntered,
                "refunded",
                refunded,
                entries.refunded_minor,
            ),
        ] {
            if expected != found {
                let text = format!("of order {id} {expected} were {what}, the ledger says {found}");
                self.broken(rule, text);
            }
        }
        let off = |(entry, sides, off): &(String, i64, i64)| format!("{entry} ({sides} sides, off by {off})");
        if !entries.unbalanced.is_empty() {
            let off: Vec<String> = entries.unbalanced.iter().map(off).collect();
            let text = format!("entries of order {id} are out of balance: {}", off.join(", "));
            self.broken(Rule::Balances, text);
        }
    }
}

fn sum(minor: Option<i64>) -> String {
    minor.map_or_else(|| "nothing".to_owned(), |minor| minor.to_string())
}
