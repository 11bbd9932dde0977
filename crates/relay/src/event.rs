//! What travels.

use kernel::Instant;
use serde::{Deserialize, Serialize};

/// JSON clients read whole numbers up to here exactly: 2^53 - 1.
const MAX_POSITION: u64 = (1 << 53) - 1;

const MAX_ID: usize = 500;
const MAX_TOPIC: usize = 100;
const MAX_KEY: usize = 200;

/// Something that happened in one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Names the change it tells of; the same change never has two events.
    pub id: String,
    /// What kind of change: `payment.completed`.
    pub topic: String,
    /// What it happened to, such as an order's id.
    pub key: String,
    /// Its place among all events of its producer: 1, 2, 3 and so on, without a gap.
    pub position: u64,
    /// When it happened.
    pub occurred_at: Instant,
    /// The rest: the text of a JSON object.
    pub data: String,
    /// The trace it happened in, when somebody traced it ([`crate::trace`]).
    pub traceparent: Option<String>,
}

/// An event that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// How often it was published before: 0 the first time.
    pub published: u32,
}

/// The data of an event that stands for one that could not travel; no other event has such data.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tombstone {
    undeliverable: String,
}

/// Why something is no event: a field that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A text is empty, too long, or holds control characters.
    #[error("{field} must have 1 to {most} characters, none of them a control character")]
    Text {
        /// Which one.
        field: &'static str,
        /// The longest that is taken.
        most: usize,
    },
    /// Positions begin at 1.
    #[error("position must be from 1 to {MAX_POSITION}")]
    Position,
    /// The data are not a JSON object.
    #[error("data must be a JSON object")]
    Data,
}

impl Event {
    /// Why the event in whose place this one stands could not travel; none for an event that says what
    /// happened. Whatever its topic, a consumer puts the former aside, with this reason.
    pub fn undeliverable(&self) -> Option<String> {
        // An array of the right values would pass for one.
        let object = self.data.starts_with('{').then_some(self.data.as_str())?;
        let tombstone: Tombstone = serde_json::from_str(object).ok()?;
        Some(tombstone.undeliverable)
    }

    /// What travels in the place of this event, under its id and topic as far as they can be.
    pub(crate) fn tombstone(&self, why: &impl ToString) -> Self {
        let undeliverable = why.to_string();
        let id = match check_text("id", &self.id, MAX_ID) {
            Ok(()) => self.id.clone(),
            Err(_) => format!("undeliverable:{}", self.position),
        };
        Self {
            id,
            topic: fitting(&self.topic, MAX_TOPIC),
            key: fitting(&self.key, MAX_KEY),
            position: self.position,
            occurred_at: self.occurred_at,
            data: serde_json::json!(Tombstone { undeliverable }).to_string(),
            traceparent: self.traceparent.clone(),
        }
    }

    /// Whether its fields are within their limits. The data are looked at when it is encoded or decoded.
    pub(crate) fn check(&self) -> Result<(), Malformed> {
        check_text("id", &self.id, MAX_ID)?;
        check_text("topic", &self.topic, MAX_TOPIC)?;
        check_text("key", &self.key, MAX_KEY)?;
        match self.position {
            1..=MAX_POSITION => Ok(()),
            _ => Err(Malformed::Position),
        }
    }
}

/// As much of a text as an event takes.
fn fitting(text: &str, most: usize) -> String {
    let plain = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    match text {
        "" => "-".to_owned(),
        text => text.chars().take(most).map(plain).collect(),
    }
}

pub(crate) fn check_text(field: &'static str, text: &str, most: usize) -> Result<(), Malformed> {
    let fits = !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
    if fits {
        Ok(())
    } else {
        Err(Malformed::Text { field, most })
    }
}
