//! What the API's document says about these pages.

use openapi::{Access, Document, Operation, Parameter, field, id, words};
use utoipa::openapi::Object;
use web::Method;

use super::SkuView;
use crate::domain::Kind;

/// The document of this component; `openapi.json` keeps its text.
pub fn document() -> Document {
    let show = Operation::new(
        Access::Admin,
        Method::Get,
        "/admin/stock/{skuId}",
        "getStock",
        "Show a SKU's stock",
    )
    .about("With what led to it, the newest change first.")
    .parameter(Parameter::path("skuId", "The SKU's id.", id()).example(1))
    .answers::<SkuView>(200, "The counts, and one page of the history.")
    .paged(20);
    Document::new(
        "stock",
        "How many pieces there are, and for whom.",
        env!("CARGO_PKG_VERSION"),
    )
    .with(show)
}

pub(super) fn kind_field() -> Object {
    field(words(&Kind::ALL.map(Kind::text)))
}

/// On whose behalf; nobody's for the first count and for corrections.
pub(super) fn order_field() -> Object {
    let mut schema = id();
    schema["type"] = ["integer", "null"].as_slice().into();
    schema["description"] = "The order; null for the first count and for corrections.".into();
    field(schema)
}
