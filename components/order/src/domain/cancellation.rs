/// The longest reason that a person may give, in characters.
pub const MAX_NOTE_CHARS: usize = 200;

/// What a person said about a cancellation: 1 to [`MAX_NOTE_CHARS`] characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(String);

/// Why a text is not a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at most {MAX_NOTE_CHARS} characters, and none that controls a terminal")]
pub struct NoteError;

impl Note {
    /// Takes a text as it was sent; one of blanks alone says nothing.
    pub fn parse(text: &str) -> Result<Option<Self>, NoteError> {
        // Blanks count, so that clients can tell from the text alone whether it fits.
        let fits = text.chars().count() <= MAX_NOTE_CHARS;
        let text = text.trim();
        if !fits || text.chars().any(char::is_control) {
            return Err(NoteError);
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why an order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancellation {
    /// Its customer wanted so.
    Customer(Option<Note>),
    /// An administrator wanted so.
    Admin(Option<Note>),
    /// It was not paid in time.
    Expired,
    /// It was paid, but its goods had gone to others.
    SoldOut,
}

impl Cancellation {
    /// The words of all reasons there are.
    pub const WORDS: [&str; 4] = ["CUSTOMER", "ADMIN", "EXPIRED", "SOLD_OUT"];

    /// The word that is stored and shown.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::Customer(_) => "CUSTOMER",
            Self::Admin(_) => "ADMIN",
            Self::Expired => "EXPIRED",
            Self::SoldOut => "SOLD_OUT",
        }
    }

    /// What a person said about it.
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::Customer(note) | Self::Admin(note) => note.as_ref().map(Note::as_str),
            Self::Expired | Self::SoldOut => None,
        }
    }

    /// The cancellation that was stored as `word` and `note`.
    pub fn parse(word: &str, note: Option<&str>) -> Option<Self> {
        let note = || note.map(|text| Note(text.to_owned()));
        match word {
            "CUSTOMER" => Some(Self::Customer(note())),
            "ADMIN" => Some(Self::Admin(note())),
            "EXPIRED" => Some(Self::Expired),
            "SOLD_OUT" => Some(Self::SoldOut),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancellations_survive_their_words() {
        let note = Note::parse("too late").unwrap();
        for why in [
            Cancellation::Customer(None),
            Cancellation::Customer(note.clone()),
            Cancellation::Admin(note),
            Cancellation::Expired,
            Cancellation::SoldOut,
        ] {
            assert!(Cancellation::WORDS.contains(&why.text()));
            assert_eq!(Cancellation::parse(why.text(), why.note()), Some(why));
        }
        assert_eq!(Cancellation::parse("ELSE", None), None);
    }

    #[test]
    fn a_note_is_short_and_plain() {
        assert_eq!(Note::parse(" \n "), Ok(None));
        assert_eq!(
            Note::parse(" 마음이 바뀜 ").unwrap().unwrap().as_str(),
            "마음이 바뀜"
        );
        assert!(Note::parse(&"가".repeat(200)).is_ok());
        assert_eq!(Note::parse(&"가".repeat(201)), Err(NoteError));
        assert_eq!(Note::parse(&format!("가{}", " ".repeat(200))), Err(NoteError));
        assert_eq!(Note::parse("a\u{1b}[2J"), Err(NoteError));
    }
}
