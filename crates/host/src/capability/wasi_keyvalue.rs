//! `wasi:keyvalue@0.2.0-draft2`: the same stores, with atomics and batches.

use super::MAX_HANDLES;
use super::key_value::{Refusal, Store, SwapError};
use crate::faults::Kind;
use crate::state::State;
use bindings::keyvalue::{atomics, batch, store};
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::Resource;

/// A value as it was seen. Until `current` is called nothing has been seen, as in Spin.
struct Seen {
    store: Arc<Store>,
    key: String,
    value: Option<Vec<u8>>,
}

type Answer<T> = Result<std::result::Result<T, store::Error>>;

impl From<Refusal> for store::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TooManyOpen => Self::Other("too many stores opened".to_owned()),
            Refusal::NoSuchStore => Self::NoSuchStore,
            Refusal::AccessDenied => Self::AccessDenied,
            Refusal::Other(text) => Self::Other(text),
        }
    }
}

impl store::Host for State {
    async fn open(&mut self, identifier: String) -> Answer<Resource<store::Bucket>> {
        let opened = self.open_store(&identifier).await?;
        Ok(opened.map(Resource::new_own).map_err(store::Error::from))
    }
}

impl store::HostBucket for State {
    async fn get(&mut self, this: Resource<store::Bucket>, key: String) -> Answer<Option<Vec<u8>>> {
        let got = self
            .on_store(this.rep(), "get", &key, async |store| store.get(&key).await)
            .await?;
        Ok(got.map_err(store::Error::from))
    }

    async fn set(&mut self, this: Resource<store::Bucket>, key: String, value: Vec<u8>) -> Answer<()> {
        let set = self
            .on_store(this.rep(), "set", &key, async |store| {
                store.set(&key, value).await
            })
            .await?;
        Ok(set.map_err(store::Error::from))
    }

    async fn delete(&mut self, this: Resource<store::Bucket>, key: String) -> Answer<()> {
        let deleted = self
            .on_store(this.rep(), "delete", &key, async |store| store.delete(&key).await)
            .await?;
        Ok(deleted.map_err(store::Error::from))
    }

    async fn exists(&mut self, this: Resource<store::Bucket>, key: String) -> Answer<bool> {
        let got = self
            .on_store(this.rep(), "exists", &key, async |store| store.get(&key).await)
            .await?;
        Ok(got.map(|value| value.is_some()).map_err(store::Error::from))
    }

    /// All keys come on one page, so there is never a cursor to come back with.
    async fn list_keys(
        &mut self,
        this: Resource<store::Bucket>,
        cursor: Option<String>,
    ) -> Answer<store::KeyResponse> {
        if cursor.is_some() {
            return Ok(Err(store::Error::Other(
                "list_keys: cursor not supported".to_owned(),
            )));
        }
        let keys = self
            .on_store(this.rep(), "keys", "", async |store| store.keys().await)
            .await?;
        Ok(keys
            .map(|keys| store::KeyResponse { keys, cursor: None })
            .map_err(store::Error::from))
    }

    async fn drop(&mut self, this: Resource<store::Bucket>) -> Result<()> {
        self.close_store(this.rep())
    }
}

impl batch::Host for State {
    async fn get_many(
        &mut self,
        bucket: Resource<store::Bucket>,
        keys: Vec<String>,
    ) -> Answer<Vec<(String, Option<Vec<u8>>)>> {
        let got = self
            .on_store(bucket.rep(), "get-many", "", async |store| {
                let mut found = Vec::with_capacity(keys.len());
                for key in keys {
                    let value = store.get(&key).await?;
                    found.push((key, value));
                }
                Ok(found)
            })
            .await?;
        Ok(got.map_err(store::Error::from))
    }

    async fn set_many(
        &mut self,
        bucket: Resource<store::Bucket>,
        key_values: Vec<(String, Vec<u8>)>,
    ) -> Answer<()> {
        let set = self
            .on_store(bucket.rep(), "set-many", "", async |store| {
                for (key, value) in key_values {
                    store.set(&key, value).await?;
                }
                Ok(())
            })
            .await?;
        Ok(set.map_err(store::Error::from))
    }

    async fn delete_many(&mut self, bucket: Resource<store::Bucket>, keys: Vec<String>) -> Answer<()> {
        let deleted = self
            .on_store(bucket.rep(), "delete-many", "", async |store| {
                for key in keys {
                    store.delete(&key).await?;
                }
                Ok(())
            })
            .await?;
        Ok(deleted.map_err(store::Error::from))
    }
}

impl State {
    fn see(&mut self, seen: Seen) -> Result<std::result::Result<Resource<atomics::Cas>, store::Error>> {
        if self.open_handles >= MAX_HANDLES {
            let text = "too many compare_and_swaps opened".to_owned();
            return Ok(Err(store::Error::Other(text)));
        }
        self.open_handles += 1;
        Ok(Ok(Resource::new_own(self.table.push(seen)?.rep())))
    }

    fn seen(&mut self, cas: &Resource<atomics::Cas>) -> Result<&mut Seen> {
        Ok(self.table.get_mut(&Resource::<Seen>::new_borrow(cas.rep()))?)
    }

    fn forget(&mut self, cas: &Resource<atomics::Cas>) -> Result<Seen> {
        self.open_handles -= 1;
        Ok(self.table.delete(Resource::<Seen>::new_own(cas.rep()))?)
    }
}

impl atomics::HostCas for State {
    async fn new(&mut self, bucket: Resource<store::Bucket>, key: String) -> Answer<Resource<atomics::Cas>> {
        let Ok(handle) = self
            .table
            .get(&Resource::<super::key_value::Handle>::new_borrow(bucket.rep()))
        else {
            return Ok(Err(store::Error::NoSuchStore));
        };
        let store = handle.0.clone();
        self.see(Seen {
            store,
            key,
            value: None,
        })
    }

    async fn current(&mut self, this: Resource<atomics::Cas>) -> Answer<Option<Vec<u8>>> {
        let seen = self.seen(&this)?;
        let (store, key) = (seen.store.clone(), seen.key.clone());
        if let Some(text) = self.before(Kind::KeyValue, &key).await? {
            return Ok(Err(store::Error::Other(text)));
        }
        match store.get(&key).await {
            Ok(value) => {
                self.seen(&this)?.value.clone_from(&value);
                Ok(Ok(value))
            }
            Err(text) => Ok(Err(store::Error::Other(text))),
        }
    }

    async fn drop(&mut self, this: Resource<atomics::Cas>) -> Result<()> {
        self.forget(&this).map(drop)
    }
}

impl atomics::Host for State {
    async fn increment(&mut self, bucket: Resource<store::Bucket>, key: String, delta: i64) -> Answer<i64> {
        let sum = self
            .on_store(bucket.rep(), "increment", &key, async |store| {
                store.increment(&key, delta).await
            })
            .await?;
        Ok(sum.map_err(store::Error::from))
    }

    async fn swap(
        &mut self,
        cas: Resource<atomics::Cas>,
        value: Vec<u8>,
    ) -> Result<std::result::Result<(), atomics::CasError>> {
        let failed = |text| Ok(Err(atomics::CasError::StoreError(store::Error::Other(text))));
        let mut seen = self.forget(&cas)?;
        if let Some(text) = self.before(Kind::KeyValue, &seen.key).await? {
            return failed(text);
        }
        let swapped = seen.store.swap(&seen.key, seen.value.take(), value).await;
        if let Some(text) = self.after(Kind::KeyValue, &seen.key).await? {
            return failed(text);
        }
        match swapped {
            Ok(()) => Ok(Ok(())),
            Err(SwapError::Failed(text)) => failed(text),
            Err(SwapError::Changed) => match seen.store.get(&seen.key).await {
                Err(text) => failed(text),
                Ok(value) => {
                    seen.value = value;
                    let again = self.see(seen)?;
                    Ok(Err(match again {
                        Ok(cas) => atomics::CasError::CasFailed(cas),
                        Err(error) => atomics::CasError::StoreError(error),
                    }))
                }
            },
        }
    }
}
