//! The key-value store `default`, opened at its first use.

use std::cell::OnceCell;

use spin_sdk::wit::wasi::keyvalue::atomics::{self, Cas, CasError};
use spin_sdk::wit::wasi::keyvalue::store::{self, Bucket};

use crate::cells::Cells;

/// The store, for one request.
#[derive(Default)]
pub struct KeyValue(OnceCell<Result<Bucket, String>>);

impl KeyValue {
    fn bucket(&self) -> Result<&Bucket, String> {
        let open = || store::open("default").map_err(text);
        self.0.get_or_init(open).as_ref().map_err(Clone::clone)
    }
}

fn text(error: store::Error) -> String {
    match error {
        store::Error::NoSuchStore => "there is no such store".to_owned(),
        store::Error::AccessDenied => "the store was not granted".to_owned(),
        store::Error::Other(story) => story,
    }
}

impl Cells for KeyValue {
    type Seen = Cas;

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.bucket()?.get(key).map_err(text)
    }

    fn see(&self, key: &str) -> Result<(Option<Vec<u8>>, Cas), String> {
        let cas = Cas::new(self.bucket()?, key).map_err(text)?;
        Ok((cas.current().map_err(text)?, cas))
    }

    fn swap(&self, seen: Cas, value: Vec<u8>) -> Result<bool, String> {
        match atomics::swap(seen, &value) {
            Ok(()) => Ok(true),
            Err(CasError::CasFailed(_)) => Ok(false),
            Err(CasError::StoreError(error)) => Err(text(error)),
        }
    }

    fn add(&self, key: &str, delta: i64) -> Result<i64, String> {
        atomics::increment(self.bucket()?, key, delta).map_err(text)
    }
}
