//! I2, I3, I4 and the gateway's own book: who has whose money.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{Books, pairs};

pub(super) fn check(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    let due = pairs(
        &books.orders,
        "select order_id, due_minor from customer_order where state = 'PAID'",
    )?;
    let captured = pairs(
        &books.payments,
        "select order_id, amount_minor from payment where state = 'CAPTURED'",
    )?;
    let refunded = pairs(
        &books.payments,
        "select order_id, sum(amount_minor) from refund where state = 'DONE' group by order_id",
    )?;
    let by_admins = pairs(
        &books.payments,
        "select order_id, sum(amount_minor) from refund
          where state = 'DONE' and refund_key like 'admin/%' group by order_id",
    )?;
    let of = |sums: &BTreeMap<i64, i64>, order: &i64| sums.get(order).copied().unwrap_or(0);
    for (order, due) in &due {
        let kept = of(&captured, order) - of(&refunded, order);
        // What an admin gave back of a paid order is not the order's any more.
        let expected = due - of(&by_admins, order);
        if captured.get(order) != Some(due) || kept != expected {
            broken.push(format!(
                "I2: order {order} is PAID with {due}, captured {:?}, kept {kept}, expected {expected}",
                captured.get(order)
            ));
        }
    }
    for (order, amount) in &captured {
        let kept = amount - of(&refunded, order);
        if kept != 0 && !due.contains_key(order) {
            broken.push(format!("I3: {kept} kept for order {order}, which is not PAID"));
        }
        if kept < 0 {
            broken.push(format!(
                "I4: order {order} was refunded {} beyond its capture",
                -kept
            ));
        }
    }
    running_sums(books, broken)?;
    gateway_agrees(books, broken)
}

/// The sums beside a payment are those of its refunds, and nothing is promised for ever.
fn running_sums(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    let off = pairs(
        &books.payments,
        "select order_id, refunded_minor - (select coalesce(sum(refund.amount_minor), 0) from refund
                  where refund.order_id = payment.order_id and refund.state = 'DONE')
           from payment",
    )?;
    let off = off.into_iter().filter(|(_, by)| *by != 0);
    broken
        .extend(off.map(|(order, by)| format!("I4: the refunds of order {order} are off their sum by {by}")));
    let promised = pairs(
        &books.payments,
        "select order_id, refunding_minor from payment where refunding_minor <> 0",
    )?;
    broken.extend(
        promised
            .into_iter()
            .map(|(order, minor)| format!("I10: {minor} of order {order} are promised and not given back")),
    );
    Ok(())
}

/// I11: what the gateway took and holds is what our payments say.
fn gateway_agrees(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    let ours = pairs(
        &books.payments,
        "select order_id, amount_minor - refunded_minor from payment
          where state = 'CAPTURED' and method in ('CARD', 'PG')",
    )?;
    let theirs = pairs(
        &books.pg,
        "select order_id, asked_minor - cancelled_minor from pg_payment where state = 'APPROVED'",
    )?;
    for order in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let (ours, theirs) = (ours.get(order), theirs.get(order));
        // What went back whole is nobody's any more, whether or not both wrote it down.
        if ours.unwrap_or(&0) != theirs.unwrap_or(&0) {
            broken.push(format!(
                "I11: of order {order} we hold {ours:?}, the gateway says {theirs:?}"
            ));
        }
    }
    Ok(())
}
