//! Limits in the shared key-value store, in a bounded number of slots.
//!
//! The store forgets nothing by itself, so there is not a key for each client but a fixed number of slots, each
//! for a few clients. Who goes where only the shop knows, because the fingerprint is made with its key: nobody can
//! aim at somebody's slot.

use super::gcra::{Quota, Taken};
use super::{Class, Fingerprint, Table};
use breaker::cells::{Cells, update};

/// How many slots there are.
const SLOTS: u16 = 16_384;

/// How many clients a slot holds.
const ENTRIES: usize = 8;

/// A client's entry: eight bytes of its fingerprint, eight bytes of its TAT. Never eight bytes alone, see
/// [`update`].
const ENTRY_BYTES: usize = 16;

/// The limits of all clients in the shared store.
pub struct Slots<'a, C> {
    cells: &'a C,
    now_us: i64,
}

/// One client of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    client: u64,
    tat_us: i64,
}

impl<'a, C: Cells> Slots<'a, C> {
    /// The limits in this store, at this moment in microseconds.
    pub const fn new(cells: &'a C, now_us: i64) -> Self {
        Self { cells, now_us }
    }
}

impl<C: Cells> Table for Slots<'_, C> {
    fn take(&self, client: Fingerprint, class: Class, quota: Quota) -> Result<Taken, String> {
        let key = format!("limit/{}", client.low() % u64::from(SLOTS));
        let taken = update(self.cells, &key, |slot| {
            take(slot, client.high(), quota, self.now_us)
        })?;
        if !taken.admitted
            && let Err(story) = self.cells.add(&counter(class), 1)
        {
            // The refusal is certain; only its number is not.
            web::log::warn("gateway.limit", &format!("a refusal was not counted: {story}"));
        }
        Ok(taken)
    }

    fn refused(&self, class: Class) -> Result<i64, String> {
        self.cells.add(&counter(class), 0)
    }
}

fn counter(class: Class) -> String {
    format!("limited/{}", class.name())
}

/// Takes one request in a slot. When the slot must be written, what is over in it goes.
fn take(slot: &[u8], client: u64, quota: Quota, now_us: i64) -> (Option<Vec<u8>>, Taken) {
    let mut entries = read(slot, now_us);
    let own = entries.iter().position(|entry| entry.client == client);
    let (taken, next) = quota.take(own.map(|at| entries[at].tat_us), now_us);
    let Some(tat_us) = next else {
        return (None, taken);
    };
    match own {
        Some(at) => entries[at].tat_us = tat_us,
        None => {
            make_room(&mut entries);
            entries.push(Entry { client, tat_us });
        }
    }
    (Some(write(&entries)), taken)
}

/// The entries of a slot that still say something. What is no slot holds none.
fn read(slot: &[u8], now_us: i64) -> Vec<Entry> {
    if !slot.len().is_multiple_of(ENTRY_BYTES) {
        return Vec::new();
    }
    let (pairs, _) = slot.as_chunks::<ENTRY_BYTES>();
    let entry = |pair: &[u8; ENTRY_BYTES]| {
        let [client, tat] = [0, 8].map(|from| {
            let mut half = [0; 8];
            half.copy_from_slice(&pair[from..from + 8]);
            half
        });
        Entry {
            client: u64::from_le_bytes(client),
            // What no limit allows comes from a clock that went back, and would never be over.
            tat_us: i64::from_le_bytes(tat).min(now_us.saturating_add(Quota::LONGEST_US)),
        }
    };
    let entries = pairs.iter().map(entry).take(ENTRIES);
    entries.filter(|entry| entry.tat_us > now_us).collect()
}

/// When all places are taken, who has used up least goes: with many addresses one drives out one's own
/// newcomers, and not somebody who is at his limit.
fn make_room(entries: &mut Vec<Entry>) {
    if entries.len() < ENTRIES {
        return;
    }
    let least = entries.iter().enumerate().min_by_key(|(_, entry)| entry.tat_us);
    if let Some((at, _)) = least {
        entries.swap_remove(at);
    }
}

fn write(entries: &[Entry]) -> Vec<u8> {
    let bytes = entries
        .iter()
        .map(|entry| [entry.client.to_le_bytes(), entry.tat_us.to_le_bytes()]);
    bytes.flatten().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use breaker::cells::memory::{Gone, Memory};

    const NOW: i64 = 1_790_000_000_000_000;

    fn client(number: u64) -> Fingerprint {
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Fingerprint::from_halves(spread, spread ^ 0x5555)
    }

    fn quota(per_minute: u32) -> Quota {
        Quota::per_minute(per_minute).unwrap()
    }

    #[test]
    fn fifty_at_once_get_exactly_the_burst() {
        for round in 0..20 {
            let cells = Memory::default();
            let barrier = std::sync::Barrier::new(50);
            let admitted = std::thread::scope(|scope| {
                let one = || {
                    let slots = Slots::new(&cells, NOW);
                    barrier.wait();
                    slots
                        .take(client(round), Class::Login, quota(20))
                        .unwrap()
                        .admitted
                };
                let all: Vec<_> = (0..50).map(|_| scope.spawn(one)).collect();
                all.into_iter()
                    .filter_map(|thread| thread.join().ok())
                    .filter(|yes| *yes)
                    .count()
            });
            assert_eq!(admitted, 20);
            assert_eq!(Slots::new(&cells, NOW).refused(Class::Login), Ok(30));
            assert_eq!(Slots::new(&cells, NOW).refused(Class::General), Ok(0));
        }
    }

    #[test]
    fn eight_clients_of_one_slot_do_not_touch_each_other() {
        let cells = Memory::default();
        let barrier = std::sync::Barrier::new(8);
        let admitted: Vec<usize> = std::thread::scope(|scope| {
            let one = |number: u64| {
                let (cells, barrier) = (&cells, &barrier);
                scope.spawn(move || {
                    let same_slot = Fingerprint::from_halves(7, number + 1);
                    barrier.wait();
                    let slots = Slots::new(cells, NOW);
                    let take = |_: &usize| slots.take(same_slot, Class::General, quota(5)).unwrap().admitted;
                    (0..9).filter(take).count()
                })
            };
            let all: Vec<_> = (0..8).map(one).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(admitted, [5; 8]);
        assert_eq!(cells.count(), 2, "one slot and one counter");
    }

    #[test]
    fn many_clients_take_no_more_room() {
        let cells = Memory::default();
        for number in 0..300_000 {
            let slots = Slots::new(&cells, NOW);
            assert!(
                slots
                    .take(client(number), Class::General, quota(5))
                    .unwrap()
                    .admitted
            );
        }
        assert_eq!(cells.count(), usize::from(SLOTS));
        assert_eq!(cells.largest(), ENTRIES * ENTRY_BYTES);
    }

    #[test]
    fn newcomers_drive_out_newcomers_and_not_who_is_at_his_limit() {
        let cells = Memory::default();
        let take = |client, now| {
            let slots = Slots::new(&cells, now);
            slots
                .take(Fingerprint::from_halves(7, client), Class::General, quota(60))
                .unwrap()
                .admitted
        };
        for _ in 0..60 {
            assert!(take(1, NOW));
        }
        for newcomer in 2..1_000 {
            assert!(take(newcomer, NOW));
        }
        assert!(!take(1, NOW), "still at its limit");
        // After a minute all of them are over, and their places free.
        assert!(take(2_000, NOW + 60_000_000));
        assert_eq!(cells.get("limit/7").unwrap().unwrap().len(), ENTRY_BYTES);
    }

    #[test]
    fn what_is_no_slot_is_an_empty_one() {
        for bytes in [b"".as_slice(), b"0", &[0; 8], &[1; 17], &[255; 160]] {
            let cells = Memory::default();
            cells.put("limit/7", bytes);
            let slots = Slots::new(&cells, NOW);
            let taken = slots.take(Fingerprint::from_halves(7, 1), Class::General, quota(60));
            assert!(taken.unwrap().admitted, "{bytes:?}");
        }
    }

    #[test]
    fn entries_of_a_future_that_was_taken_back_are_over_in_time() {
        let cells = Memory::default();
        let day = 86_400_000_000;
        let take = |client, now| {
            let slots = Slots::new(&cells, now);
            slots.take(Fingerprint::from_halves(7, client), Class::General, quota(60))
        };
        for client in 0..8 {
            assert!(take(client, NOW + day).unwrap().admitted);
        }
        // Now it is a day earlier; whoever comes in has the smallest TAT, and must be able to stay.
        assert!(take(100, NOW).unwrap().admitted);
        for _ in 0..59 {
            assert!(take(100, NOW).unwrap().admitted);
        }
        assert!(!take(100, NOW).unwrap().admitted);
    }

    #[test]
    fn who_is_refused_stays_refused_when_it_can_not_be_counted() {
        let cells = Memory::default();
        cells.put(&counter(Class::Login), b"no counter");
        let slots = Slots::new(&cells, NOW);
        let take = || {
            slots
                .take(client(1), Class::Login, quota(1))
                .map(|taken| taken.admitted)
        };
        assert_eq!([take(), take()], [Ok(true), Ok(false)]);
    }

    #[test]
    fn a_store_that_is_gone_says_so() {
        let slots = Slots::new(&Gone, NOW);
        assert!(slots.take(client(1), Class::General, quota(60)).is_err());
    }
}
