//! Events of this domain, as others will read them (SPEC §15).

use serde::Serialize;

use crate::domain::{Failure, Order};

/// The data of `order.created`, `order.paid` and `order.failed`.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemData<'a> {
    product_id: u64,
    sku_id: u64,
    name: &'a str,
    unit_price: i64,
    quantity: u32,
}

/// The data of an event that tells of this order.
pub(crate) fn order_data(order: &Order, failure: Option<&Failure>) -> Result<String, serde_json::Error> {
    let items = order.lines.iter().map(|line| ItemData {
        product_id: line.product.get(),
        sku_id: line.sku.get(),
        name: &line.name,
        unit_price: line.unit_price.minor(),
        quantity: line.quantity.get(),
    });
    serde_json::to_string(&OrderData {
        order_id: order.id.get(),
        user_id: order.user.get(),
        currency: order.totals.total.currency().code(),
        total_amount: order.totals.total.minor(),
        discount_amount: order.totals.discount.minor(),
        payment_amount: order.totals.due.minor(),
        payment_method: order.method.text(),
        items: items.collect(),
        failure: failure.map(Failure::text),
    })
}
