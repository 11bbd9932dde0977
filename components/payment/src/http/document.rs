//! What the API's document says about payments.

use openapi::{Access, Document, Operation, json};
use web::{Code, Method};

use super::wire::{AdminView, NewRefundBody, PaymentView, StuckView, ToldRefund};

/// The document of this component; `openapi.json` keeps its text.
pub fn document() -> Document {
    let about = "Money taken for orders, once, and given back.";
    Document::new("payment", about, env!("CARGO_PKG_VERSION"))
        .with(show())
        .with(stuck())
        .with(show_as_admin())
        .with(refund())
}

fn show() -> Operation {
    Operation::new(
        Access::User,
        Method::Get,
        "/payments/{orderId}",
        "getPayment",
        "Show the payment of one of your orders",
    )
    .id("orderId", "The id of the order that was paid for.")
    .answers::<PaymentView<'_>>(200, "The payment.")
    .leads_to("order", "getOrder", &[("id", "$response.body#/orderId")])
}

fn stuck() -> Operation {
    Operation::new(
        Access::Admin,
        Method::Get,
        "/admin/payments/stuck",
        "listStuckMoney",
        "List money that should have gone back",
    )
    .about("The gateway keeps it, and a person has to look.")
    .lists::<StuckView>("One page of it, the longest stuck first.")
}

fn show_as_admin() -> Operation {
    Operation::new(
        Access::Admin,
        Method::Get,
        "/admin/payments/{orderId}",
        "getPaymentAsAdmin",
        "Show anybody's payment",
    )
    .about("`limit` and `cursor` are about its refunds.")
    .id("orderId", "The id of the order that was paid for.")
    .answers::<AdminView<'_>>(200, "The payment with one page of its refunds, oldest first.")
    .paged(20)
}

fn refund() -> Operation {
    let order = [("orderId", "$response.body#/orderId")];
    Operation::new(
        Access::Admin,
        Method::Post,
        "/admin/payments/{orderId}/refunds",
        "refundPayment",
        "Give back a part of a payment",
    )
    .about("The key names the refund: what the gateway refused once is refused for good, and another attempt needs another key.")
    .id("orderId", "The id of the order that was paid for.")
    .idempotent_only()
    .body::<NewRefundBody>(&[("a part", json!({"amount": 1000, "reason": "상품 하자"}))])
    .answers::<ToldRefund<'_>>(201, "The refund; the payment's page has the running sum.")
    .located()
    .leads_to("payment", "getPaymentAsAdmin", &order)
    .refuses(
        Code::Conflict,
        "Nothing was captured for this order, the gateway refused, or this refund is being carried out.",
    )
    .refuses(Code::Unprocessable, "It is more than is left of the payment.")
}
