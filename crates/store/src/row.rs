use std::rc::Rc;

use crate::{RowError, Value};

/// One row of an answer.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Rc<[String]>,
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(columns: Rc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// What stands in `column`, as the type the program stored there.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, RowError> {
        T::from_value(self.value(column)?).map_err(|problem| RowError::new(column, problem))
    }

    /// What stands in `column`, if it is one of the words `parse` knows.
    pub fn parse<T>(&self, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, RowError> {
        let text: String = self.get(column)?;
        parse(&text).ok_or_else(|| RowError::new(column, format!("unexpected {text:?}")))
    }

    fn value(&self, column: &str) -> Result<&Value, RowError> {
        let place = self.columns.iter().position(|name| name == column);
        place
            .and_then(|place| self.values.get(place))
            .ok_or_else(|| RowError::new(column, "missing"))
    }
}

/// A type that a column can hold.
pub trait FromValue: Sized {
    /// Takes the value, or says what is wrong with it.
    fn from_value(value: &Value) -> Result<Self, String>;
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Integer(number) => Ok(*number),
            other => Err(format!("expected an integer, found {other:?}")),
        }
    }
}

impl FromValue for u32 {
    fn from_value(value: &Value) -> Result<Self, String> {
        let number = i64::from_value(value)?;
        number.try_into().map_err(|_| format!("{number} is out of range"))
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Result<Self, String> {
        match i64::from_value(value)? {
            0 => Ok(false),
            1 => Ok(true),
            number => Err(format!("expected 0 or 1, found {number}")),
        }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            other => Err(format!("expected text, found {other:?}")),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Blob(bytes) => Ok(bytes.clone()),
            other => Err(format!("expected bytes, found {other:?}")),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl FromValue for kernel::Instant {
    fn from_value(value: &Value) -> Result<Self, String> {
        i64::from_value(value).map(Self::from_micros)
    }
}

impl FromValue for kernel::Quantity {
    fn from_value(value: &Value) -> Result<Self, String> {
        Self::try_new(i64::from_value(value)?).map_err(|error| error.to_string())
    }
}

macro_rules! id_from_value {
    ($($id:ty),*) => {$(
        impl FromValue for $id {
            fn from_value(value: &Value) -> Result<Self, String> {
                Self::try_from(i64::from_value(value)?).map_err(|error| error.to_string())
            }
        }
    )*};
}

id_from_value!(
    kernel::OrderId,
    kernel::PaymentId,
    kernel::ProductId,
    kernel::SkuId,
    kernel::UserId
);
