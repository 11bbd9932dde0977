use serde_json::{Value, json};
use utoipa::openapi::Object;

/// Ids travel as JSON numbers, so they stay below 2^53.
const MAX_ID: i64 = 9_007_199_254_740_991;

/// A parameter of an operation.
#[derive(Debug, Clone)]
pub struct Parameter(pub(crate) Value);

impl Parameter {
    /// A part of the query; may be left out.
    pub fn query(name: &str, about: &str, schema: Value) -> Self {
        Self(json!({"name": name, "in": "query", "description": about, "schema": schema}))
    }

    /// A segment of the path.
    pub fn path(name: &str, about: &str, schema: Value) -> Self {
        Self(json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema}))
    }

    /// A header; may be left out.
    pub fn header(name: &str, about: &str, schema: Value) -> Self {
        Self(json!({"name": name, "in": "header", "description": about, "schema": schema}))
    }

    /// The same, but it must be there.
    pub fn required(mut self) -> Self {
        self.0["required"] = true.into();
        self
    }

    /// The same with a value that works on a new shop.
    pub fn example(mut self, value: impl Into<Value>) -> Self {
        self.0["example"] = value.into();
        self
    }

    /// `limit`, `cursor`: which part of a list.
    pub(crate) fn of_list(length: u32) -> [Self; 2] {
        let mut limit = whole(1, 100);
        limit["default"] = length.into();
        [
            Self::query("limit", "How many entries at most.", limit),
            Self::query(
                "cursor",
                "Where to go on: taken from the `Link` header of the page before, and good for the same query only.",
                json!({"type": "string", "format": "cursor", "maxLength": 1400}),
            ),
        ]
    }

    /// `Idempotency-Key`.
    pub(crate) fn idempotency_key() -> Self {
        let about = "Makes repeating safe: the same key with the same body gets the same answer, also after a crash; \
                     with another body 422; while the first still runs 409.";
        let schema = json!({
            "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$",
        });
        Self::header("Idempotency-Key", about, schema)
    }
}

/// A whole number in these bounds.
pub fn whole(least: i64, most: i64) -> Value {
    json!({"type": "integer", "format": "int64", "minimum": least, "maximum": most})
}

/// The id of something.
pub fn id() -> Value {
    whole(1, MAX_ID)
}

/// Text of so many characters.
pub fn text(least: u32, most: u32) -> Value {
    json!({"type": "string", "minLength": least, "maxLength": most})
}

/// One of these words.
pub fn words(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// The schema of a field, for `#[schema(schema_with = …)]`: what a derived one can't say, or another says too.
///
/// # Panics
/// When the value is not the schema of one type.
pub fn field(schema: Value) -> Object {
    serde_json::from_value(schema).expect("a field's schema is one of a single type")
}

/// The schema of a field with an id.
pub fn id_field() -> Object {
    field(id())
}

/// The schema of a field with an amount of money, in won.
pub fn won_field() -> Object {
    field(json!({"type": "integer", "format": "int64", "description": "In won."}))
}

/// The schema of a field with a moment, as we write it.
pub fn moment_field() -> Object {
    field(
        json!({"type": "string", "format": "date-time", "description": "RFC 3339, UTC, to the millisecond."}),
    )
}
