//! I1: pieces add up, are never oversold, and lie where their order says.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{Books, pairs};

pub(super) fn check(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    adds_up(books, broken)?;
    leaves_once(books, broken)?;
    follows_orders(books, broken)
}

fn adds_up(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    let stock = &books.stock;
    let statement = "select level.sku_id, level.on_hand - (
            select coalesce(sum(case kind
                when 'INITIAL' then quantity when 'RETURN' then quantity when 'MANUAL' then quantity
                when 'COMMIT' then -quantity else 0 end), 0)
              from stock_history history where history.sku_id = level.sku_id)
        from stock_level level";
    let off = pairs(stock, statement)?
        .into_iter()
        .filter(|(_, difference)| *difference != 0);
    broken.extend(off.map(|(sku, by)| format!("I1: SKU {sku} is off its history by {by}")));
    let oversold = "select level.sku_id, sum(line.quantity) from stock_level level
          join reservation_line line on line.sku_id = level.sku_id and line.held_until is not null
          join reservation on reservation.order_id = line.order_id and reservation.state = 'RESERVED'
         group by level.sku_id, level.on_hand having sum(line.quantity) > level.on_hand";
    broken.extend(
        pairs(stock, oversold)?
            .into_iter()
            .map(|(sku, held)| format!("I1: SKU {sku} holds {held}, more than there is")),
    );
    Ok(())
}

/// PAID orders whose goods are still held: a job lets them go, and has not come to them.
fn to_be_let_go(books: &Books) -> Result<BTreeSet<i64>> {
    let finishing = pairs(
        &books.orders,
        "select o.order_id, 0 from customer_order o
           join order_work w on w.order_id = o.order_id and w.kind = 'FINISH'
          where o.state = 'PAID'",
    )?;
    let reserved = pairs(
        &books.stock,
        "select order_id, 0 from reservation where state = 'RESERVED'",
    )?;
    let both = finishing.into_keys().filter(|order| reserved.contains_key(order));
    Ok(both.collect())
}

/// By the history, just the pieces of PAID orders are out of the house, and each of them once; those that are
/// still to be let go are in it.
fn leaves_once(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    let out = pairs(
        &books.stock,
        "select order_id, sum(case kind when 'COMMIT' then quantity else -quantity end) from stock_history
          where kind in ('COMMIT', 'RETURN') group by order_id",
    )?;
    let bought = pairs(
        &books.orders,
        "select o.order_id, sum(line.quantity) from customer_order o
           join order_line line on line.order_id = o.order_id
          where o.state = 'PAID' group by o.order_id",
    )?;
    let in_the_house = to_be_let_go(books)?;
    let bought = bought
        .into_iter()
        .filter(|(order, _)| !in_the_house.contains(order));
    let bought: BTreeMap<i64, i64> = bought.collect();
    for order in out.keys().chain(bought.keys()).collect::<BTreeSet<_>>() {
        let (out, bought) = (out.get(order).unwrap_or(&0), bought.get(order).unwrap_or(&0));
        if out != bought {
            broken.push(format!(
                "I1: {out} pieces of order {order} left the house, {bought} were bought"
            ));
        }
    }
    Ok(())
}

/// Sold are the goods of orders that are PAID, held those of orders that wait for their payment, or are PAID and
/// wait for the job that lets their goods go.
fn follows_orders(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    let sold = pairs(
        &books.stock,
        "select order_id, 0 from reservation
          where state = 'COMMITTED' and order_id not in (select order_id from taken_back)",
    )?;
    let held = pairs(
        &books.stock,
        "select order_id, sum(quantity) from reservation_line where held_until is not null group by order_id",
    )?;
    let paid = pairs(
        &books.orders,
        "select order_id, 0 from customer_order where state = 'PAID'",
    )?;
    let waiting = pairs(
        &books.orders,
        "select order_id, 0 from order_work where kind = 'AWAIT'",
    )?;
    let in_the_house = to_be_let_go(books)?;
    let unsold = paid
        .keys()
        .filter(|order| !sold.contains_key(*order) && !in_the_house.contains(*order));
    broken.extend(unsold.map(|order| format!("I1: order {order} is PAID, its goods were not committed")));
    let gone = sold.keys().filter(|order| !paid.contains_key(*order));
    broken.extend(gone.map(|order| format!("I1: the goods of order {order} are gone, it is not PAID")));
    let still = held
        .iter()
        .filter(|(order, _)| !waiting.contains_key(*order) && !in_the_house.contains(*order));
    broken.extend(still.map(|(order, pieces)| format!("I1: {pieces} pieces still held for order {order}")));
    let free = waiting.keys().filter(|order| !held.contains_key(*order));
    broken
        .extend(free.map(|order| format!("I1: nothing is held for order {order}, which waits for payment")));
    Ok(())
}
