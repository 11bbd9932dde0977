//! Use cases: take messages in, compare with the payments' book, put right what does not agree.

use kernel::{Instant, OrderId};
use relay::inbox::{DeadLetter, Dismissal, Dismissed, Replay};
use relay::{Event, Message};
use store::DbError;

use crate::domain::{
    BookEntry, Day, Dimension, Line, Mismatch, Month, Movement, OrderBook, Report, Sum, UnknownZone, Zone,
};
use crate::event;

/// Whose events are taken in.
pub const PRODUCERS: [&str; 2] = ["payment", "order"];

/// How much of the book or the ledger is looked at in one go.
pub const CHUNK: u32 = 200;

/// What the variables say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where days begin and end.
    pub zone: Zone,
    /// Whether settlements are for admins only.
    pub auth_required: bool,
}

/// A variable that says nothing we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// The time zone.
    #[error("settlement_timezone: {0}")]
    Zone(#[from] UnknownZone),
    /// The switch.
    #[error("settlements_auth_required is {0:?}; it must be \"true\" or \"false\"")]
    AuthRequired(String),
}

impl Settings {
    /// Reads both variables.
    pub fn parse(zone: &str, auth_required: &str) -> Result<Self, BadSetting> {
        Ok(Self {
            zone: Zone::parse(zone)?,
            auth_required: match auth_required {
                "true" => true,
                "false" => false,
                other => return Err(BadSetting::AuthRequired(other.to_owned())),
            },
        })
    }
}

/// What an event tells us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Money moved.
    Moved(Movement),
    /// What an order's money was for.
    Bought(OrderId, Vec<Line>),
    /// Nothing that changes the books.
    Nothing,
}

/// Why an event was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum NotEntered {
    /// It never will be as it stands, and that is its own fault; carries the reason for an admin.
    #[error("{0}")]
    Bad(String),
    /// The store failed, whatever the event.
    #[error(transparent)]
    Store(#[from] DbError),
}

impl NotEntered {
    /// A check of the tables is all that an event can violate: then it is bad. Everything else is about the
    /// database, such as a newer schema, a row that makes no sense or two that write at once, and must not
    /// bury event after event. The store's words are for the log, not for an admin's page.
    fn sorted(self) -> Self {
        match self {
            Self::Store(error @ DbError::Check(_)) => {
                web::log::error("settlement.enter", &error.to_string());
                Self::Bad("the books could not take it in".to_owned())
            }
            Self::Store(
                DbError::Conflict(_)
                | DbError::ForeignKey
                | DbError::Busy
                | DbError::Serialization
                | DbError::Unavailable(_)
                | DbError::TooNew { .. }
                | DbError::Row(_)
                | DbError::Other(_),
            )
            | Self::Bad(_) => self,
        }
    }
}

/// The consumer's books.
pub trait Inbox {
    /// Takes events of one producer in, each once, all of them or none: their effects, their rows in the
    /// inbox, and the sums.
    fn enter(&self, producer: &str, events: &[(&Event, Fact)], now: Instant) -> Result<(), NotEntered>;
    /// Puts an event aside, so that those behind it go on; false when it came before.
    fn bury(&self, producer: &str, event: &Event, why: &str, now: Instant) -> Result<bool, DbError>;
    /// Puts something aside that is no message of ours; false when it came before.
    fn bury_junk(&self, payload: &[u8], why: &str, now: Instant) -> Result<bool, DbError>;
    /// Up to where the events of a producer were handled without a gap.
    fn mark(&self, producer: &str) -> Result<u64, DbError>;
    /// What was put aside, the newest first, before this number.
    fn dead_letters(&self, before: Option<u64>, limit: u32) -> Result<Vec<DeadLetter>, DbError>;
    /// Puts up with what was put aside.
    fn dismiss(&self, letter: u64, dismissal: &Dismissal) -> Result<Dismissed, DbError>;
    /// Takes in what was put aside.
    fn replay(&self, letter: u64, now: Instant) -> Result<Replay, NotEntered>;
}

/// What was put aside, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buried {
    /// The event's id, or what it was instead of a message.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Takes a message from the bus, and acknowledges it once that is on disk.
///
/// Whatever it is, it is dealt with for good: taken in, known already, or put aside. Only a store that
/// fails is an error; then nothing is acknowledged and the message comes again.
pub fn consume<B: Inbox>(
    books: &B,
    payload: &[u8],
    now: Instant,
    mut acknowledge: impl FnMut(&str, u64),
) -> Result<Vec<Buried>, DbError> {
    let message = match Message::decode(payload) {
        Ok(message) if PRODUCERS.contains(&message.producer.as_str()) => message,
        Ok(message) => {
            let why = format!("nobody here listens to the producer {:?}", message.producer);
            return junk(books, payload, why, now);
        }
        Err(error) => return junk(books, payload, error.to_string(), now),
    };
    let producer = message.producer.as_str();
    // Only for the test that proves this guard is needed.
    if cfg!(feature = "mutant-ack-first") {
        let last = message.events.iter().map(|event| event.position).max();
        acknowledge(producer, last.unwrap_or_default());
    }
    let buried = take_in(books, &message, now)?;
    acknowledge(producer, books.mark(producer)?);
    Ok(buried)
}

fn junk<B: Inbox>(books: &B, payload: &[u8], why: String, now: Instant) -> Result<Vec<Buried>, DbError> {
    let new = books.bury_junk(payload, &why, now)?;
    let what = "a message".to_owned();
    Ok(Vec::from_iter(new.then_some(Buried { what, why })))
}

/// All events in one transaction; when one of them is bad, one after the other.
fn take_in<B: Inbox>(books: &B, message: &Message, now: Instant) -> Result<Vec<Buried>, DbError> {
    let producer = message.producer.as_str();
    let read = |event| Ok((event, event::fact(event)?));
    let all: Result<Vec<_>, event::Malformed> = message.events.iter().map(read).collect();
    if let Ok(all) = all {
        match books.enter(producer, &all, now).map_err(NotEntered::sorted) {
            Ok(()) => return Ok(Vec::new()),
            Err(NotEntered::Store(error)) => return Err(error),
            Err(NotEntered::Bad(_)) => {}
        }
    }
    let mut buried = Vec::new();
    for event in &message.events {
        if let Some(why) = take_one(books, producer, event, now)? {
            let new = books.bury(producer, event, &why, now)?;
            let what = event.id.clone();
            buried.extend(new.then_some(Buried { what, why }));
        }
    }
    Ok(buried)
}

/// Takes one event in; answers why it can't be.
fn take_one<B: Inbox>(
    books: &B,
    producer: &str,
    event: &Event,
    now: Instant,
) -> Result<Option<String>, DbError> {
    let fact = match event::fact(event) {
        Ok(fact) => fact,
        Err(malformed) => return Ok(Some(malformed.to_string())),
    };
    match books
        .enter(producer, &[(event, fact)], now)
        .map_err(NotEntered::sorted)
    {
        Ok(()) => Ok(None),
        Err(NotEntered::Bad(why)) => Ok(Some(why)),
        Err(NotEntered::Store(error)) => Err(error),
    }
}

/// How an attempt to take in what was put aside ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// It was taken in.
    Done,
    /// It had been taken in before.
    Before,
    /// It still can't be; carries the reason.
    Refused(String),
    /// There is no such dead letter.
    Unknown,
}

/// Takes in what was put aside, now that the reason may be gone.
pub fn replay<B: Inbox>(books: &B, letter: u64, now: Instant) -> Result<Replayed, DbError> {
    match books.replay(letter, now).map_err(NotEntered::sorted) {
        Ok(Replay::Applied) => Ok(Replayed::Done),
        Ok(Replay::AlreadyApplied) => Ok(Replayed::Before),
        Ok(Replay::Junk) => Ok(Replayed::Refused("it is no event".to_owned())),
        Ok(Replay::Unknown) => Ok(Replayed::Unknown),
        Err(NotEntered::Bad(why)) => Ok(Replayed::Refused(why)),
        Err(NotEntered::Store(error)) => Err(error),
    }
}

/// The days that a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// One day.
    Day(Day),
    /// All days of a month.
    Month(Month),
}

/// The sums, as they are kept.
pub trait Settlements {
    /// A day; none when nothing moved on it.
    fn day(&self, day: Day) -> Result<Option<Sum>, DbError>;
    /// Days on which something moved, the newest first, before this one.
    fn days(&self, before: Option<Day>, limit: u32) -> Result<Vec<(Day, Sum)>, DbError>;
    /// A month; none when nothing moved in it.
    fn month(&self, month: Month) -> Result<Option<Sum>, DbError>;
    /// Months in which something moved, the newest first, before this one.
    fn months(&self, before: Option<Month>, limit: u32) -> Result<Vec<(Month, Sum)>, DbError>;
    /// The parts of a period by name, behind this name.
    fn shares(
        &self,
        dimension: Dimension,
        period: Period,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, Sum)>, DbError>;
}

/// The ledger, for those who check it.
pub trait Ledger {
    /// Up to `limit` orders in which money moved, from behind `after` up to `last`, by number.
    fn orders(
        &self,
        after: Option<OrderId>,
        last: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderBook>, DbError>;
    /// Enters what one order's ledger lacks of `expected`, and answers what that was.
    fn put_right(
        &self,
        order: OrderId,
        expected: Vec<Movement>,
        now: Instant,
    ) -> Result<Vec<Mismatch>, DbError>;
}

/// The payments' own book.
pub trait Book {
    /// Up to `limit` captured payments of orders behind `after`, by order; the error is its excuse.
    fn entries(&self, after: Option<OrderId>, limit: u32) -> Result<Vec<BookEntry>, String>;
}

/// Why book and ledger could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum Uncompared {
    /// The book did not answer; carries its excuse.
    #[error("the payments' book: {0}")]
    Book(String),
    /// The ledger did not.
    #[error(transparent)]
    Ledger(#[from] DbError),
    /// The sums are too large.
    #[error(transparent)]
    Money(#[from] kernel::MoneyError),
}

/// Compares all payments with the ledger, or those that moved on one day of `zone`.
pub fn reconcile<L: Ledger, B: Book>(
    ledger: &L,
    book: &B,
    day: Option<(Day, &Zone)>,
    now: Instant,
) -> Result<Report, Uncompared> {
    let wanted = |movement: &Movement| day.is_none_or(|(day, zone)| zone.day(movement.at) == Ok(day));
    let mut report = Report::EMPTY;
    let mut after = None;
    loop {
        let page = book.entries(after, CHUNK).map_err(Uncompared::Book)?;
        let last = page
            .last()
            .map(|entry| entry.order)
            .filter(|_| page.len() >= CHUNK as usize);
        let expected = page.iter().flat_map(BookEntry::movements).filter(wanted);
        let found = |movements: Vec<Movement>| movements.into_iter().filter(wanted).collect();
        compare(&mut report, expected.collect(), ledger, (after, last), found, now)?;
        match last {
            None => return Ok(report),
            next => after = next,
        }
    }
}

/// Compares what the book has of a range of orders with the ledger, which may have more of them than fit
/// into memory.
fn compare<L: Ledger>(
    report: &mut Report,
    mut expected: Vec<Movement>,
    ledger: &L,
    (mut after, last): (Option<OrderId>, Option<OrderId>),
    wanted: impl Fn(Vec<Movement>) -> Vec<Movement>,
    now: Instant,
) -> Result<(), Uncompared> {
    loop {
        let orders = ledger.orders(after, last, CHUNK)?;
        after = orders
            .last()
            .map(|book| book.order)
            .filter(|_| orders.len() >= CHUNK as usize);
        let beyond = |movement: &Movement| after.is_some_and(|after| movement.order > after);
        let (later, these) = expected.into_iter().partition(beyond);
        let movements = orders.into_iter().flat_map(|book| book.movements).collect();
        report.compare(these, wanted(movements), now)?;
        if after.is_none() {
            return Ok(());
        }
        expected = later;
    }
}

/// Puts the ledger of one order right; what was right already stays, so repeating it changes nothing.
pub fn reprocess<L: Ledger, B: Book>(
    ledger: &L,
    book: &B,
    order: OrderId,
    now: Instant,
) -> Result<Vec<Mismatch>, Uncompared> {
    let before = OrderId::try_new(order.get() - 1).ok();
    let page = book.entries(before, 1).map_err(Uncompared::Book)?;
    let entry = page.into_iter().find(|entry| entry.order == order);
    let expected = entry.as_ref().map_or_else(Vec::new, BookEntry::movements);
    Ok(ledger.put_right(order, expected, now)?)
}
