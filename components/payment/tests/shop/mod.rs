//! Payments over the real fake gateway, each with its own database.

#![allow(dead_code, reason = "each suite uses its part")]

pub(crate) mod seam;

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use store_suite::database;

use fake_pg::app as pg;
use fake_pg::domain::{ApproveRefused, CancelRefused, Rules};
use kernel::{Currency, Instant, Millis, Money, OrderId, Outcome, UserId};
use payment::app::{
    App, Approval, ApproveError, CancelError, Entry, Failed, Figures, Gateway, Ledger, Payments, Tally,
};
use payment::domain::{
    Amount, Charge, ChargeRefused, Confirmation, Method, NewRefund, Payment, PaymentKey, RefundKey,
    RefundRefused, State, Stuck, Void, VoidRefused,
};
use payment::store::MIGRATIONS;
use seam::Seam;
use store::{Db, params};

/// 2026-11-20T23:23:40Z.
pub(crate) const NOW: Instant = Instant::from_micros(1_795_217_020_000_000);

/// The fake gateway as the payment component sees it once composed with it.
pub(crate) struct Pg {
    pub(crate) db: Db,
    pub(crate) rules: Rules,
    seam: Rc<Seam>,
}

/// The payment component without its wire.
pub(crate) struct Shop {
    pub(crate) payments: Db,
    pub(crate) pg: Pg,
    /// How long after [`NOW`] it is.
    pub(crate) later: Cell<Millis>,
    /// What is between the component and its database and gateway.
    pub(crate) seam: Rc<Seam>,
}

pub(crate) fn won(minor: i64) -> Money {
    Money::try_new(minor, Currency::Krw).unwrap()
}

pub(crate) fn order(number: u64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

pub(crate) fn charge(number: u64, amount: i64, method: Method) -> Charge {
    Charge {
        order: order(number),
        user: UserId::try_new(2).unwrap(),
        amount: Amount::try_new(won(amount)).unwrap(),
        method,
    }
}

pub(crate) fn refund(number: u64, key: &str, amount: i64) -> NewRefund {
    NewRefund {
        order: order(number),
        key: RefundKey::try_new(key).unwrap(),
        amount: Amount::try_new(won(amount)).unwrap(),
        reason: "broken".to_owned(),
    }
}

pub(crate) fn confirmation(number: u64, amount: i64, key: &str) -> Confirmation {
    Confirmation {
        order: order(number),
        user: UserId::try_new(2).unwrap(),
        amount: Amount::try_new(won(amount)).unwrap(),
        key: PaymentKey::try_new(key).unwrap(),
    }
}

pub(crate) fn void(number: u64, amount: i64, method: Method, key: &str) -> Void {
    Void {
        charge: charge(number, amount, method),
        key: RefundKey::try_new(key).unwrap(),
        reason: "given up".to_owned(),
    }
}

/// Ids apart from each other, as random numbers are nearly always.
const fn random(order: OrderId) -> u64 {
    order.get().wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Shop {
    /// A shop in memory, its gateway steered by `rules`.
    pub(crate) fn new(rules: &str) -> Self {
        let (seam, pg) = (
            Rc::new(Seam::default()),
            database::fresh(fake_pg::store::MIGRATIONS).unwrap(),
        );
        let payments = Db::open(seam::in_memory(&seam), MIGRATIONS).unwrap();
        Self::over(payments, pg, rules, seam)
    }

    /// One of several that share the files in `dir`.
    pub(crate) fn open(dir: &Path, rules: &str) -> Self {
        let pg = database::open(&dir.join("pg.db"), fake_pg::store::MIGRATIONS).unwrap();
        let payments = database::open(&dir.join("payment.db"), MIGRATIONS).unwrap();
        Self::over(payments, pg, rules, Rc::default())
    }

    fn over(payments: Db, pg: Db, rules: &str, seam: Rc<Seam>) -> Self {
        Self {
            payments,
            pg: Pg {
                db: pg,
                rules: Rules::parse(rules).unwrap(),
                seam: seam.clone(),
            },
            later: Cell::new(Millis(0)),
            seam,
        }
    }

    /// What the clock shows.
    pub(crate) fn now(&self) -> Instant {
        NOW.after(self.later.get())
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, ms: u32) {
        self.later.set(Millis(self.later.get().0 + ms));
    }

    pub(crate) fn app(&self) -> App<'_, Db, Pg> {
        App {
            payments: &self.payments,
            gateway: &self.pg,
        }
    }

    pub(crate) fn charge(&self, charge: &Charge) -> Result<Outcome<Payment>, Failed<ChargeRefused>> {
        self.app().charge(charge, self.now(), random(charge.order))
    }

    pub(crate) fn confirm(&self, command: &Confirmation) -> Result<Outcome<Payment>, Failed<ChargeRefused>> {
        self.app().confirm(command, self.now(), random(command.order))
    }

    pub(crate) fn void(&self, command: &Void) -> Result<Outcome<Payment>, Failed<VoidRefused>> {
        self.app().void(command, self.now(), random(command.charge.order))
    }

    /// One run of the job, which looks at everything there is.
    pub(crate) fn recover(&self) -> Tally {
        self.app().recover(1_000, self.now()).unwrap()
    }

    pub(crate) fn refund(&self, command: &NewRefund) -> Result<Outcome<Payment>, Failed<RefundRefused>> {
        self.app().refund(command, self.now().after(Millis(1_000)))
    }

    pub(crate) fn refunded(&self, number: u64) -> i64 {
        let payment = self.app().status(order(number)).unwrap();
        payment.map_or(0, |payment| payment.refunded().minor())
    }

    /// What is kept of an order's payment, as ours and the gateway's books and the events say. Cash is
    /// in no book of the gateway's.
    pub(crate) fn kept(&self, number: u64) -> [i64; 3] {
        let payment = self.payments.find(order(number)).unwrap();
        let captured = payment.filter(|payment| matches!(payment.state, State::Captured { .. }));
        let ours = captured
            .as_ref()
            .map_or(0, |payment| payment.amount.minor() - payment.refunded().minor());
        let cash = captured.is_some_and(|payment| payment.method == Method::Cash);
        let held = self.pg.kept(number);
        [ours, if cash { held + ours } else { held }, self.told(number)]
    }

    /// What the events of an order's payment add up to.
    fn told(&self, number: u64) -> i64 {
        let statement = "select topic, data from outbox where key = ?1";
        let rows = self
            .payments
            .read(statement, params![number.to_string()])
            .unwrap();
        let amount = |row: &store::Row| {
            let data: String = row.get("data").unwrap();
            let data: serde_json::Value = serde_json::from_str(&data).unwrap();
            match row.get::<String>("topic").unwrap().as_str() {
                "payment.completed" => data["amount"].as_i64().unwrap(),
                "payment.refunded" => -data["refundAmount"].as_i64().unwrap(),
                _ => 0,
            }
        };
        rows.iter().map(amount).sum()
    }

    /// How much is promised to refunds that are under way.
    pub(crate) fn refunding(&self, number: u64) -> i64 {
        match self
            .payments
            .find(order(number))
            .unwrap()
            .map(|payment| payment.state)
        {
            Some(State::Captured { refunding, .. }) => refunding.minor(),
            Some(State::Failed { .. }) | None => 0,
        }
    }

    pub(crate) fn refund_states(&self, number: u64) -> Vec<(String, String)> {
        let statement = "select refund_key, state from refund where order_id = ?1 order by refund_key";
        let rows = self.payments.read(statement, params![order(number)]).unwrap();
        rows.iter()
            .map(|row| (row.get("refund_key").unwrap(), row.get("state").unwrap()))
            .collect()
    }

    /// Who has which refund, as far as rows say.
    pub(crate) fn claims(&self) -> usize {
        let rows = self
            .payments
            .read("select order_id from refund_claim", params![])
            .unwrap();
        rows.len()
    }

    /// Everything that is stuck: order, kind, key, amount and code. The figure says how many that are.
    pub(crate) fn stuck(&self) -> Vec<String> {
        let list = self.payments.stuck(None, 100).unwrap();
        let counted = Figures::count(&self.payments).unwrap().stuck;
        assert_eq!(
            usize::try_from(counted).unwrap(),
            list.len(),
            "the figure is not the list's length"
        );
        let line = |stuck: &Stuck| {
            let (kind, amount) = (stuck.kind.text(), stuck.amount.money().minor());
            format!("{} {kind} {} {amount} {}", stuck.order, stuck.key, stuck.code)
        };
        list.iter().map(line).collect()
    }

    pub(crate) fn topics(&self) -> Vec<String> {
        let rows = self
            .payments
            .read("select topic from outbox order by event_id", params![]);
        rows.unwrap()
            .iter()
            .map(|row| row.get("topic").unwrap())
            .collect()
    }

    pub(crate) fn events(&self) -> String {
        let statement = "select event_id, key, occurred_at, data, position from outbox order by event_id";
        let line = |row: &store::Row| {
            let (id, key): (String, String) = (row.get("event_id").unwrap(), row.get("key").unwrap());
            let (at, data): (Instant, String) = (row.get("occurred_at").unwrap(), row.get("data").unwrap());
            let position: Option<i64> = row.get("position").unwrap();
            format!("{id} | {key} | {} | {position:?} | {data}\n", at.rfc3339())
        };
        self.payments
            .read(statement, params![])
            .unwrap()
            .iter()
            .map(line)
            .collect()
    }
}

impl Pg {
    fn gateway(&self) -> pg::Gateway<'_, Db> {
        pg::Gateway {
            book: &self.db,
            rules: &self.rules,
            wait: &|Millis(ms)| std::thread::sleep(Duration::from_millis(ms.into())),
        }
    }

    /// How much of an order's money the gateway holds.
    pub(crate) fn kept(&self, number: u64) -> i64 {
        self.approved(number) - self.cancelled(number)
    }

    /// How much of an order's money the gateway gave back.
    pub(crate) fn cancelled(&self, number: u64) -> i64 {
        let approval = self.gateway().find(order(number)).unwrap();
        approval.map_or(0, |approval| approval.cancelled.minor())
    }

    /// How much of an order's money the gateway took.
    pub(crate) fn approved(&self, number: u64) -> i64 {
        let approval = self.gateway().find(order(number)).unwrap();
        approval.map_or(0, |approval| approval.amount.minor())
    }
}

fn approval(answer: Result<fake_pg::domain::Approval, pg::ApproveError>) -> Result<Approval, ApproveError> {
    match answer {
        Ok(approval) => Ok(Approval {
            payment_key: approval.key.as_str().to_owned(),
            amount: approval.amount,
        }),
        Err(pg::ApproveError::Refused(ApproveRefused::Refused(code))) => Err(ApproveError::Refused(code)),
        Err(pg::ApproveError::Refused(ApproveRefused::DiffersFromExisting)) => {
            Err(ApproveError::DiffersFromExisting)
        }
        Err(pg::ApproveError::NoAnswer) => Err(ApproveError::Unavailable("no answer".to_owned())),
        Err(pg::ApproveError::Book(error)) => panic!("{error}"),
    }
}

fn cancelled(answer: Result<(), pg::CancelError>) -> Result<(), CancelError> {
    match answer {
        Ok(()) => Ok(()),
        Err(pg::CancelError::Refused(refused)) => Err(match refused {
            CancelRefused::UnknownPayment => CancelError::UnknownPayment,
            CancelRefused::DiffersFromExisting => CancelError::DiffersFromExisting,
            CancelRefused::ExceedsRemaining(_) => CancelError::ExceedsRemaining,
            CancelRefused::Refused(code) => CancelError::Refused(code),
        }),
        Err(pg::CancelError::NoAnswer) => Err(CancelError::Unavailable("no answer".to_owned())),
        Err(pg::CancelError::Book(error)) => panic!("{error}"),
    }
}

impl Gateway for Pg {
    fn approve(&self, order: OrderId, amount: Money) -> Result<Approval, ApproveError> {
        let lost = || Err(ApproveError::Unavailable("lost".to_owned()));
        self.seam
            .through(lost, || approval(self.gateway().approve(order, amount)))
    }

    fn confirm(&self, order: OrderId, key: &str, amount: Money) -> Result<Approval, ApproveError> {
        let lost = || Err(ApproveError::Unavailable("lost".to_owned()));
        self.seam
            .through(lost, || approval(self.gateway().confirm(order, key, amount)))
    }

    fn cancel(&self, key: &str, cancel_key: &str, amount: Money, reason: &str) -> Result<(), CancelError> {
        let lost = || Err(CancelError::Unavailable("lost".to_owned()));
        let cancel = || self.gateway().cancel(key, cancel_key, amount, reason);
        self.seam.through(lost, || cancelled(cancel()))
    }

    fn find(&self, order: OrderId) -> Result<Option<Entry>, String> {
        self.seam.through(
            || Err("lost".to_owned()),
            || {
                let found = self.gateway().find(order).unwrap();
                Ok(found.map(|found| Entry {
                    cancelled: found.cancelled,
                    approval: approval(Ok(found)).unwrap(),
                }))
            },
        )
    }
}
