//! A TOML text with its places, and the problems found in it.

use crate::{FileError, Problem};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor, value};
use serde::{Deserialize, de};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::path::Path;

/// A TOML text that is being checked; problems pile up until [`Document::finish`].
pub(crate) struct Document<'a> {
    text: &'a str,
    path: &'a Path,
    problems: Vec<Problem>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(text: &'a str, path: &'a Path) -> Self {
        Self {
            text,
            path,
            problems: Vec::new(),
        }
    }

    /// Reads the text into its shape; the first thing that doesn't fit is the error.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, FileError> {
        toml::from_str(self.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            self.error(span, in_our_words(error.message()))
        })
    }

    /// Something so wrong that nothing else is worth looking at.
    pub(crate) fn error(&self, span: Range<usize>, message: impl Into<String>) -> FileError {
        FileError::Invalid {
            problems: vec![self.at(span, message.into())],
        }
    }

    /// Notes something wrong at a place.
    pub(crate) fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        let problem = self.at(span, message.into());
        self.problems.push(problem);
    }

    /// The line of a place, for a message about another one.
    pub(crate) fn line(&self, span: &Range<usize>) -> usize {
        self.position(span.start).0
    }

    /// The value if nothing was wrong, else everything that was, in the order of the file.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<T, FileError> {
        if self.problems.is_empty() {
            return Ok(value);
        }
        self.problems.sort();
        self.problems.dedup();
        Err(FileError::Invalid {
            problems: self.problems,
        })
    }

    fn at(&self, span: Range<usize>, message: String) -> Problem {
        let (line, column) = self.position(span.start);
        Problem {
            path: self.path.to_owned(),
            line,
            column,
            message,
        }
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

/// The parser speaks of fields, maps and machine words where the file has keys, tables and numbers.
fn in_our_words(message: &str) -> String {
    let words = [
        ("unknown field", "unknown key"),
        ("missing field", "missing key"),
        ("expected a map", "expected a table"),
        ("expected u64", "expected a whole number from 0 on"),
    ];
    let message = words.iter().fold(message.to_owned(), |message, (theirs, ours)| {
        message.replace(theirs, ours)
    });
    message.trim_end().replace('\n', ", ")
}

/// A value that is written as a string or, with more to say, as a table.
#[derive(Debug)]
pub(crate) enum StringOr<T> {
    String(String),
    Table(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for StringOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = StringOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a table")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(StringOr::String(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(value::MapAccessDeserializer::new(map)).map(StringOr::Table)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// A value that is written as one of `T` or as a list of `L`.
#[derive(Debug)]
pub(crate) enum OneOrList<T, L> {
    One(T),
    List(Vec<L>),
}

/// What a scalar can be made of, so that `OneOrList` knows what to expect.
pub(crate) trait Scalar: Sized {
    const NAME: &'static str;

    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    fn from_text(_: &str) -> Option<Self> {
        None
    }
}

impl Scalar for bool {
    const NAME: &'static str = "true, false";

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Scalar for String {
    const NAME: &'static str = "a string";

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl<'de, T: Scalar, L: Deserialize<'de>> Deserialize<'de> for OneOrList<T, L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T, L>(PhantomData<(T, L)>);
        impl<'de, T: Scalar, L: Deserialize<'de>> Visitor<'de> for Either<T, L> {
            type Value = OneOrList<T, L>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} or a list of strings", T::NAME)
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
                T::from_bool(value)
                    .map(OneOrList::One)
                    .ok_or_else(|| E::invalid_type(de::Unexpected::Bool(value), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::from_text(text)
                    .map(OneOrList::One)
                    .ok_or_else(|| E::invalid_type(de::Unexpected::Str(text), &self))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(value::SeqAccessDeserializer::new(list)).map(OneOrList::List)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}
