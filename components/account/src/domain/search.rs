use super::{Grade, Status};

/// The form in which names and addresses are searched: small letters, character by character. Hangul has no case.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// What a list of accounts is narrowed to: everything that is said must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The e-mail or the name contains this.
    pub text: Option<SearchText>,
    /// The status is this.
    pub status: Option<Status>,
    /// The grade is this.
    pub grade: Option<Grade>,
}

/// A part of an e-mail or a name, folded.
#[derive(Debug, Clone)]
pub struct SearchText(String);

/// Why a text is a part of no e-mail and no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SearchTextRefused {
    /// Longer than any of them.
    #[error("must have at most {} characters", SearchText::MAX_CHARS)]
    TooLong,
    /// Line breaks, NUL and their like.
    #[error("must not have control characters")]
    Control,
}

impl SearchText {
    /// As long as an e-mail may be.
    pub const MAX_CHARS: u32 = 254;

    /// The other half of the rule as a regular expression (ECMA-262), for clients: no control character.
    pub const PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

    /// Takes what an admin typed.
    pub fn parse(text: &str) -> Result<Self, SearchTextRefused> {
        if text.chars().count() > Self::MAX_CHARS as usize {
            return Err(SearchTextRefused::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(SearchTextRefused::Control);
        }
        Ok(Self(fold(text)))
    }

    /// The folded text.
    pub fn folded(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_be_called_is_not_searched_for() {
        let parse = |text: &str| SearchText::parse(text).map(|text| text.0);
        assert_eq!(parse("Kim 민수 É"), Ok("kim 민수 é".to_owned()));
        assert_eq!(parse(""), Ok(String::new()));
        assert_eq!(parse("a\0"), Err(SearchTextRefused::Control));
        assert_eq!(parse(&"가".repeat(255)), Err(SearchTextRefused::TooLong));
    }
}
