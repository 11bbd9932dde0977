//! A value of the shared key-value store that several requests change at the same time.

/// What is needed of the store: atomic steps on one key each.
pub trait Cells {
    /// What remembers which value was seen.
    type Seen;

    /// The value of a key.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String>;

    /// The value of a key, to be changed.
    fn see(&self, key: &str) -> Result<(Option<Vec<u8>>, Self::Seen), String>;

    /// Puts a value in place of the one that was seen; `false` says that it is another one by now. Where
    /// nothing was seen the value is simply put, whatever came meanwhile: see [`update`].
    fn swap(&self, seen: Self::Seen, value: Vec<u8>) -> Result<bool, String>;

    /// Adds to a counter of eight bytes, least significant first, and answers the sum. A missing counter is 0;
    /// a value that is no counter is an error and stays as it is.
    fn add(&self, key: &str, delta: i64) -> Result<i64, String>;
}

/// Each failed attempt means that somebody else's succeeded. What is changed here stops changing after a while
/// (a limit is used up, a breaker has opened), so this many in a row are not seen.
const ATTEMPTS: usize = 256;

/// Changes the value of a key in one step, and answers what `step` says beside it.
///
/// `step` takes the value, empty when there is none, and gives the next one, or none to leave it alone. It is
/// asked again when somebody else was faster. A missing value is made a counter of 0 first, because a swap of
/// nothing would overwrite what another request has put there in between; so `step` must take what it can't
/// read for nothing, and no value of its own may have eight bytes.
pub fn update<C: Cells, T>(
    cells: &C,
    key: &str,
    step: impl Fn(&[u8]) -> (Option<Vec<u8>>, T),
) -> Result<T, String> {
    for _ in 0..ATTEMPTS {
        let (value, seen) = cells.see(key)?;
        let (next, answer) = step(value.as_deref().unwrap_or_default());
        let Some(next) = next else {
            return Ok(answer);
        };
        if value.is_none() {
            // It fails when somebody else has put a value there, which is as good.
            let _ = cells.add(key, 0);
        } else if cells.swap(seen, next)? {
            return Ok(answer);
        }
    }
    Err(format!("{key}: too many requests change it at the same time"))
}

#[cfg(any(test, feature = "memory"))]
pub mod memory {
    //! A store in memory that behaves as the real ones do, also where that is inconvenient.

    #![allow(
        clippy::unwrap_used,
        reason = "a test that panics has failed, which is what it is for"
    )]

    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::Cells;

    /// The store. It is for tests, and panics where it could only be wrong.
    #[derive(Default)]
    pub struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

    impl Memory {
        /// How many keys there are.
        pub fn count(&self) -> usize {
            self.0.lock().unwrap().len()
        }

        /// Puts a value there, whatever was there before.
        pub fn put(&self, key: &str, value: &[u8]) {
            self.0.lock().unwrap().insert(key.to_owned(), value.to_vec());
        }

        /// The size of the largest value.
        pub fn largest(&self) -> usize {
            self.0.lock().unwrap().values().map(Vec::len).max().unwrap_or(0)
        }
    }

    impl Cells for Memory {
        type Seen = (String, Option<Vec<u8>>);

        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
            Ok(self.0.lock().unwrap().get(key).cloned())
        }

        fn see(&self, key: &str) -> Result<(Option<Vec<u8>>, Self::Seen), String> {
            let value = self.get(key)?;
            // Others come in between, so that a race shows.
            std::thread::yield_now();
            Ok((value.clone(), (key.to_owned(), value)))
        }

        fn swap(&self, (key, seen): Self::Seen, value: Vec<u8>) -> Result<bool, String> {
            let mut entries = self.0.lock().unwrap();
            if seen.is_some() && entries.get(&key) != seen.as_ref() {
                return Ok(false);
            }
            entries.insert(key, value);
            Ok(true)
        }

        fn add(&self, key: &str, delta: i64) -> Result<i64, String> {
            let mut entries = self.0.lock().unwrap();
            let old = match entries.get(key) {
                None => 0,
                Some(bytes) => {
                    let bytes = bytes.as_slice().try_into();
                    i64::from_le_bytes(bytes.map_err(|_| "not a counter".to_owned())?)
                }
            };
            entries.insert(key.to_owned(), (old + delta).to_le_bytes().to_vec());
            Ok(old + delta)
        }
    }

    /// A store that gives no answer.
    pub struct Gone;

    impl Cells for Gone {
        type Seen = ();

        fn get(&self, _: &str) -> Result<Option<Vec<u8>>, String> {
            Err("gone".to_owned())
        }

        fn see(&self, _: &str) -> Result<(Option<Vec<u8>>, ()), String> {
            Err("gone".to_owned())
        }

        fn swap(&self, (): (), _: Vec<u8>) -> Result<bool, String> {
            Err("gone".to_owned())
        }

        fn add(&self, _: &str, _: i64) -> Result<i64, String> {
            Err("gone".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::memory::Memory;
    use super::*;

    /// Adds one to a number written as text.
    fn next(value: &[u8]) -> (Option<Vec<u8>>, u32) {
        let text = std::str::from_utf8(value).unwrap_or_default();
        let next = text.parse::<u32>().unwrap_or(0) + 1;
        (Some(next.to_string().into_bytes()), next)
    }

    #[test]
    fn no_change_is_lost_though_the_key_was_missing_and_all_begin_at_once() {
        let cells = Memory::default();
        let barrier = std::sync::Barrier::new(50);
        let mut seen: Vec<u32> = std::thread::scope(|scope| {
            let one = || {
                barrier.wait();
                update(&cells, "n", next).unwrap()
            };
            let all: Vec<_> = (0..50).map(|_| scope.spawn(one)).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        seen.sort_unstable();
        assert_eq!(seen, (1..=50).collect::<Vec<_>>());
    }

    #[test]
    fn who_changes_nothing_writes_nothing() {
        let cells = Memory::default();
        assert_eq!(update(&cells, "n", |_| (None, 7)), Ok(7));
        assert_eq!(cells.count(), 0);
    }

    #[test]
    fn who_never_comes_in_between_gives_up() {
        struct Busy(Memory);
        impl Cells for Busy {
            type Seen = <Memory as Cells>::Seen;
            fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
                self.0.get(key)
            }
            fn see(&self, key: &str) -> Result<(Option<Vec<u8>>, Self::Seen), String> {
                self.0.see(key)
            }
            fn swap(&self, _: Self::Seen, _: Vec<u8>) -> Result<bool, String> {
                Ok(false)
            }
            fn add(&self, key: &str, delta: i64) -> Result<i64, String> {
                self.0.add(key, delta)
            }
        }
        assert!(update(&Busy(Memory::default()), "n", next).is_err());
    }
}
