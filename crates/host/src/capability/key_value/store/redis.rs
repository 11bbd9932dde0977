//! A key-value store in a Redis, which several hosts can share.

use super::SwapError;
use broker::{Address, Broker, RedisArgument, RedisValue};

/// Puts a value in place of the one that was seen; without one, only where there is none.
const SWAP: &str = "local now = redis.call('GET', KEYS[1]) \
     if ARGV[1] == 'absent' then if now then return 0 end \
     elseif now ~= ARGV[2] then return 0 end \
     redis.call('SET', KEYS[1], ARGV[3]) return 1";

/// Keys that one step of a list may look at.
const STEP: &str = "1000";

type Done<T> = Result<T, String>;

/// Keys and values as they are, as Spin keeps them there: a database of Redis is one store.
pub(crate) struct RedisStore {
    broker: Broker,
    address: Address,
}

impl RedisStore {
    /// Connects at the first use, and again whenever it has to.
    pub(super) fn new(url: &str, broker: &Broker) -> Done<Self> {
        let address = Address::parse(url).map_err(|error| error.to_string())?;
        Ok(Self {
            broker: broker.clone(),
            address,
        })
    }

    pub(super) async fn get(&self, key: &str) -> Done<Option<Vec<u8>>> {
        match self.one("GET", vec![text(key)]).await? {
            RedisValue::Nil => Ok(None),
            RedisValue::Binary(value) => Ok(Some(value)),
            RedisValue::Int(_) | RedisValue::Status(_) => Err(strange("GET")),
        }
    }

    pub(super) async fn set(&self, key: &str, value: Vec<u8>) -> Done<()> {
        let set = self.one("SET", vec![text(key), RedisArgument::Binary(value)]);
        set.await.map(drop)
    }

    pub(super) async fn delete(&self, key: &str) -> Done<()> {
        self.one("DEL", vec![text(key)]).await.map(drop)
    }

    /// Every key that was there all the time; ones that come or go meanwhile may be missing.
    pub(super) async fn keys(&self) -> Done<Vec<String>> {
        let mut keys = std::collections::BTreeSet::new();
        let mut cursor = b"0".to_vec();
        loop {
            let arguments = vec![RedisArgument::Binary(cursor), text("COUNT"), text(STEP)];
            let mut answer = self.command("SCAN", arguments).await?.into_iter();
            let Some(RedisValue::Binary(next)) = answer.next() else {
                return Err(strange("SCAN"));
            };
            keys.extend(answer.filter_map(|value| match value {
                RedisValue::Binary(key) => String::from_utf8(key).ok(),
                RedisValue::Nil | RedisValue::Int(_) | RedisValue::Status(_) => None,
            }));
            if next == b"0" {
                return Ok(keys.into_iter().collect());
            }
            cursor = next;
        }
    }

    /// Redis keeps a counter as digits, and refuses what is none.
    pub(super) async fn increment(&self, key: &str, delta: i64) -> Done<i64> {
        match self
            .one("INCRBY", vec![text(key), RedisArgument::Int(delta)])
            .await?
        {
            RedisValue::Int(sum) => Ok(sum),
            RedisValue::Nil | RedisValue::Binary(_) | RedisValue::Status(_) => Err(strange("INCRBY")),
        }
    }

    /// One step in the server, so that no other host comes between.
    pub(super) async fn swap(
        &self,
        key: &str,
        seen: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<(), SwapError> {
        let word = if seen.is_some() { "present" } else { "absent" };
        let seen = RedisArgument::Binary(seen.unwrap_or_default());
        let arguments = vec![
            text(SWAP),
            RedisArgument::Int(1),
            text(key),
            text(word),
            seen,
            RedisArgument::Binary(value),
        ];
        match self.one("EVAL", arguments).await.map_err(SwapError::Failed)? {
            RedisValue::Int(1) => Ok(()),
            RedisValue::Int(_) => Err(SwapError::Changed),
            RedisValue::Nil | RedisValue::Binary(_) | RedisValue::Status(_) => {
                Err(SwapError::Failed(strange("EVAL")))
            }
        }
    }

    async fn one(&self, name: &str, arguments: Vec<RedisArgument>) -> Done<RedisValue> {
        let mut values = self.command(name, arguments).await?.into_iter();
        values.next().ok_or_else(|| strange(name))
    }

    async fn command(&self, name: &str, arguments: Vec<RedisArgument>) -> Done<Vec<RedisValue>> {
        let answer = self.broker.command(&self.address, name, arguments);
        answer.await.map_err(|error| error.to_string())
    }
}

fn text(word: &str) -> RedisArgument {
    RedisArgument::Binary(word.as_bytes().to_vec())
}

fn strange(name: &str) -> String {
    format!("{name} has an answer of another type than it should")
}
