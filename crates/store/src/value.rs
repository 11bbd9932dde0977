/// A value as databases know it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A 64-bit integer: ids, amounts, instants, counts.
    Integer(i64),
    /// A floating-point number; read from the database, never stored by us.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// Nothing.
    Null,
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Integer(i64::from(yes))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<kernel::Instant> for Value {
    fn from(instant: kernel::Instant) -> Self {
        Self::Integer(instant.micros())
    }
}

impl From<kernel::Quantity> for Value {
    fn from(quantity: kernel::Quantity) -> Self {
        quantity.get().into()
    }
}

macro_rules! from_id {
    ($($id:ty),*) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                Self::Integer(id.as_i64())
            }
        }
    )*};
}

from_id!(
    kernel::OrderId,
    kernel::PaymentId,
    kernel::ProductId,
    kernel::SkuId,
    kernel::UserId
);

/// The parameters of a statement: `params![order, quantity, now]`, in the order of `?1`, `?2`, …
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] as &[$crate::Value] };
}
