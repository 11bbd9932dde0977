//! What the API's document says about these pages.

use kernel::Money;
use openapi::{Access, Document, Operation, Parameter, json, whole, words};
use serde_json::Value;
use web::Method;

use super::{DetailView, ProductView};
use crate::domain::Sort;

/// The document of this component; `openapi.json` keeps its text.
pub fn document() -> Document {
    Document::new("product", "What the shop sells.", env!("CARGO_PKG_VERSION"))
        .with(list())
        .with(show())
}

fn list() -> Operation {
    let names = Sort::ALL.map(|(name, _)| name);
    Operation::new(
        Access::Open,
        Method::Get,
        "/products",
        "listProducts",
        "List products",
    )
    .about("Filters combine with AND.")
    .parameter(Parameter::query("name", "A part of the name, in any case.", line()).example("상품"))
    .parameter(Parameter::query("category", "The name of the category.", line()).example("전자"))
    .parameter(Parameter::query(
        "minPrice",
        "The least price, in won.",
        whole(0, Money::MAX_MINOR),
    ))
    .parameter(Parameter::query(
        "maxPrice",
        "The highest price, in won; not below `minPrice`.",
        whole(0, Money::MAX_MINOR),
    ))
    .parameter(Parameter::query(
        "sort",
        "The order; `-` turns it round.",
        words(&names),
    ))
    .lists::<ProductView>("One page of products.")
    .cached()
}

fn show() -> Operation {
    Operation::new(
        Access::Open,
        Method::Get,
        "/products/{id}",
        "getProduct",
        "Show a product",
    )
    .id("id", "The product's id.")
    .answers::<DetailView>(200, "The product with its SKUs.")
    .cached()
}

/// Text without control characters.
fn line() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[^\\u0000-\\u001F\\u007F-\\u009F]*$"})
}
