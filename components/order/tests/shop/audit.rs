//! What must hold of the whole shop once nothing is under way.

use std::collections::BTreeMap;

use store::{Db, params};

use super::Shop;

/// Two numbers a row.
fn pairs(db: &Db, statement: &str) -> BTreeMap<i64, i64> {
    let rows = db.read(statement, params![]).unwrap();
    let pair = |row: &store::Row| (row.get("key").unwrap(), row.get("value").unwrap());
    rows.iter().map(pair).collect()
}

impl Shop {
    /// Nothing is kept or held unless its order is PAID or waits for its payment, and all tell the same
    /// story.
    #[track_caller]
    pub(crate) fn assert_sound(&self, context: &str) {
        let broken = self.seam.aside(|| self.broken());
        assert!(broken.is_empty(), "{context}:\n{}", broken.join("\n"));
    }

    fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let paid = "select order_id as key, due_minor as value from customer_order where state = 'PAID'";
        let paid = pairs(&self.orders, paid);
        let kept = "select order_id as key, amount_minor - refunded_minor as value from payment
                     where state = 'CAPTURED' and amount_minor > refunded_minor";
        let kept = pairs(&self.payments, kept);
        if paid != kept {
            broken.push(format!("paid {paid:?}, kept {kept:?}"));
        }
        let held = "select order_id as key, asked_minor - cancelled_minor as value from pg_payment
                     where state = 'APPROVED' and asked_minor > cancelled_minor";
        let held = pairs(&self.gateway.book, held);
        let by_gateway = "select order_id as key, due_minor as value from customer_order
                           where state = 'PAID' and method <> 'CASH'";
        let by_gateway = pairs(&self.orders, by_gateway);
        if by_gateway != held {
            broken.push(format!("paid by the gateway {by_gateway:?}, it holds {held:?}"));
        }
        let sold = "select order_id as key, 0 as value from reservation
                     where state = 'COMMITTED' and order_id not in (select order_id from taken_back)";
        let sold = pairs(&self.stock_tables, sold);
        if !paid.keys().eq(sold.keys()) {
            broken.push(format!("paid {paid:?}, sold {sold:?}"));
        }
        let waiting = "select order_id as key, 0 as value from order_work where kind = 'AWAIT'";
        let waiting = pairs(&self.orders, waiting);
        let reserved = "select order_id as key, sum(quantity) as value from reservation_line
                         where held_until is not null group by order_id";
        let reserved = pairs(&self.stock_tables, reserved);
        if !waiting.keys().eq(reserved.keys()) {
            broken.push(format!("waiting {waiting:?}, held {reserved:?}"));
        }
        broken.extend(self.undecided());
        broken.extend(self.untold());
        broken
    }

    /// Orders that are not at their end though nothing is under way.
    fn undecided(&self) -> Option<String> {
        let work = "select order_id as key, 0 as value from order_work where kind <> 'AWAIT'";
        let work = pairs(&self.orders, work);
        let pending = "select order_id as key, 0 as value from customer_order where state = 'PENDING'
                          and order_id not in (select order_id from order_work)";
        let pending = pairs(&self.orders, pending);
        (!work.is_empty() || !pending.is_empty()).then(|| format!("left {work:?}, pending {pending:?}"))
    }

    /// Every order tells of its beginning and of each change, in history and events.
    fn untold(&self) -> Option<String> {
        let statement = "select o.order_id || ' ' || o.state as story,
                (select coalesce(string_agg(to_state, ' '), '')
                   from (select to_state from order_history h where h.order_id = o.order_id
                          order by at, from_state desc) as past) as history,
                (select string_agg(topic, ' ')
                   from (select topic from outbox e where e.key = '' || o.order_id
                          order by occurred_at, topic = 'order.cancelled', topic) as events) as topics
           from customer_order o";
        let mut untold = Vec::new();
        for row in self.orders.read(statement, params![]).unwrap() {
            let (story, history): (String, String) = (row.get("story").unwrap(), row.get("history").unwrap());
            let topics: String = row.get("topics").unwrap();
            let state = story.split(' ').next_back().unwrap();
            let told = history
                .to_lowercase()
                .split_whitespace()
                .fold("order.created".to_owned(), |told, to| {
                    format!("{told} order.{to}")
                });
            let ends_right = history.split(' ').next_back().unwrap_or("") == state
                || state == "PENDING" && history.is_empty();
            if told != topics || !ends_right {
                untold.push(format!("{story}: history {history:?}, events {topics:?}"));
            }
        }
        (!untold.is_empty()).then(|| untold.join("; "))
    }
}
