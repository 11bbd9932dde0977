//! The key-value store `default`, opened once a request: what account writes of dead tokens, limits, breakers.

use std::cell::OnceCell;

use kernel::UserId;
use spin_sdk::wit::wasi::keyvalue::atomics::{self, Cas, CasError};
use spin_sdk::wit::wasi::keyvalue::store::{self, Bucket};
use token::mark;

use crate::auth::Marks;
use crate::cells::Cells;

/// The store, opened at its first use.
#[derive(Default)]
pub(super) struct Shared(OnceCell<Result<Bucket, String>>);

impl Shared {
    fn bucket(&self) -> Result<&Bucket, String> {
        let open = || store::open("default").map_err(text);
        self.0.get_or_init(open).as_ref().map_err(Clone::clone)
    }

    /// Whether nobody's mark was lost with a store of before.
    pub(super) fn has_every_mark(&self) -> Result<bool, String> {
        Ok(self.get(mark::COMPLETE)?.is_some())
    }

    /// Whether the store gives answers.
    pub(super) fn answers(&self) -> Result<(), String> {
        self.get("sessions").map(drop)
    }
}

fn text(error: store::Error) -> String {
    match error {
        store::Error::NoSuchStore => "there is no such store".to_owned(),
        store::Error::AccessDenied => "the store was not granted".to_owned(),
        store::Error::Other(story) => story,
    }
}

impl Cells for Shared {
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

impl Marks for Shared {
    fn read(&self, user: UserId) -> Result<Option<Vec<u8>>, String> {
        self.get(&mark::key(user))
    }
}
