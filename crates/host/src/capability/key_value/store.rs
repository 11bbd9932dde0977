//! The stores behind both key-value interfaces: in memory, in a SQLite file, or in a Redis.

mod redis;

use broker::Broker;
use manifest::KeyValueStore;
use redis::RedisStore;
use sqlite::{Connection, Database, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All stores that components were granted, by label.
#[derive(Default)]
pub(crate) struct Stores(BTreeMap<String, Arc<Store>>);

/// One store. Every operation is atomic by itself.
pub(crate) enum Store {
    Memory(Mutex<BTreeMap<String, Vec<u8>>>),
    File(Database),
    Redis(RedisStore),
}

/// Why a value was not swapped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SwapError {
    /// It is another one by now.
    Changed,
    /// The store failed.
    Failed(String),
}

type Done<T> = Result<T, String>;

impl Stores {
    pub(crate) fn add(&mut self, label: &str, store: Store) {
        self.0.insert(label.to_owned(), Arc::new(store));
    }

    pub(crate) fn get(&self, label: &str) -> Option<Arc<Store>> {
        self.0.get(label).cloned()
    }
}

impl Store {
    /// Opens a store as the runtime config says; without a word about it, in memory.
    pub(crate) async fn open(configured: Option<&KeyValueStore>, broker: &Broker) -> Done<Self> {
        match configured {
            Some(KeyValueStore::Redis(url)) => RedisStore::new(&url.0, broker).map(Self::Redis),
            None | Some(KeyValueStore::Memory) => Ok(Self::Memory(Mutex::default())),
            Some(KeyValueStore::File(path)) => {
                let database = Database::open(path, sqlite::Options::default()).map_err(text)?;
                let create = "create table if not exists entry (key text primary key, value blob not null)";
                run(&mut database.connect(), create, Vec::new()).await?;
                Ok(Self::File(database))
            }
        }
    }

    pub(crate) async fn get(&self, key: &str) -> Done<Option<Vec<u8>>> {
        match self {
            Self::Memory(entries) => Ok(lock(entries).get(key).cloned()),
            Self::File(database) => value_of(&mut database.connect(), key).await,
            Self::Redis(store) => store.get(key).await,
        }
    }

    pub(crate) async fn set(&self, key: &str, value: Vec<u8>) -> Done<()> {
        match self {
            Self::Memory(entries) => {
                lock(entries).insert(key.to_owned(), value);
                Ok(())
            }
            Self::File(database) => put(&mut database.connect(), key, value).await,
            Self::Redis(store) => store.set(key, value).await,
        }
    }

    pub(crate) async fn delete(&self, key: &str) -> Done<()> {
        match self {
            Self::Memory(entries) => {
                lock(entries).remove(key);
                Ok(())
            }
            Self::File(database) => {
                let delete = "delete from entry where key = ?1";
                run(&mut database.connect(), delete, vec![key_value(key)])
                    .await
                    .map(drop)
            }
            Self::Redis(store) => store.delete(key).await,
        }
    }

    pub(crate) async fn keys(&self) -> Done<Vec<String>> {
        match self {
            Self::Memory(entries) => Ok(lock(entries).keys().cloned().collect()),
            Self::File(database) => {
                let rows = run(
                    &mut database.connect(),
                    "select key from entry order by key",
                    Vec::new(),
                )
                .await?;
                let keys = rows.into_iter().flatten().filter_map(|value| match value {
                    Value::Text(key) => Some(key),
                    _ => None,
                });
                Ok(keys.collect())
            }
            Self::Redis(store) => store.keys().await,
        }
    }

    /// Adds to a counter: eight bytes, least significant first, or in Redis digits, as Spin writes it. Something
    /// else under the key is an error and stays as it is.
    pub(crate) async fn increment(&self, key: &str, delta: i64) -> Done<i64> {
        match self {
            Self::Memory(entries) => {
                let mut entries = lock(entries);
                let sum = add(entries.get(key).map(Vec::as_slice), delta)?;
                entries.insert(key.to_owned(), sum.to_le_bytes().to_vec());
                Ok(sum)
            }
            Self::File(database) => {
                // Dropping the connection on the way out rolls back.
                let mut connection = database.connect();
                run(&mut connection, "begin immediate", Vec::new()).await?;
                let old = value_of(&mut connection, key).await?;
                let sum = add(old.as_deref(), delta)?;
                put(&mut connection, key, sum.to_le_bytes().to_vec()).await?;
                run(&mut connection, "commit", Vec::new()).await?;
                Ok(sum)
            }
            Self::Redis(store) => store.increment(key, delta).await,
        }
    }

    /// Puts `value` in place of `seen`. When nothing was seen the value is simply put, but in Redis only where
    /// there is still none; both as in Spin.
    pub(crate) async fn swap(
        &self,
        key: &str,
        seen: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<(), SwapError> {
        match (self, seen) {
            (Self::Redis(store), seen) => store.swap(key, seen, value).await,
            (_, None) => self.set(key, value).await.map_err(SwapError::Failed),
            (Self::Memory(entries), Some(seen)) => match lock(entries).get_mut(key) {
                Some(current) if *current == seen => {
                    *current = value;
                    Ok(())
                }
                _ => Err(SwapError::Changed),
            },
            (Self::File(database), Some(seen)) => {
                let mut connection = database.connect();
                let update = "update entry set value = ?3 where key = ?1 and value = ?2";
                let parameters = vec![key_value(key), Value::Blob(seen), Value::Blob(value)];
                run(&mut connection, update, parameters)
                    .await
                    .map_err(SwapError::Failed)?;
                match connection.changes() {
                    0 => Err(SwapError::Changed),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// A guest's panic cannot happen under the lock, and the map is whole after each operation.
fn lock(entries: &Mutex<BTreeMap<String, Vec<u8>>>) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(old: Option<&[u8]>, delta: i64) -> Done<i64> {
    let old = match old {
        None => 0,
        Some(bytes) => {
            let bytes = bytes
                .try_into()
                .map_err(|_| "the value is not a counter".to_owned())?;
            i64::from_le_bytes(bytes)
        }
    };
    old.checked_add(delta)
        .ok_or_else(|| "the counter would overflow".to_owned())
}

async fn value_of(connection: &mut Connection, key: &str) -> Done<Option<Vec<u8>>> {
    let select = "select value from entry where key = ?1";
    let rows = run(connection, select, vec![key_value(key)]).await?;
    match rows.into_iter().flatten().next() {
        None => Ok(None),
        Some(Value::Blob(value)) => Ok(Some(value)),
        Some(_) => Err("the stored value is not bytes".to_owned()),
    }
}

async fn put(connection: &mut Connection, key: &str, value: Vec<u8>) -> Done<()> {
    let upsert = "insert into entry (key, value) values (?1, ?2)
                  on conflict (key) do update set value = excluded.value";
    run(connection, upsert, vec![key_value(key), Value::Blob(value)])
        .await
        .map(drop)
}

async fn run(connection: &mut Connection, sql: &str, parameters: Vec<Value>) -> Done<Vec<Vec<Value>>> {
    connection
        .execute(sql, parameters)
        .await
        .map(|rows| rows.rows)
        .map_err(text)
}

fn key_value(key: &str) -> Value {
    Value::Text(key.to_owned())
}

fn text(error: sqlite::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(check: impl AsyncFn(&Store)) {
        let broker = Broker::new();
        let dir = tempfile::tempdir().expect("a folder");
        let file = KeyValueStore::File(dir.path().join("kv.db"));
        let open = async |configured| Store::open(configured, &broker).await.expect("a store");
        check(&open(None).await).await;
        check(&open(Some(&file)).await).await;
        let Some(server) = testkit::servers::Redis::start() else {
            return;
        };
        let redis = KeyValueStore::Redis(manifest::RedisUrl(server.address()));
        check(&open(Some(&redis)).await).await;
    }

    #[tokio::test]
    async fn what_was_set_is_there_until_it_is_deleted() {
        all(async |store| {
            assert_eq!(store.get("a").await, Ok(None));
            assert_eq!(store.set("a", b"1".to_vec()).await, Ok(()));
            assert_eq!(store.set("a", b"2".to_vec()).await, Ok(()));
            assert_eq!(store.get("a").await, Ok(Some(b"2".to_vec())));
            assert_eq!(store.keys().await, Ok(vec!["a".to_owned()]));
            assert_eq!(store.delete("a").await, Ok(()));
            assert_eq!(store.delete("a").await, Ok(()));
            assert_eq!(store.keys().await, Ok(Vec::new()));
        })
        .await;
    }

    #[tokio::test]
    async fn a_value_that_is_no_counter_stays_and_the_store_goes_on() {
        all(async |store| {
            assert_eq!(store.increment("n", 5).await, Ok(5));
            assert_eq!(store.increment("n", -7).await, Ok(-2));
            assert_eq!(store.set("text", b"hello".to_vec()).await, Ok(()));
            assert!(store.increment("text", 1).await.is_err());
            assert_eq!(store.get("text").await, Ok(Some(b"hello".to_vec())));
            assert!(store.increment("n", i64::MIN).await.is_err());
            assert_eq!(store.increment("n", 1).await, Ok(-1));
        })
        .await;
    }

    #[tokio::test]
    async fn of_many_who_swap_at_once_each_counts() {
        all(async |store| {
            assert_eq!(store.set("n", b"0".to_vec()).await, Ok(()));
            let add = async || {
                loop {
                    let seen = store.get("n").await.expect("it is there").expect("a number");
                    let number: u32 = String::from_utf8_lossy(&seen).parse().expect("a number");
                    let next = (number + 1).to_string().into_bytes();
                    match store.swap("n", Some(seen), next).await {
                        Ok(()) => return,
                        Err(SwapError::Changed) => {}
                        Err(SwapError::Failed(text)) => panic!("{text}"),
                    }
                }
            };
            let two = async || {
                add().await;
                add().await;
            };
            tokio::join!(two(), two(), two(), two(), two());
            assert_eq!(store.get("n").await, Ok(Some(b"10".to_vec())));
        })
        .await;
    }

    #[tokio::test]
    async fn a_swap_needs_the_value_that_was_seen() {
        all(async |store| {
            assert_eq!(store.swap("a", None, b"1".to_vec()).await, Ok(()));
            assert_eq!(store.swap("a", Some(b"1".to_vec()), b"2".to_vec()).await, Ok(()));
            let late = store.swap("a", Some(b"1".to_vec()), b"3".to_vec()).await;
            assert_eq!(late, Err(SwapError::Changed));
            assert_eq!(store.get("a").await, Ok(Some(b"2".to_vec())));
        })
        .await;
    }
}
