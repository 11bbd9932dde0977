//! The consumer's side: each event once.
//!
//! [`apply`] is for an event that can be applied, [`bury`] for one that can't be, [`bury_junk`] for what is
//! no message at all, [`replay`] for the day when the reason is gone, and [`dismiss`] for what nobody can mend. After any
//! of them [`mark`] is what to acknowledge.

use kernel::{Instant, UserId};
use sha2::{Digest, Sha256};
use store::{Db, DbError, Row, RowError, Tx, params};

use crate::outbox::position;
use crate::{Event, Message};

/// The tables, as the migration `NNNN_create_inbox` of every consumer has them.
pub const SCHEMA: &str = include_str!("../schema/create_inbox.sql");

/// The columns of `dead_letter` that say who dismissed it, as the migration `NNNN_add_dead_letter_dismissal` of every
/// consumer has them.
pub const DISMISSAL: &str = include_str!("../schema/add_dead_letter_dismissal.sql");

/// How much is kept of something that is no message.
pub const MAX_JUNK_BYTES: usize = 64 * 1024;

/// How much of a payload a list shows.
pub const MAX_SHOWN_BYTES: u32 = 2 * 1024;

/// How much is kept of the reason why something was put aside.
const MAX_ERROR_BYTES: usize = 2_000;

/// Whether an event may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is new; now it is in the inbox.
    Admitted,
    /// It came before, and was applied or put aside: there is nothing to do.
    Duplicate,
    /// It is new, but another event has its position: one of the two is wrong, so it is to be buried.
    Misplaced,
}

/// Something that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number: 1, 2, 3 and so on.
    pub id: u64,
    /// When it was put aside.
    pub received_at: Instant,
    /// Which event it is; none for what is no message.
    pub event: Option<Origin>,
    /// The first 2 KiB of what is kept: of the message with just this event, or of what is no message.
    pub payload: String,
    /// How many bytes are kept of it.
    pub payload_bytes: u64,
    /// Why it was put aside.
    pub error: String,
    /// When it was applied after all.
    pub replayed_at: Option<Instant>,
    /// Who put up with it, if anybody did.
    pub dismissal: Option<Dismissal>,
}

/// That somebody has looked at a dead letter and puts up with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dismissal {
    /// When.
    pub at: Instant,
    /// Who.
    pub by: UserId,
    /// Why.
    pub reason: String,
}

/// What came of dismissing a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dismissed {
    /// It is dismissed: now, or as it was the first time.
    Done(Dismissal),
    /// It was applied, so there is nothing to put up with.
    Replayed,
    /// There is no dead letter of this number.
    Unknown,
}

/// Where a dead letter comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The domain it happened in.
    pub producer: String,
    /// The event's id.
    pub event_id: String,
    /// The event's topic.
    pub topic: String,
    /// The event's position.
    pub position: u64,
}

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// Its event was applied now.
    Applied,
    /// It was applied before.
    AlreadyApplied,
    /// It is no event, so there is nothing to apply.
    Junk,
    /// There is no dead letter of this number.
    Unknown,
}

/// Applies an event of `producer` once: `change` and the event's row in the inbox stand or fall together.
///
/// `change` runs only when the answer is [`Admission::Admitted`], again when another transaction was in the way; if it
/// fails, nothing happened, and the same event may come again or be buried.
pub fn apply<E: From<DbError>>(
    db: &Db,
    producer: &str,
    event: &Event,
    now: Instant,
    mut change: impl FnMut(&Tx<'_>) -> Result<(), E>,
) -> Result<Admission, E> {
    db.transaction(|tx| {
        let admission = admit(tx, producer, event, now)?;
        if admission == Admission::Admitted {
            change(tx)?;
        }
        Ok(admission)
    })
}

/// Takes an event in and moves the mark, within the transaction of its effect; what [`apply`] does for one
/// event, for a caller that applies several in one transaction.
pub fn admit(tx: &Tx<'_>, producer: &str, event: &Event, now: Instant) -> Result<Admission, DbError> {
    if enter(tx, producer, event, Some(event.position), Some(now))? {
        return Ok(Admission::Admitted);
    }
    if is_known(tx, producer, event)? {
        Ok(Admission::Duplicate)
    } else {
        Ok(Admission::Misplaced)
    }
}

/// Up to which position the events of `producer` are handled without a gap: applied, or put aside.
pub fn mark(db: &Db, producer: &str) -> Result<u64, DbError> {
    let row = db.read_one(include_str!("sql/mark.sql"), params![producer])?;
    Ok(row.as_ref().map(position).transpose()?.unwrap_or(0))
}

/// Puts an event aside that can't be applied, with the reason. It counts as handled from now on, so that
/// those behind it go on. False when it was handled before.
pub fn bury(db: &Db, producer: &str, event: &Event, error: &str, now: Instant) -> Result<bool, DbError> {
    let message = Message {
        producer: producer.to_owned(),
        events: vec![event.clone()],
    };
    let payload = message
        .encode()
        .map_err(|error| DbError::Other(error.to_string()))?;
    let letter = Letter {
        fingerprint: format!("event {producer} {}", event.id),
        origin: Some((producer, event)),
        payload,
        error: cut(error.as_bytes(), MAX_ERROR_BYTES),
    };
    db.transaction(|tx| {
        let entered = enter(tx, producer, event, Some(event.position), None)?
            || (!is_known(tx, producer, event)? && enter(tx, producer, event, None, None)?);
        Ok(entered && put_aside(tx, &letter, now)?)
    })
}

/// Puts something aside that is no message: its first 64 KiB. It has no position and is in nobody's way.
/// False when the same was put aside before, however often it comes.
pub fn bury_junk(db: &Db, payload: &[u8], error: &str, now: Instant) -> Result<bool, DbError> {
    let letter = Letter {
        fingerprint: format!("junk {:x}", Sha256::digest(payload)),
        origin: None,
        payload: cut(payload, MAX_JUNK_BYTES),
        error: cut(error.as_bytes(), MAX_ERROR_BYTES),
    };
    db.transaction(|tx| put_aside(tx, &letter, now))
}

/// Puts up with a dead letter: it waits for nobody any more, and stays in the list. The first time counts. One that was
/// dismissed may be replayed all the same.
pub fn dismiss(db: &Db, id: u64, dismissal: &Dismissal) -> Result<Dismissed, DbError> {
    let Ok(number) = i64::try_from(id) else {
        return Ok(Dismissed::Unknown);
    };
    db.transaction(|tx| {
        let row = params![number, dismissal.at, dismissal.by, dismissal.reason.as_str()];
        tx.execute(include_str!("sql/dismiss.sql"), row)?;
        let Some(row) = tx.query_one(include_str!("sql/dismissal.sql"), params![number])? else {
            return Ok(Dismissed::Unknown);
        };
        let replayed: Option<Instant> = row.get("replayed_at")?;
        Ok(match (replayed, dismissal_in(&row)?) {
            (None, Some(dismissal)) => Dismissed::Done(dismissal),
            (Some(_), _) | (None, None) => Dismissed::Replayed,
        })
    })
}

/// How many events were put aside, and neither taken in nor dismissed since.
pub fn waiting_dead_letters(db: &Db) -> Result<i64, DbError> {
    let row = db.read_one(include_str!("sql/count_dead_letters.sql"), params![])?;
    row.map_or(Ok(0), |row| Ok(row.get("waiting")?))
}

/// Up to `limit` dead letters, the newest first, those before number `before` when one is given. Only the
/// beginnings of their payloads are read, so that a list of large ones fits into memory.
pub fn dead_letters(db: &Db, limit: u32, before: Option<u64>) -> Result<Vec<DeadLetter>, DbError> {
    let before = before.map_or(i64::MAX, |id| i64::try_from(id).unwrap_or(i64::MAX));
    let rows = db.read(
        include_str!("sql/dead_letters.sql"),
        params![before, limit, MAX_SHOWN_BYTES],
    )?;
    Ok(rows.iter().map(dead_letter).collect::<Result<_, _>>()?)
}

/// Applies the event of a dead letter after all, once, even if its producer publishes it again meanwhile.
/// If `change` fails, nothing happened, and it may be replayed again.
pub fn replay<E: From<DbError>>(
    db: &Db,
    id: u64,
    now: Instant,
    mut change: impl FnMut(&Tx<'_>, &Event) -> Result<(), E>,
) -> Result<Replay, E> {
    let Ok(number) = i64::try_from(id) else {
        return Ok(Replay::Unknown);
    };
    db.transaction(|tx| {
        let row = tx.query_one(include_str!("sql/dead_letter.sql"), params![number])?;
        let Some(row) = row else {
            return Ok(Replay::Unknown);
        };
        let Some(producer) = row.get::<Option<String>>("producer").map_err(DbError::from)? else {
            return Ok(Replay::Junk);
        };
        let event_id: String = row.get("event_id").map_err(DbError::from)?;
        let claim = params![producer, event_id, now];
        if tx.execute(include_str!("sql/apply_put_aside.sql"), claim)? == 0 {
            return Ok(Replay::AlreadyApplied);
        }
        change(tx, &event_in(&row).map_err(DbError::from)?)?;
        tx.execute(include_str!("sql/mark_replayed.sql"), params![number, now])?;
        Ok(Replay::Applied)
    })
}

/// What becomes a row of `dead_letter`.
struct Letter<'a> {
    /// Names it, so that the same thing is put aside once.
    fingerprint: String,
    origin: Option<(&'a str, &'a Event)>,
    payload: String,
    error: String,
}

/// Writes the event's row and moves the mark; false when its id or its position is taken.
fn enter(
    tx: &Tx<'_>,
    producer: &str,
    event: &Event,
    position: Option<u64>,
    applied_at: Option<Instant>,
) -> Result<bool, DbError> {
    let position = position.map(stored).transpose()?;
    let row = params![producer, event.id.as_str(), position, applied_at];
    if tx.execute(include_str!("sql/enter.sql"), row)? == 0 {
        return Ok(false);
    }
    if tx.execute(include_str!("sql/move_mark.sql"), params![producer])? == 0 {
        tx.execute(include_str!("sql/begin_mark.sql"), params![producer])?;
        tx.execute(include_str!("sql/move_mark.sql"), params![producer])?;
    }
    Ok(true)
}

fn is_known(tx: &Tx<'_>, producer: &str, event: &Event) -> Result<bool, DbError> {
    let id = params![producer, event.id.as_str()];
    Ok(tx.query_one(include_str!("sql/is_known.sql"), id)?.is_some())
}

/// False when it is there already.
fn put_aside(tx: &Tx<'_>, letter: &Letter<'_>, now: Instant) -> Result<bool, DbError> {
    let (producer, event) = letter.origin.unzip();
    let row = params![
        now,
        letter.fingerprint.as_str(),
        producer,
        event.map(|event| event.id.as_str()),
        event.map(|event| event.topic.as_str()),
        event.map(|event| stored(event.position)).transpose()?,
        letter.payload.as_str(),
        letter.error.as_str()
    ];
    if tx.execute(include_str!("sql/insert_dead_letter.sql"), row)? > 0 {
        return Ok(true);
    }
    let known = tx.query_one(
        include_str!("sql/is_put_aside.sql"),
        params![letter.fingerprint.as_str()],
    )?;
    // Somebody else took the same number at this moment: the next try gets another.
    known.map(|_| false).ok_or(DbError::Busy)
}

fn dead_letter(row: &Row) -> Result<DeadLetter, RowError> {
    let producer: Option<String> = row.get("producer")?;
    let origin = |producer| -> Result<Origin, RowError> {
        Ok(Origin {
            producer,
            event_id: row.get("event_id")?,
            topic: row.get("topic")?,
            position: position(row)?,
        })
    };
    let count = |column| {
        let number: i64 = row.get(column)?;
        u64::try_from(number).map_err(|error| RowError::new(column, error))
    };
    let payload: String = row.get("payload")?;
    Ok(DeadLetter {
        id: count("dead_letter_id")?,
        received_at: row.get("received_at")?,
        event: producer.map(origin).transpose()?,
        payload: cut(payload.as_bytes(), MAX_SHOWN_BYTES as usize),
        payload_bytes: count("payload_bytes")?,
        error: row.get("error")?,
        replayed_at: row.get("replayed_at")?,
        dismissal: dismissal_in(row)?,
    })
}

fn dismissal_in(row: &Row) -> Result<Option<Dismissal>, RowError> {
    let dismissal = |at| {
        Ok(Dismissal {
            at,
            by: row.get("dismissed_by")?,
            reason: row.get("dismissed_reason")?,
        })
    };
    row.get::<Option<Instant>>("dismissed_at")?
        .map(dismissal)
        .transpose()
}

/// The event in a dead letter's whole payload, which was written by [`bury`].
fn event_in(row: &Row) -> Result<Event, RowError> {
    let payload: String = row.get("payload")?;
    let wrong = |problem: String| RowError::new("payload", problem);
    let message = Message::decode(payload.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    let event = message.events.into_iter().next();
    event.ok_or_else(|| wrong("no event".to_owned()))
}

fn stored(position: u64) -> Result<i64, DbError> {
    i64::try_from(position).map_err(|error| DbError::Other(format!("position {position}: {error}")))
}

/// The beginning of something as text that every database takes.
fn cut(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    text[..text.floor_char_boundary(most)].to_owned()
}
