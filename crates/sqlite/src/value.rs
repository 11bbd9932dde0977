//! Values that cross from a guest to SQLite and back.

/// One value, as SQLite stores it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit float; SQLite stores a NaN as NULL.
    Real(f64),
    /// Text in UTF-8; it may contain NUL characters.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// SQL NULL.
    Null,
}

impl Value {
    /// What this value costs against [`crate::Options::max_result_bytes`].
    pub fn memory_size(&self) -> usize {
        let own = std::mem::size_of::<Self>();
        match self {
            Self::Integer(_) | Self::Real(_) | Self::Null => own,
            Self::Text(text) => own + text.len(),
            Self::Blob(bytes) => own + bytes.len(),
        }
    }
}

/// The answer to one statement; a statement that returns nothing has no columns and no rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The column names, in the order of the values.
    pub columns: Vec<String>,
    /// The rows, each with one value per column.
    pub rows: Vec<Vec<Value>>,
}
