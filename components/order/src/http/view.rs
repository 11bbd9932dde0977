//! The JSON that clients get.

use serde::Serialize;

use crate::app::{Detail, Past};
use crate::domain::{Cancellation, Entry, Failure, Line, Order, State, Task, Work, order_number};

/// An order as its owner sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderView {
    id: u64,
    order_number: String,
    user_id: u64,
    product_id: Option<u64>,
    quantity: Option<u32>,
    items: Vec<ItemView>,
    currency: &'static str,
    total_amount: i64,
    discount_amount: i64,
    payment_amount: i64,
    payment_method: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_note: Option<String>,
    created_at: String,
    /// Until when it waits for its payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemView {
    product_id: u64,
    sku_id: u64,
    name: String,
    unit_price: i64,
    quantity: u32,
    amount: i64,
}

impl OrderView {
    /// `productId` and `quantity` are the first line's, for clients that know no lines.
    pub(super) fn of(order: &Order) -> Self {
        let first = order.lines.first();
        let (mut failure, mut cancellation, mut expires_at) = (None, None, None);
        match &order.state {
            State::Pending { pay_until } => expires_at = *pay_until,
            State::Paid { .. } => {}
            State::Failed { failure: why, .. } => failure = Some(why),
            State::Cancelled { why, .. } => cancellation = Some(why),
        }
        Self {
            id: order.id.get(),
            order_number: order_number(order.id),
            user_id: order.user.get(),
            product_id: first.map(|line| line.product.get()),
            quantity: first.map(|line| line.quantity.get()),
            items: order.lines.iter().map(ItemView::of).collect(),
            currency: order.totals.total.currency().code(),
            total_amount: order.totals.total.minor(),
            discount_amount: order.totals.discount.minor(),
            payment_amount: order.totals.due.minor(),
            payment_method: order.method.text(),
            status: order.state.text(),
            failure_reason: failure.map(Failure::text),
            cancel_reason: cancellation.map(Cancellation::text),
            cancel_note: cancellation.and_then(Cancellation::note).map(str::to_owned),
            created_at: order.created_at.rfc3339(),
            expires_at: expires_at.map(kernel::Instant::rfc3339),
        }
    }
}

impl ItemView {
    fn of(line: &Line) -> Self {
        Self {
            product_id: line.product.get(),
            sku_id: line.sku.get(),
            name: line.name.clone(),
            unit_price: line.unit_price.minor(),
            quantity: line.quantity.get(),
            amount: line.unit_price.minor() * i64::from(line.quantity.get()),
        }
    }
}

/// An order with what is left to do for it, for administrators.
#[derive(Serialize)]
pub(super) struct EntryView {
    #[serde(flatten)]
    order: OrderView,
    work: Option<WorkView>,
}

/// The same with its history.
#[derive(Serialize)]
pub(super) struct DetailView {
    #[serde(flatten)]
    entry: EntryView,
    history: Vec<PastView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WorkView {
    kind: &'static str,
    attempt: u32,
    from_cart: bool,
    lease_until: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stuck_step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stuck_reason: Option<String>,
}

#[derive(Serialize)]
struct PastView {
    from: String,
    to: String,
    at: String,
    reason: Option<String>,
}

impl EntryView {
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            order: OrderView::of(&entry.order),
            work: entry.work.as_ref().map(WorkView::of),
        }
    }
}

impl DetailView {
    pub(super) fn of(detail: &Detail) -> Self {
        Self {
            entry: EntryView::of(&detail.entry),
            history: detail.history.iter().map(PastView::of).collect(),
        }
    }
}

impl WorkView {
    fn of(work: &Work) -> Self {
        let (mut payment_key, mut reason) = (None, None);
        match &work.task {
            Task::Confirm { payment_key: key } => payment_key = Some(key.as_str().to_owned()),
            Task::Cancel { why } => reason = Some(why.text()),
            Task::Undo { failure } => reason = Some(failure.text()),
            Task::Place { .. } | Task::Await { .. } | Task::Finish | Task::Expire => {}
        }
        let stuck = work.stuck.clone();
        Self {
            kind: work.task.text(),
            attempt: work.attempt,
            from_cart: work.from_cart,
            lease_until: work.lease.until.rfc3339(),
            payment_key,
            reason,
            stuck_step: stuck.as_ref().map(|stuck| stuck.step.clone()),
            stuck_reason: stuck.map(|stuck| stuck.reason),
        }
    }
}

impl PastView {
    fn of(past: &Past) -> Self {
        Self {
            from: past.from.clone(),
            to: past.to.clone(),
            at: past.at.rfc3339(),
            reason: past.reason.clone(),
        }
    }
}
