//! The books in SQL: the consumer's side here, sums in `store/sums.rs`, orders in `store/orders.rs`.

mod orders;
mod sums;

use kernel::{Instant, OrderId};
use relay::Event;
use relay::inbox::{self, Admission, DeadLetter, Dismissal, Dismissed, Replay};
use store::{Db, DbError, Migration, Tx, migrations, params};

use crate::app::{Fact, Inbox, Ledger, NotEntered};
use crate::domain::{Entry, Line, Mismatch, Movement, OrderBook, Report, Sums, Unsummable, Zone};
use crate::event;

/// The schema, forward only.
pub const MIGRATIONS: &[Migration] = migrations![
    "0001_create_ledger",
    "0002_create_order_line",
    "0003_create_settlement",
    "0004_create_setting",
    "0005_create_inbox",
    "0006_add_dead_letter_dismissal",
    "0007_index_ledger_by_time",
];

/// The books in a database, with days of one zone.
pub struct Store {
    db: Db,
    zone: Zone,
}

impl Store {
    /// For a consumer: whatever it writes is preceded by a look at the zone.
    pub const fn new(db: Db, zone: Zone) -> Self {
        Self { db, zone }
    }

    /// For readers: the sums are made again first if they were made for another zone.
    pub fn for_readers(db: Db, zone: Zone) -> Result<Self, DbError> {
        if sums::zone_of(&db)?.as_deref() != Some(zone.name()) {
            db.transaction(|tx| sums::keep_zone(tx, &zone))?;
        }
        Ok(Self { db, zone })
    }

    /// Entries whose sides differ, by id; for those who check the books.
    pub fn unbalanced(&self) -> Result<Vec<String>, DbError> {
        let rows = self.db.read(include_str!("sql/find_unbalanced.sql"), params![])?;
        Ok(rows
            .iter()
            .map(|row| row.get("entry_id"))
            .collect::<Result<_, _>>()?)
    }
}

impl From<Unsummable> for NotEntered {
    fn from(why: Unsummable) -> Self {
        Self::Bad(why.to_string())
    }
}

impl Inbox for Store {
    fn enter(&self, producer: &str, events: &[(&Event, Fact)], now: Instant) -> Result<(), NotEntered> {
        self.db.transaction(|tx| {
            sums::keep_zone(tx, &self.zone)?;
            for (event, fact) in events {
                match inbox::admit(tx, producer, event, now)? {
                    Admission::Duplicate => {}
                    Admission::Misplaced => {
                        let why = format!("position {} belongs to another event", event.position);
                        return Err(NotEntered::Bad(why));
                    }
                    Admission::Admitted => enter_fact(tx, &self.zone, fact)?,
                }
            }
            Ok(())
        })
    }

    fn bury(&self, producer: &str, event: &Event, why: &str, now: Instant) -> Result<bool, DbError> {
        inbox::bury(&self.db, producer, event, why, now)
    }

    fn bury_junk(&self, payload: &[u8], why: &str, now: Instant) -> Result<bool, DbError> {
        inbox::bury_junk(&self.db, payload, why, now)
    }

    fn mark(&self, producer: &str) -> Result<u64, DbError> {
        inbox::mark(&self.db, producer)
    }

    fn dead_letters(&self, before: Option<u64>, limit: u32) -> Result<Vec<DeadLetter>, DbError> {
        inbox::dead_letters(&self.db, limit, before)
    }

    fn dismiss(&self, letter: u64, dismissal: &Dismissal) -> Result<Dismissed, DbError> {
        inbox::dismiss(&self.db, letter, dismissal)
    }

    fn replay(&self, letter: u64, now: Instant) -> Result<Replay, NotEntered> {
        inbox::replay(&self.db, letter, now, |tx, event| {
            let fact = event::fact(event).map_err(|malformed| NotEntered::Bad(malformed.to_string()))?;
            sums::keep_zone(tx, &self.zone)?;
            enter_fact(tx, &self.zone, &fact)
        })
    }
}

impl Ledger for Store {
    fn orders(
        &self,
        after: Option<OrderId>,
        last: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderBook>, DbError> {
        orders::read(&self.db, after, last, limit)
    }

    fn put_right(
        &self,
        order: OrderId,
        expected: Vec<Movement>,
        now: Instant,
    ) -> Result<Vec<Mismatch>, DbError> {
        let put_right = self.db.transaction(|tx| {
            sums::keep_zone(tx, &self.zone)?;
            let before = orders::one(tx, order)?;
            let mut report = Report::EMPTY;
            report
                .compare(expected.clone(), before.movements.clone(), now)
                .map_err(Unsummable::from)?;
            for mismatch in &report.mismatches {
                insert_entry(tx, &self.zone, &mismatch.correction().map_err(Unsummable::from)?)?;
            }
            let after = orders::one(tx, order)?;
            sums::add(tx, &change(&before, &after, &self.zone)?)?;
            Ok(report.mismatches)
        });
        put_right.map_err(|error| match error {
            NotEntered::Store(error) => error,
            NotEntered::Bad(why) => DbError::Other(why),
        })
    }
}

/// Takes a fact into the books, once: what is there already, entered by an admin for instance, stays.
fn enter_fact(tx: &Tx<'_>, zone: &Zone, fact: &Fact) -> Result<(), NotEntered> {
    let (before, after) = match fact {
        Fact::Nothing => return Ok(()),
        Fact::Moved(movement) => {
            if !insert_entry(tx, zone, &Entry::new(movement))? {
                return Ok(());
            }
            let after = orders::one(tx, movement.order)?;
            let mut before = after.clone();
            before.movements.retain(|other| other.id != movement.id);
            (before, after)
        }
        Fact::Bought(order, lines) => {
            let before = orders::one(tx, *order)?;
            if !before.lines.is_empty() {
                return Ok(());
            }
            insert_lines(tx, *order, lines)?;
            let lines = lines.clone();
            let after = OrderBook {
                lines,
                ..before.clone()
            };
            (before, after)
        }
    };
    sums::add(tx, &change(&before, &after, zone)?)
}

fn change(before: &OrderBook, after: &OrderBook, zone: &Zone) -> Result<Sums, Unsummable> {
    Ok(Sums::of(after, zone)?.since(&Sums::of(before, zone)?)?)
}

/// False when it is there already.
fn insert_entry(tx: &Tx<'_>, zone: &Zone, entry: &Entry) -> Result<bool, NotEntered> {
    if !entry.is_balanced() {
        return Err(DbError::Other(format!("entry {} does not balance", entry.id)).into());
    }
    let day = zone.day(entry.at).map_err(Unsummable::from)?.to_string();
    let row = params![
        entry.id.as_str(),
        entry.kind.text(),
        entry.movement.as_str(),
        entry.order,
        crate::domain::CURRENCY.code(),
        entry.at,
        day
    ];
    if tx.execute(include_str!("sql/insert_entry.sql"), row)? == 0 {
        return Ok(false);
    }
    let [one, other] = entry.postings;
    let sides = params![
        entry.id.as_str(),
        one.account.text(),
        one.debit.minor(),
        one.credit.minor(),
        other.account.text(),
        other.debit.minor(),
        other.credit.minor()
    ];
    tx.execute(include_str!("sql/insert_postings.sql"), sides)?;
    Ok(true)
}

fn insert_lines(tx: &Tx<'_>, order: OrderId, lines: &[Line]) -> Result<(), DbError> {
    for (number, line) in (1_i64..).zip(lines) {
        let (category, seller) = (line.category.as_str(), line.seller.as_str());
        let row = params![order, number, category, seller, line.amount.minor()];
        tx.execute(include_str!("sql/insert_line.sql"), row)?;
    }
    Ok(())
}
