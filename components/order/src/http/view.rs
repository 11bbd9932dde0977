//! The JSON that clients get.

use openapi::{Id, Moment, Quantity, Won, one_of};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::app::{Detail, Past};
use crate::domain::{Cancellation, Entry, Failure, Line, Method, Order, State, Task, Work, order_number};

/// An order as its owner sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Order)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderView {
    #[schema(value_type = Id)]
    id: u64,
    /// What to say on the telephone.
    #[schema(pattern = "^[0-9A-HJKMNP-TV-Z]{6}-[0-9A-HJKMNP-TV-Z]{5}$")]
    order_number: String,
    #[schema(value_type = Id)]
    user_id: u64,
    /// The first line's, for clients that know no lines.
    #[schema(value_type = Id, required = true)]
    product_id: Option<u64>,
    /// The first line's, for clients that know no lines.
    #[schema(value_type = Quantity, required = true)]
    quantity: Option<u32>,
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<ItemView>,
    #[schema(schema_with = currencies)]
    currency: &'static str,
    #[schema(value_type = Won)]
    total_amount: i64,
    #[schema(value_type = Won)]
    discount_amount: i64,
    /// What is to be paid: the total without the discount.
    #[schema(value_type = Won)]
    payment_amount: i64,
    #[schema(schema_with = methods)]
    payment_method: &'static str,
    #[schema(schema_with = states)]
    status: &'static str,
    #[schema(schema_with = failures)]
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    #[schema(schema_with = cancellations)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<&'static str>,
    /// What a person said about the cancellation.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_note: Option<String>,
    #[schema(value_type = Moment)]
    created_at: String,
    /// Until when it waits for its payment.
    #[schema(value_type = Moment, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderLine)]
#[serde(rename_all = "camelCase")]
struct ItemView {
    #[schema(value_type = Id)]
    product_id: u64,
    #[schema(value_type = Id)]
    sku_id: u64,
    name: String,
    #[schema(value_type = Won)]
    unit_price: i64,
    #[schema(value_type = Quantity)]
    quantity: u32,
    /// The price of all pieces.
    #[schema(value_type = Won)]
    amount: i64,
}

fn currencies() -> Object {
    one_of([kernel::Currency::Krw.code()])
}

pub(super) fn methods() -> Object {
    one_of(Method::ALL.map(Method::text))
}

fn states() -> Object {
    one_of(State::WORDS)
}

fn failures() -> Object {
    one_of(Failure::WORDS)
}

fn cancellations() -> Object {
    one_of(Cancellation::WORDS)
}

fn tasks() -> Object {
    one_of(Task::WORDS)
}

fn reasons() -> Object {
    one_of(Cancellation::WORDS.into_iter().chain(Failure::WORDS))
}

/// The answer to a payment gateway that told something.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookAnswer)]
pub(super) struct WebhookView {}

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
#[derive(Serialize, ToSchema)]
#[schema(as = OrderWithWork)]
pub(super) struct EntryView {
    #[serde(flatten)]
    order: OrderView,
    /// What is left to do; null when nothing is.
    #[schema(required = true)]
    work: Option<WorkView>,
}

/// An order with what is left to do for it and its history, for administrators.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderDetail)]
pub(super) struct DetailView {
    #[serde(flatten)]
    entry: EntryView,
    history: Vec<PastView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderWork)]
#[serde(rename_all = "camelCase")]
struct WorkView {
    #[schema(schema_with = tasks)]
    kind: &'static str,
    /// How often it was begun.
    #[schema(value_type = i64, minimum = 1, maximum = 4294967295i64)]
    attempt: u32,
    from_cart: bool,
    /// Until when nobody else may take it.
    #[schema(value_type = Moment)]
    lease_until: String,
    #[schema(value_type = String, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_key: Option<String>,
    #[schema(schema_with = reasons)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The step whose undo was refused, so that a person has to look.
    #[schema(value_type = String, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    stuck_step: Option<String>,
    /// What was said when it was refused.
    #[schema(value_type = String, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    stuck_reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderTransition)]
struct PastView {
    #[schema(schema_with = states)]
    from: String,
    #[schema(schema_with = states)]
    to: String,
    #[schema(value_type = Moment)]
    at: String,
    /// Why, when that is not plain.
    #[schema(required = true)]
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
