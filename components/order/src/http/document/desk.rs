//! What the API's document says about the desk.

use openapi::{Access, Operation, Parameter, json, words};
use web::{Code, Method};

use crate::domain::State;
use crate::http::view::{DetailView, EntryView, OrderView};
use crate::http::wire::NewRetry;

fn operation(method: Method, path: &'static str, name: &'static str, summary: &'static str) -> Operation {
    Operation::new(Access::Admin, method, path, name, summary)
}

pub(super) fn list() -> Operation {
    let state = Parameter::query("status", "Only orders of this state.", words(&State::WORDS));
    operation(
        Method::Get,
        "/admin/orders",
        "listOrders",
        "List everybody's orders",
    )
    .parameter(state.example("PAID"))
    .lists::<OrderView>("One page of orders, newest first.")
}

pub(super) fn stuck() -> Operation {
    operation(
        Method::Get,
        "/admin/orders/stuck",
        "listStuckOrders",
        "List orders that wait for a person",
    )
    .about("What had to be given back for them was refused.")
    .lists::<EntryView>("One page of orders with their work, newest first.")
}

pub(super) fn show() -> Operation {
    operation(
        Method::Get,
        "/admin/orders/{id}",
        "getOrderAsAdmin",
        "Show anybody's order",
    )
    .id("id", "The order's id.")
    .answers::<DetailView>(200, "The order with its work and its history.")
}

pub(super) fn retry() -> Operation {
    operation(
        Method::Post,
        "/admin/orders/{id}/retry",
        "retryOrder",
        "Try again to give back what is stuck",
    )
    .about("With the `attempt` that was looked at it moves money once, however often it is sent.")
    .id("id", "The order's id.")
    .optional_body::<NewRetry>(&[("the first attempt failed", json!({"attempt": 1}))])
    .answers::<DetailView>(200, "The order as it is after another attempt.")
    .leads_to("look", "getOrderAsAdmin", &[("id", "$response.body#/id")])
    .refuses(
        Code::Conflict,
        "The order is not stuck, or not at this attempt any more.",
    )
}

pub(super) fn cancel() -> Operation {
    let operation = operation(
        Method::Post,
        "/admin/orders/{id}/cancel",
        "cancelOrderAsAdmin",
        "Cancel anybody's order",
    )
    .about("Only a PAID one: money and goods go back.");
    super::cancellation(operation)
}
