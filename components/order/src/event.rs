//! Events of this domain, as others will read them (SPEC §15).

use serde::Serialize;

use crate::domain::{Cancellation, Failure, Line, Order, State};

/// What happened to an order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// It was written down.
    Created,
    /// It was paid for.
    Paid,
    /// It failed.
    Failed(&'a Failure),
    /// It was taken back.
    Cancelled {
        /// How it stood before.
        before: &'a State,
        /// Why.
        why: &'a Cancellation,
    },
}

impl Change<'_> {
    /// The event's topic.
    pub(crate) const fn topic(&self) -> &'static str {
        match self {
            Self::Created => "order.created",
            Self::Paid => "order.paid",
            Self::Failed(_) => "order.failed",
            Self::Cancelled { .. } => "order.cancelled",
        }
    }
}

/// The data of every event of an order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderData<'a> {
    order_id: u64,
    user_id: u64,
    currency: &'static str,
    total_amount: i64,
    discount_amount: i64,
    payment_amount: i64,
    payment_method: &'static str,
    items: Vec<ItemData<'a>>,
    /// Of `order.failed`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'static str>,
    /// Of `order.cancelled`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Of `order.cancelled`: PAID, or PENDING when it was never paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_status: Option<&'static str>,
}

/// One line, so that sums by seller, category and product need nobody else's data.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemData<'a> {
    product_id: u64,
    sku_id: u64,
    name: &'a str,
    category: &'a str,
    seller: &'a str,
    unit_price: i64,
    quantity: u32,
    amount: i64,
}

impl<'a> ItemData<'a> {
    fn of(line: &'a Line) -> Self {
        let (unit_price, quantity) = (line.unit_price.minor(), line.quantity.get());
        Self {
            product_id: line.product.get(),
            sku_id: line.sku.get(),
            name: &line.name,
            category: &line.category,
            seller: &line.seller,
            unit_price,
            quantity,
            // An order whose lines do not add up is never written down.
            amount: unit_price.saturating_mul(i64::from(quantity)),
        }
    }
}

/// The data of the event that tells of this change.
pub(crate) fn data(order: &Order, change: &Change<'_>) -> Result<String, serde_json::Error> {
    let (mut failure, mut reason, mut previous_status) = (None, None, None);
    match change {
        Change::Created | Change::Paid => {}
        Change::Failed(why) => failure = Some(why.text()),
        Change::Cancelled { before, why } => {
            (reason, previous_status) = (Some(why.text()), Some(before.text()));
        }
    }
    serde_json::to_string(&OrderData {
        order_id: order.id.get(),
        user_id: order.user.get(),
        currency: order.totals.total.currency().code(),
        total_amount: order.totals.total.minor(),
        discount_amount: order.totals.discount.minor(),
        payment_amount: order.totals.due.minor(),
        payment_method: order.method.text(),
        items: order.lines.iter().map(ItemData::of).collect(),
        failure,
        reason,
        previous_status,
    })
}
