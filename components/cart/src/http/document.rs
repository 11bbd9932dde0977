//! What the API's document says about carts.

use openapi::{Access, Document, Operation, Parameter, id, json};
use web::{Code, Method};

use super::wire::{LineView, MergedView, NewItem, NewMerge, NewQuantity};

/// The document of this component; `openapi.json` keeps its text.
pub fn document() -> Document {
    let about = "What a customer means to buy. A cart holds nothing back.";
    Document::new("cart", about, env!("CARGO_PKG_VERSION"))
        .with(show())
        .with(clear())
        .with(add())
        .with(merge())
        .with(change())
        .with(remove())
}

fn operation(method: Method, path: &'static str, name: &'static str, summary: &'static str) -> Operation {
    Operation::new(Access::User, method, path, name, summary)
}

fn show() -> Operation {
    operation(Method::Get, "/cart", "getCart", "Show your cart")
        .answers_all::<LineView>(200, "All lines, by product and SKU; there are no pages.")
}

fn clear() -> Operation {
    operation(Method::Delete, "/cart", "clearCart", "Empty your cart")
        .answers_nothing(204, "The cart is empty.")
}

fn add() -> Operation {
    let line = [
        ("productId", "$response.body#/productId"),
        ("skuId", "$response.body#/skuId"),
    ];
    operation(
        Method::Post,
        "/cart/items",
        "addToCart",
        "Put pieces into your cart",
    )
    .about(
        "They are put to those of the same SKU. `skuId` is needed when the product comes in several kinds.",
    )
    .idempotent()
    .body::<NewItem>(&[
        ("one kind", json!({"productId": 1, "quantity": 2})),
        ("a SKU", json!({"productId": 2, "skuId": 2, "quantity": 1})),
    ])
    .answers::<LineView>(201, "The line as it is now.")
    .leads_to("look", "getCart", &[])
    .leads_to("change", "changeCartLine", &line)
    .leads_to("remove", "removeCartLine", &line)
    .refuses(Code::NotFound, "There is no such product, or no such SKU of it.")
    .refuses(
        Code::OutOfStock,
        "Together with what is in the cart it is more than is free.",
    )
    .refuses(
        Code::Unprocessable,
        "The product comes in several kinds and none is named, the cart has 100 lines, \
             or the line would have more than 1,000,000 pieces.",
    )
}

fn merge() -> Operation {
    operation(
        Method::Post,
        "/cart/merge",
        "mergeCart",
        "Merge a guest's cart into yours",
    )
    .about(
        "For the cart that a client kept before its user logged in: send it once, with a key of its own for that \
         cart. What can't be had is named in `adjusted` and refuses nothing.",
    )
    .idempotent_only()
    .body::<NewMerge>(&[(
        "a guest's cart",
        json!({"items": [{"productId": 1, "quantity": 1}, {"productId": 3, "quantity": 9}]}),
    )])
    .answers::<MergedView>(200, "The whole cart, and what did not come in as it was asked for.")
    .leads_to("look", "getCart", &[])
}

fn change() -> Operation {
    of_line(operation(
        Method::Patch,
        "/cart/items/{productId}",
        "changeCartLine",
        "Set how many pieces are in your cart",
    ))
    .about("With 0 or less the line is taken out.")
    .body::<NewQuantity>(&[
        ("three pieces", json!({"quantity": 3})),
        ("none", json!({"quantity": 0})),
    ])
    .answers::<LineView>(200, "The line as it is now.")
    .answers_nothing(204, "The line is gone.")
    .refuses(Code::NotFound, "It is not in the cart, or not for sale any more.")
    .refuses(Code::OutOfStock, "It is more than is free.")
    .refuses(
        Code::Unprocessable,
        "Several kinds of the product are in the cart, and none is named.",
    )
}

fn remove() -> Operation {
    of_line(operation(
        Method::Delete,
        "/cart/items/{productId}",
        "removeCartLine",
        "Take a product out of your cart",
    ))
    .about("All kinds of it, unless one is named.")
    .answers_nothing(204, "It is not in the cart, and may not have been.")
}

fn of_line(operation: Operation) -> Operation {
    operation
        .id("productId", "The product.")
        .parameter(Parameter::query(
            "skuId",
            "Which kind of the product is meant.",
            id(),
        ))
}
