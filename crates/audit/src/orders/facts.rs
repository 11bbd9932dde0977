//! What is known of an order, read from each database in one moment of it.

use std::collections::BTreeMap;

use store::{DbError, Row};

use super::Which;
use crate::scan::Wanted;
use crate::sources::{Ask, Books};
use crate::{AuditError, Invariant, Label};

/// All that an order is judged by. Its text is what two looks are compared by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OrderFacts {
    pub(crate) order: Option<Order>,
    pub(crate) work: Option<Work>,
    pub(crate) payment: Option<Payment>,
    pub(crate) refunds: Refunds,
    /// What the gateway holds; outer none: nobody can ask it.
    pub(crate) gateway_minor: Option<Option<i64>>,
    pub(crate) goods: Option<Goods>,
    /// Pieces that are held.
    pub(crate) held: Option<i64>,
    /// Pieces that are out of the house.
    pub(crate) gone: i64,
    pub(crate) entries: Entries,
}

/// The order itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) state: String,
    pub(crate) total_minor: i64,
    pub(crate) due_minor: i64,
    pub(crate) lines_minor: i64,
    pub(crate) pieces: i64,
    /// Whether there is an event that tells of its state.
    pub(crate) told: bool,
}

/// What is left to do for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) kind: String,
    pub(crate) attempt: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) stuck: bool,
}

/// Its payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) state: String,
    pub(crate) method: String,
    pub(crate) amount_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) refunding_minor: i64,
}

/// What its refunds add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refunds {
    pub(crate) count: i64,
    pub(crate) done_minor: i64,
    pub(crate) by_admins_minor: i64,
    pub(crate) requested_minor: i64,
}

/// Its reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Goods {
    pub(crate) state: String,
    pub(crate) taken_back: bool,
}

/// What the ledger has of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    pub(crate) captured_minor: i64,
    pub(crate) refunded_minor: i64,
    /// Entries that do not balance: their ids, how many sides they have, and by how much they are off.
    pub(crate) unbalanced: Vec<(String, i64, i64)>,
}

type Orders = BTreeMap<i64, OrderFacts>;

/// Reads what is wanted of these orders.
pub(super) fn read(books: &Books, wanted: &Wanted, which: Which<'_>) -> Result<Orders, AuditError> {
    let mut orders = Orders::new();
    let mut moment = |label, read: fn(&mut Pen<'_>) -> Result<(), DbError>| {
        books.moment(label, |ask| {
            read(&mut Pen {
                orders: &mut orders,
                ask,
                which,
            })
        })
    };
    if wanted.has(Invariant::Settlement) {
        moment(Label::Settlement, ledger)?;
    }
    moment(Label::Payment, payments)?;
    if wanted.more_than(Invariant::Settlement) {
        moment(Label::Gateway, gateway)?;
        moment(Label::Stock, goods)?;
        moment(Label::Order, own)?;
    }
    if books.has(Label::Gateway) {
        for facts in orders.values_mut() {
            facts.gateway_minor.get_or_insert(None);
        }
    }
    Ok(orders)
}

/// Writes down what a statement answers about each order.
struct Pen<'a> {
    orders: &'a mut Orders,
    ask: &'a Ask<'a>,
    which: Which<'a>,
}

impl Pen<'_> {
    fn note(
        &mut self,
        statement: &str,
        write: impl Fn(&mut OrderFacts, &Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        for row in (self.ask)(&self.which.fill(statement), &self.which.params())? {
            write(self.orders.entry(row.get("order_id")?).or_default(), &row)?;
        }
        Ok(())
    }
}

fn own(pen: &mut Pen<'_>) -> Result<(), DbError> {
    pen.note(include_str!("../sql/orders.sql"), |facts, row| {
        facts.order = Some(Order {
            state: row.get("state")?,
            total_minor: row.get("total_minor")?,
            due_minor: row.get("due_minor")?,
            lines_minor: row.get("lines_minor")?,
            pieces: row.get("pieces")?,
            told: row.get::<i64>("told")? > 0,
        });
        Ok(())
    })?;
    pen.note(include_str!("../sql/work.sql"), |facts, row| {
        facts.work = Some(Work {
            kind: row.get("kind")?,
            attempt: row.get("attempt")?,
            expires_at: row.get("expires_at")?,
            stuck: row.get("stuck")?,
        });
        Ok(())
    })
}

fn payments(pen: &mut Pen<'_>) -> Result<(), DbError> {
    pen.note(include_str!("../sql/payments.sql"), |facts, row| {
        facts.payment = Some(Payment {
            state: row.get("state")?,
            method: row.get("method")?,
            amount_minor: row.get("amount_minor")?,
            refunded_minor: row.get("refunded_minor")?,
            refunding_minor: row.get("refunding_minor")?,
        });
        Ok(())
    })?;
    pen.note(include_str!("../sql/refunds.sql"), |facts, row| {
        facts.refunds = Refunds {
            count: row.get("refunds")?,
            done_minor: row.get("done_minor")?,
            by_admins_minor: row.get("by_admins_minor")?,
            requested_minor: row.get("requested_minor")?,
        };
        Ok(())
    })
}

fn gateway(pen: &mut Pen<'_>) -> Result<(), DbError> {
    pen.note(include_str!("../sql/gateway.sql"), |facts, row| {
        facts.gateway_minor = Some(Some(row.get("held_minor")?));
        Ok(())
    })
}

fn goods(pen: &mut Pen<'_>) -> Result<(), DbError> {
    pen.note(include_str!("../sql/reservations.sql"), |facts, row| {
        facts.goods = Some(Goods {
            state: row.get("state")?,
            taken_back: row.get("taken_back")?,
        });
        Ok(())
    })?;
    pen.note(include_str!("../sql/held.sql"), |facts, row| {
        facts.held = Some(row.get("pieces")?);
        Ok(())
    })?;
    pen.note(include_str!("../sql/gone.sql"), |facts, row| {
        facts.gone = row.get("pieces")?;
        Ok(())
    })
}

fn ledger(pen: &mut Pen<'_>) -> Result<(), DbError> {
    pen.note(include_str!("../sql/entries.sql"), |facts, row| {
        facts.entries.captured_minor = row.get("captured_minor")?;
        facts.entries.refunded_minor = row.get("refunded_minor")?;
        Ok(())
    })?;
    pen.note(include_str!("../sql/unbalanced.sql"), |facts, row| {
        let entry = (row.get("entry_id")?, row.get("sides")?, row.get("off_minor")?);
        facts.entries.unbalanced.push(entry);
        Ok(())
    })
}
