//! Values that mean the same in every domain. A wire type names them for its fields, so that their bounds
//! stand in one place: `#[schema(value_type = openapi::Id)]`.

use kernel::{MAX_ID, Money};
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The id of something.
#[derive(Debug)]
pub enum Id {}

/// How many pieces.
#[derive(Debug)]
pub enum Quantity {}

/// An amount in won that can't be negative.
#[derive(Debug)]
pub enum Won {}

/// A moment.
#[derive(Debug)]
pub enum Moment {}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        number("The id of something.", 1, MAX_ID as i64)
    }
}

impl PartialSchema for Quantity {
    fn schema() -> RefOr<Schema> {
        number("How many pieces.", 1, i64::from(kernel::Quantity::MAX))
    }
}

impl PartialSchema for Won {
    fn schema() -> RefOr<Schema> {
        number("An amount in won.", 0, Money::MAX_MINOR)
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .pattern(Some(
                r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
            ))
            .description(Some("A moment: RFC 3339 in UTC with milliseconds."))
            .into()
    }
}

impl ToSchema for Id {}
impl ToSchema for Quantity {}
impl ToSchema for Won {}
impl ToSchema for Moment {}

fn number(about: &str, least: i64, most: i64) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(least))
        .maximum(Some(most))
        .description(Some(about))
        .into()
}

/// One of these words, for `#[schema(schema_with = …)]`.
pub fn one_of(words: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .build()
}

/// One of these words or null, for `#[schema(schema_with = …)]`.
pub fn one_of_or_null(words: impl IntoIterator<Item = &'static str>) -> Object {
    let words = words.into_iter().map(serde_json::Value::from);
    ObjectBuilder::new()
        .schema_type(
            [Type::String, Type::Null]
                .into_iter()
                .collect::<utoipa::openapi::schema::SchemaType>(),
        )
        .enum_values(Some(words.chain([serde_json::Value::Null])))
        .build()
}

/// Nothing but null, for `#[schema(schema_with = …)]`: a field that may be written down, but not filled.
pub fn null() -> Object {
    ObjectBuilder::new().schema_type(Type::Null).build()
}
