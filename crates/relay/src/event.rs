//! What travels.

use kernel::Instant;

/// JSON clients read whole numbers up to here exactly: 2^53 - 1.
const MAX_POSITION: u64 = (1 << 53) - 1;

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
}

/// An event that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// How often it was published before: 0 the first time.
    pub published: u32,
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
    /// Whether its fields are within their limits. The data are looked at when it is encoded or decoded.
    pub(crate) fn check(&self) -> Result<(), Malformed> {
        check_text("id", &self.id, 500)?;
        check_text("topic", &self.topic, 100)?;
        check_text("key", &self.key, 200)?;
        match self.position {
            1..=MAX_POSITION => Ok(()),
            _ => Err(Malformed::Position),
        }
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
