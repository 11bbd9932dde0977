use super::BLANKS;

/// How a person is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// Why a text is not taken as a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    /// There is nothing to be seen.
    #[error("must not be blank")]
    Blank,
    /// Longer than 100 characters.
    #[error("must have at most {} characters", Name::MAX_CHARS)]
    TooLong,
    /// Line breaks, NUL and their like.
    #[error("must not have control characters")]
    Control,
}

impl Name {
    /// The longest name, in characters.
    pub const MAX_CHARS: u32 = 100;

    /// The same rule as a regular expression (ECMA-262), for clients: no control character, and one at least
    /// that can be seen. How long a name is goes by [`Name::MAX_CHARS`].
    pub const PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0\u115f\u1160\u1680\u2000-\u200f\u2028\u2029\u202f\u205f-\u2064\u3000\u3164\ufeff][^\u0000-\u001f\u007f-\u009f]*$";

    /// Takes a name without the blanks around it.
    pub fn parse(text: &str) -> Result<Self, NameRefused> {
        if text
            .chars()
            .all(|letter| letter.is_whitespace() || is_invisible(letter))
        {
            return Err(NameRefused::Blank);
        }
        if text.chars().count() > Self::MAX_CHARS as usize {
            return Err(NameRefused::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(NameRefused::Control);
        }
        Ok(Self(text.trim().to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that take no room, of which a name can't consist.
const fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{3164}' | '\u{115f}' | '\u{1160}')
}

/// A telephone number, as its owner wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(String);

/// The text is not a telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 3 to 15 digits, with - between them and + in front if you like")]
pub struct PhoneRefused;

impl Phone {
    /// The shape as a regular expression (ECMA-262), for clients: exactly what [`Phone::parse`] takes.
    pub const PATTERN: &str = r"^[ \t\r\n]*\+?[0-9](-?[0-9]){2,14}[ \t\r\n]*$";

    /// Takes digits, a `+` in front, and single `-` between digits; E.164 has at most 15 digits.
    pub fn parse(text: &str) -> Result<Self, PhoneRefused> {
        let text = text.trim_matches(BLANKS);
        let groups = text.strip_prefix('+').unwrap_or(text);
        let well_formed = groups
            .split('-')
            .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
        let digits = groups.bytes().filter(u8::is_ascii_digit).count();
        if well_formed && (3..=15).contains(&digits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PhoneRefused)
        }
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_shows_something_and_fits() {
        let check = |text: &str, expected: Result<&str, NameRefused>| {
            assert_eq!(
                Name::parse(text).as_ref().map(Name::as_str),
                expected.as_ref().copied(),
                "{text:?}"
            );
        };
        check(" 김민수 ", Ok("김민수"));
        check("Ann-Marie O'Neil", Ok("Ann-Marie O'Neil"));
        check("", Err(NameRefused::Blank));
        check(" \u{3000}\t", Err(NameRefused::Blank));
        check("\u{200b}\u{3164}", Err(NameRefused::Blank));
        check("a\nb", Err(NameRefused::Control));
        check("a\n", Err(NameRefused::Control));
        check("a\0", Err(NameRefused::Control));
        let hundred = "김".repeat(100);
        check(&hundred, Ok(&hundred));
        check(&"김".repeat(101), Err(NameRefused::TooLong));
        check(&format!("{hundred} "), Err(NameRefused::TooLong));
    }

    #[test]
    fn a_phone_number_is_digits_plus_and_hyphens() {
        for text in ["010-1234-5678", "+82-10-1234-5678", "112", " 01012345678 "] {
            assert!(Phone::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "12",
            "+",
            "-",
            "010--1234",
            "-010",
            "010-",
            "0+10",
            "(02)123",
            "010 1234",
            "1234567890123456",
            "٠١٠١٢",
            "010-1234-567x",
        ] {
            assert_eq!(Phone::parse(text), Err(PhoneRefused), "{text:?}");
        }
    }
}
