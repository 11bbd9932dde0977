//! I5 and I9: what was told arrived once, and came to the same sums.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::Connection;

use super::{Books, pairs, rows};

pub(super) fn check(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    for (producer, database) in [("order", &books.orders), ("payment", &books.payments)] {
        arrived_once(producer, database, &books.settlement, broken)?;
    }
    ledger_is_the_payments(books, broken)?;
    ledger_balances(books, broken)?;
    days_are_sums(books, broken)
}

/// I9: positions without a gap, and every event in the inbox, applied, at its own position.
fn arrived_once(
    producer: &str,
    database: &Connection,
    settlement: &Connection,
    broken: &mut Vec<String>,
) -> Result<()> {
    let sent = rows(
        database,
        "select event_id, position from outbox order by position",
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)),
    )?;
    let inbox = format!(
        "select event_id, position from inbox where producer = '{producer}' and applied_at is not null"
    );
    let applied: BTreeMap<String, Option<i64>> =
        rows(settlement, &inbox, |row| Ok((row.get(0)?, row.get(1)?)))?
            .into_iter()
            .collect();
    for (expected, (event, position)) in (1..).zip(&sent) {
        match position {
            None => broken.push(format!("I9: {event} has no position yet")),
            Some(position) if *position != expected => {
                broken.push(format!("I9: {event} is at {position}, not {expected}"));
            }
            Some(_) if applied.get(event) != Some(position) => {
                broken.push(format!(
                    "I9: {event} at {position:?} is in the inbox as {:?}",
                    applied.get(event)
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// I5: order by order, the ledger holds what the payments say.
fn ledger_is_the_payments(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    let of = |account: &str, side: &str| {
        format!(
            "select entry.order_id, sum(posting.{side}_minor) from ledger_entry entry
               join ledger_posting posting on posting.entry_id = entry.entry_id
              where posting.account = '{account}' group by entry.order_id having sum(posting.{side}_minor) <> 0"
        )
    };
    let captured = "select order_id, amount_minor from payment where state = 'CAPTURED'";
    let refunded = "select order_id, sum(amount_minor) from refund where state = 'DONE' group by order_id";
    for (what, payments, ledger) in [
        ("captured", captured, of("SALES", "credit")),
        ("refunded", refunded, of("REFUND", "debit")),
    ] {
        let (expected, found) = (
            pairs(&books.payments, payments)?,
            pairs(&books.settlement, &ledger)?,
        );
        for order in expected.keys().chain(found.keys()) {
            if expected.get(order) != found.get(order) {
                broken.push(format!(
                    "I5: of order {order} {:?} were {what}, the ledger says {:?}",
                    expected.get(order),
                    found.get(order)
                ));
            }
        }
    }
    Ok(())
}

/// Double entry: what goes out somewhere comes in somewhere.
fn ledger_balances(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    let off = rows(
        &books.settlement,
        "select entry_id, sum(debit_minor) - sum(credit_minor) as off from ledger_posting
          group by entry_id having sum(debit_minor) <> sum(credit_minor)",
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)),
    )?;
    broken.extend(
        off.into_iter()
            .map(|(entry, by)| format!("I5: entry {entry} is out of balance by {by}")),
    );
    Ok(())
}

/// The sums that are kept are those of the ledger.
fn days_are_sums(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    let off = rows(
        &books.settlement,
        "with summed (day, total, refund) as (
             select entry.day,
                    sum(case posting.account when 'SALES' then posting.credit_minor - posting.debit_minor else 0 end),
                    sum(case posting.account when 'REFUND' then posting.debit_minor - posting.credit_minor else 0 end)
               from ledger_entry entry join ledger_posting posting on posting.entry_id = entry.entry_id
              group by entry.day)
         select coalesce(summed.day, kept.day), coalesce(summed.total, 0), coalesce(kept.total_minor, 0),
                coalesce(summed.refund, 0), coalesce(kept.refund_minor, 0)
           from summed full join daily_settlement kept on kept.day = summed.day",
        |row| {
            Ok((
                row.get::<_, String>(0)?,
                [row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?, row.get(4)?],
            ))
        },
    )?;
    for (day, [total, kept_total, refund, kept_refund]) in off {
        if total != kept_total || refund != kept_refund {
            broken.push(format!(
                "I5: {day} sums up to {total} and {refund}, kept are {kept_total} and {kept_refund}"
            ));
        }
    }
    Ok(())
}
