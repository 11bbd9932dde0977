//! Key-value stores: the stores themselves, and `fermyon:spin/key-value@2.0.0`.

mod store;

pub(crate) use store::{Store, Stores, SwapError};

use super::MAX_HANDLES;
use crate::faults::Kind;
use crate::state::State;
use crate::trace;
use bindings::spin2::key_value as v2;
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::Resource;

/// An open store; both interfaces' handles are these.
pub(crate) struct Handle(pub(crate) Arc<Store>);

/// Why a call was refused or failed, for both interfaces.
pub(crate) enum Refusal {
    TooManyOpen,
    NoSuchStore,
    AccessDenied,
    Other(String),
}

impl State {
    pub(crate) async fn open_store(&mut self, label: &str) -> Result<Result<u32, Refusal>> {
        if let Some(text) = self.before(Kind::KeyValue, label).await? {
            return Ok(Err(Refusal::Other(text)));
        }
        if !self.guest.stores.contains(label) {
            return Ok(Err(Refusal::AccessDenied));
        }
        let Some(store) = self.app.stores.get(label) else {
            return Ok(Err(Refusal::NoSuchStore));
        };
        if self.open_handles >= MAX_HANDLES {
            return Ok(Err(Refusal::TooManyOpen));
        }
        let handle = self.table.push(Handle(store))?;
        self.open_handles += 1;
        Ok(Ok(handle.rep()))
    }

    /// Runs one operation on an open store, with the faults asked before and after it.
    pub(crate) async fn on_store<T>(
        &mut self,
        rep: u32,
        operation: &'static str,
        key: &str,
        act: impl AsyncFnOnce(&Store) -> std::result::Result<T, String>,
    ) -> Result<Result<T, Refusal>> {
        if let Some(text) = self.before(Kind::KeyValue, key).await? {
            return Ok(Err(Refusal::Other(text)));
        }
        let Ok(handle) = self.table.get(&Resource::<Handle>::new_borrow(rep)) else {
            return Ok(Err(Refusal::NoSuchStore));
        };
        let store = handle.0.clone();
        let mut span = self.place.begin(|| trace::key_value(operation));
        let done = act(&store).await;
        if done.is_err() {
            span.fail("the operation failed");
        }
        drop(span);
        if let Some(text) = self.after(Kind::KeyValue, key).await? {
            return Ok(Err(Refusal::Other(text)));
        }
        Ok(done.map_err(Refusal::Other))
    }

    pub(crate) fn close_store(&mut self, rep: u32) -> Result<()> {
        self.table.delete(Resource::<Handle>::new_own(rep))?;
        self.open_handles -= 1;
        Ok(())
    }
}

impl From<Refusal> for v2::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TooManyOpen => Self::StoreTableFull,
            Refusal::NoSuchStore => Self::NoSuchStore,
            Refusal::AccessDenied => Self::AccessDenied,
            Refusal::Other(text) => Self::Other(text),
        }
    }
}

impl v2::Host for State {}

impl v2::HostStore for State {
    async fn open(&mut self, label: String) -> Result<Result<Resource<v2::Store>, v2::Error>> {
        let opened = self.open_store(&label).await?;
        Ok(opened.map(Resource::new_own).map_err(v2::Error::from))
    }

    async fn get(
        &mut self,
        this: Resource<v2::Store>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, v2::Error>> {
        let got = self
            .on_store(this.rep(), "get", &key, async |store| store.get(&key).await)
            .await?;
        Ok(got.map_err(v2::Error::from))
    }

    async fn set(
        &mut self,
        this: Resource<v2::Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), v2::Error>> {
        let set = self
            .on_store(this.rep(), "set", &key, async |store| {
                store.set(&key, value).await
            })
            .await?;
        Ok(set.map_err(v2::Error::from))
    }

    async fn delete(&mut self, this: Resource<v2::Store>, key: String) -> Result<Result<(), v2::Error>> {
        let deleted = self
            .on_store(this.rep(), "delete", &key, async |store| store.delete(&key).await)
            .await?;
        Ok(deleted.map_err(v2::Error::from))
    }

    async fn exists(&mut self, this: Resource<v2::Store>, key: String) -> Result<Result<bool, v2::Error>> {
        let got = self
            .on_store(this.rep(), "exists", &key, async |store| store.get(&key).await)
            .await?;
        Ok(got.map(|value| value.is_some()).map_err(v2::Error::from))
    }

    async fn get_keys(&mut self, this: Resource<v2::Store>) -> Result<Result<Vec<String>, v2::Error>> {
        let keys = self
            .on_store(this.rep(), "keys", "", async |store| store.keys().await)
            .await?;
        Ok(keys.map_err(v2::Error::from))
    }

    async fn drop(&mut self, this: Resource<v2::Store>) -> Result<()> {
        self.close_store(this.rep())
    }
}
