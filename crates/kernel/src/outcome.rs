/// How a repeatable command went well: it did something, or somebody had done it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<T> {
    /// This call made the change.
    Done(T),
    /// An earlier call with the same identity made it; nothing changed now.
    AlreadyDone(T),
}

impl<T> Outcome<T> {
    /// The value, whoever made it.
    pub fn into_inner(self) -> T {
        match self {
            Self::Done(value) | Self::AlreadyDone(value) => value,
        }
    }

    /// Whether this very call made the change.
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}
