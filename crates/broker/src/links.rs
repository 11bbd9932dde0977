//! One connection per remote address.

use crate::address::{NatsAddress, RedisAddress, Server};
use crate::transport::{NatsLink, RedisLink};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Addresses can come from guests, so their number has a bound.
const MOST: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Links {
    redis: Cache<RedisAddress, RedisLink>,
    nats: Cache<Server, NatsLink>,
}

impl Links {
    pub(crate) fn redis(&self, address: &RedisAddress) -> Arc<RedisLink> {
        self.redis.get(address, RedisLink::new)
    }

    pub(crate) fn nats(&self, address: &NatsAddress) -> Arc<NatsLink> {
        self.nats.get(&address.server, NatsLink::new)
    }
}

#[derive(Debug)]
struct Cache<K, V>(Mutex<HashMap<K, Arc<V>>>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V> Cache<K, V> {
    /// The one of `key`. When there are too many, those that nobody uses right now go; they come
    /// back when they are asked for.
    fn get(&self, key: &K, make: impl FnOnce(&K) -> V) -> Arc<V> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = known.get(key) {
            return value.clone();
        }
        if known.len() >= MOST {
            known.retain(|_, value| Arc::strong_count(value) > 1);
        }
        let value = Arc::new(make(key));
        known.insert(key.clone(), value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unused_connections_go_when_there_are_too_many() {
        let cache = Cache::default();
        let used = cache.get(&usize::MAX, |_| ());
        for key in 0..10 * MOST {
            cache.get(&key, |_| ());
            assert!(cache.0.lock().unwrap().len() <= MOST);
        }
        assert!(Arc::ptr_eq(&used, &cache.get(&usize::MAX, |_| ())));
    }
}
