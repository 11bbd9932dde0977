//! What the API's document says about orders, their second step and the desk.

mod desk;

use openapi::{Access, Document, Operation, json};
use web::{Code, Method};

use super::shape::NewOrderShape;
use super::view::{OrderView, WebhookView};
use super::wire::{Hook, NewCancel, NewCartOrder, NewConfirm};

/// The document of this component; `openapi.json` keeps its text.
pub fn document() -> Document {
    let about = "What customers asked to buy, from the order to its payment or its end.";
    Document::new("order", about, env!("CARGO_PKG_VERSION"))
        .with(place())
        .with(place_cart())
        .with(list())
        .with(show())
        .with(cancel(Method::Patch, "cancelOrder"))
        .with(cancel(Method::Post, "cancelOrderByPost"))
        .with(confirm())
        .with(webhook())
        .with(desk::list())
        .with(desk::stuck())
        .with(desk::show())
        .with(desk::retry())
        .with(desk::cancel())
}

fn operation(method: Method, path: &'static str, name: &'static str, summary: &'static str) -> Operation {
    Operation::new(Access::User, method, path, name, summary)
}

fn place() -> Operation {
    let operation = operation(Method::Post, "/orders", "placeOrder", "Order goods and pay for them")
        .about(
            "All items or nothing, at the prices of this moment. With `paymentMethod` `PG` the order is PENDING, and its \
             goods are held until `expiresAt`: pay for it with `POST /payments/confirm`. With any other it is paid at once.",
        )
        .idempotent()
        .body::<NewOrderShape>(&[
            ("one product", json!({"productId": 1, "quantity": 2, "paymentMethod": "CARD"})),
            (
                "items",
                json!({
                    "items": [{"productId": 1, "quantity": 1}, {"skuId": 2, "quantity": 1}],
                    "paymentMethod": "CASH",
                }),
            ),
            ("in two steps", json!({"productId": 2, "quantity": 1, "paymentMethod": "PG"})),
        ])
        .answers::<OrderView>(201, "The order: PAID, or PENDING while it waits for its payment.")
        .located();
    checkout(next(operation, "$response.body#/id", true))
        .refuses(Code::NotFound, "An item is not for sale.")
        .refuses(
            Code::Unprocessable,
            "An item's product comes in several kinds and none is named.",
        )
}

fn place_cart() -> Operation {
    let operation = operation(
        Method::Post,
        "/orders/from-cart",
        "placeOrderFromCart",
        "Order what is in your cart and pay for it",
    )
    .about(
        "All lines or nothing. The cart is emptied of what was bought once the order is PAID. Without a body it is \
         paid by CARD.",
    )
    .idempotent()
    .optional_body::<NewCartOrder>(&[("by card", json!({"paymentMethod": "CARD"}))])
    .answers_all::<OrderView>(201, "The order of all lines, alone in an array.")
    .located();
    checkout(next(operation, "$response.body#/0/id", true))
        .refuses(Code::Validation, "The cart is empty.")
        .refuses(
            Code::Conflict,
            "A line of the cart is not for sale any more, or the cart is being ordered already.",
        )
}

/// What every checkout may be refused for.
fn checkout(operation: Operation) -> Operation {
    payment(operation)
        .refuses(
            Code::Conflict,
            "Ten of your orders wait for their payment already.",
        )
        .refuses(
            Code::Unprocessable,
            "The method of payment is not offered at the moment (`POINT`), or the total is too large.",
        )
}

/// What taking money may be refused for.
fn payment(operation: Operation) -> Operation {
    operation
        .refuses(
            Code::PaymentRefused,
            "The payment was refused; everything was given back.",
        )
        .refuses(Code::OutOfStock, "There is not enough in stock.")
        .refuses(
            Code::BadGateway,
            "It failed and could not be given back whole: somebody looks into it.",
        )
        .refuses(
            Code::Unavailable,
            "Everything was given back, or is decided a little later: look at `Location` where there is one.",
        )
}

/// What can be asked about the order whose id stands in this place; also whether it can be cancelled.
fn next(operation: Operation, id: &'static str, and_cancelled: bool) -> Operation {
    let operation = operation
        .leads_to("look", "getOrder", &[("id", id)])
        .leads_to("payment", "getPayment", &[("orderId", id)])
        .leads_to("desk", "getOrderAsAdmin", &[("id", id)]);
    if and_cancelled {
        operation
            .leads_to("cancel", "cancelOrder", &[("id", id)])
            .leads_to("cancel by POST", "cancelOrderByPost", &[("id", id)])
            .leads_to("cancel at the desk", "cancelOrderAsAdmin", &[("id", id)])
            .leads_to("retry at the desk", "retryOrder", &[("id", id)])
            .leads_to("payment at the desk", "getPaymentAsAdmin", &[("orderId", id)])
            .leads_to("refund", "refundPayment", &[("orderId", id)])
    } else {
        operation
    }
}

fn list() -> Operation {
    operation(Method::Get, "/orders/me", "listMyOrders", "List your orders")
        .lists::<OrderView>("One page of orders, newest first.")
}

fn show() -> Operation {
    operation(Method::Get, "/orders/{id}", "getOrder", "Show one of your orders")
        .id("id", "The order's id.")
        .answers::<OrderView>(200, "The order.")
}

fn cancel(method: Method, name: &'static str) -> Operation {
    let operation = operation(method, "/orders/{id}/cancel", name, "Cancel one of your orders")
        .about("Only a PAID one: money and goods go back. `PATCH` and `POST` do the same.");
    cancellation(operation)
}

/// What customers and administrators can do alike.
fn cancellation(operation: Operation) -> Operation {
    let operation = operation
        .id("id", "The order's id.")
        .idempotent()
        .optional_body::<NewCancel>(&[("with a reason", json!({"reason": "마음이 바뀌었어요"}))])
        .answers::<OrderView>(200, "The order, CANCELLED.");
    next(operation, "$response.body#/id", false)
        .refuses(
            Code::Conflict,
            "The order is not PAID, or is being cancelled already.",
        )
        .refuses(
            Code::BadGateway,
            "The refund was refused: somebody looks into it, and repeating does not help.",
        )
        .refuses(
            Code::Unavailable,
            "It is not completed yet, and goes on by itself.",
        )
}

fn confirm() -> Operation {
    let operation = operation(
        Method::Post,
        "/payments/confirm",
        "confirmPayment",
        "Pay for an order that waits for its payment",
    )
    .about(
        "The second step of an order with `paymentMethod` `PG`: say under which key the payment was begun in the \
         gateway's window. The amount is compared with what is due.",
    )
    .idempotent()
    .body::<NewConfirm>(&[])
    .answers::<OrderView>(200, "The order, PAID.");
    payment(next(operation, "$response.body#/id", true))
        .refuses(Code::NotFound, "There is no such order, or it is not yours.")
        .refuses(
            Code::Conflict,
            "The order does not wait for a payment, its time to pay has run out, or it is being placed or paid right now.",
        )
        .refuses(Code::Unprocessable, "The amount is not what is due.")
}

fn webhook() -> Operation {
    Operation::new(
        Access::Open,
        Method::Post,
        "/payments/webhook",
        "notifyPayment",
        "Tell the shop about a payment",
    )
    .about(
        "For the payment gateway, and only a hint: nothing in it is believed, so anybody may send one. At most an \
         order that nobody works on is looked at a moment sooner.",
    )
    .body::<Hook>(&[(
        "a payment is done",
        json!({
            "eventType": "PAYMENT_STATUS_CHANGED",
            "createdAt": "2026-11-20T23:23:40.125Z",
            "data": {"paymentKey": "tviva20261120", "orderId": 7, "status": "DONE"},
        }),
    )])
    .answers::<WebhookView>(200, "It was heard.")
}
