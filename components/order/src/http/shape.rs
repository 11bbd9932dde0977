//! What bodies with alternatives look like, for the document: [`super::wire`] reads them field by field, so that
//! it can name everything that is wrong with one.

use openapi::Id;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Schema, Type};
use web::Whole;

use super::view::methods;
use crate::domain::Method;

/// What `POST /orders` takes, either one product or items.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewOrder)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is looked at")]
pub(super) enum NewOrderShape {
    Product(NewOrderOfProduct),
    Items(NewOrderOfItems),
}

/// An order of one product.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is looked at")]
pub(super) struct NewOrderOfProduct {
    #[schema(value_type = Id)]
    product_id: Whole,
    #[schema(value_type = openapi::Quantity)]
    quantity: Whole,
    #[schema(schema_with = openapi::null)]
    items: Option<Whole>,
    #[schema(schema_with = methods)]
    payment_method: String,
}

/// An order of several items; those of one SKU become one line.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is looked at")]
pub(super) struct NewOrderOfItems {
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<NewItemShape>,
    #[schema(schema_with = openapi::null)]
    product_id: Option<Whole>,
    #[schema(schema_with = openapi::null)]
    quantity: Option<Whole>,
    #[schema(schema_with = methods)]
    payment_method: String,
}

/// An item of an order: a product that comes in one kind only, or a SKU.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewOrderItem)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is looked at")]
enum NewItemShape {
    Product(NewItemOfProduct),
    Sku(NewItemOfSku),
}

/// So many pieces of a product.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewOrderItemOfProduct)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct NewItemOfProduct {
    #[schema(value_type = Id)]
    product_id: Whole,
    #[schema(schema_with = openapi::null)]
    sku_id: Option<Whole>,
    #[schema(value_type = openapi::Quantity)]
    quantity: Whole,
}

/// So many pieces of a SKU.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewOrderItemOfSku)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct NewItemOfSku {
    #[schema(value_type = Id)]
    sku_id: Whole,
    #[schema(schema_with = openapi::null)]
    product_id: Option<Whole>,
    #[schema(value_type = openapi::Quantity)]
    quantity: Whole,
}

/// The methods of payment where none need be named.
pub(super) fn methods_or_null() -> Object {
    openapi::one_of_or_null(Method::ALL.map(Method::text))
}

/// An order as a payment gateway calls it.
pub(super) fn order_name() -> Schema {
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(i64::MIN))
        .maximum(Some(i64::MAX));
    OneOfBuilder::new()
        .item(number)
        .item(ObjectBuilder::new().schema_type(Type::String))
        .into()
}
