use super::BLANKS;

/// An e-mail address: as its owner wrote it, and as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    text: String,
}

/// Why a text is not taken as an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailRefused {
    /// Longer than any mailbox (RFC 5321 §4.5.3.1.3 leaves 254 characters).
    #[error("must have at most {} characters", Email::MAX_CHARS)]
    TooLong,
    /// It doesn't look like `name@example.com`.
    #[error("must look like name@example.com")]
    Shape,
}

impl Email {
    /// The longest address, with the blanks around it.
    pub const MAX_CHARS: u32 = 254;

    /// The shape as a regular expression (ECMA-262), for clients: exactly what [`Email::parse`] takes.
    pub const PATTERN: &str = r"^[ \t\r\n]*[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?[ \t\r\n]*$";

    /// Takes an address without the blanks around it.
    ///
    /// Only the shape is checked: one `@`, a dot-separated local part of the characters that need no quotes
    /// (RFC 5322 §3.2.3), and a host name of at least two labels. Whether mail arrives shows when it is sent.
    /// The 64 characters of a local part are what every server must take, not the most (RFC 5321 §4.5.3.1.1).
    pub fn parse(text: &str) -> Result<Self, EmailRefused> {
        if text.chars().count() > Self::MAX_CHARS as usize {
            return Err(EmailRefused::TooLong);
        }
        let text = text.trim_matches(BLANKS);
        let (local, host) = text.rsplit_once('@').ok_or(EmailRefused::Shape)?;
        if !is_local(local) || !is_host(host) {
            return Err(EmailRefused::Shape);
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// As its owner wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form in which two addresses of one mailbox are equal: all small letters.
    pub fn key(&self) -> String {
        self.text.to_ascii_lowercase()
    }
}

fn is_local(text: &str) -> bool {
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    text.split('.')
        .all(|part| !part.is_empty() && part.bytes().all(atom))
}

fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.contains('.') && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_equal_whatever_their_case_and_the_blanks_around() {
        let email = Email::parse("  Kim.Min-Su+shop@Example.CO.kr\n").unwrap();
        assert_eq!(email.as_str(), "Kim.Min-Su+shop@Example.CO.kr");
        assert_eq!(email.key(), "kim.min-su+shop@example.co.kr");
    }

    #[test]
    fn what_does_not_look_like_an_address_is_refused() {
        for text in [
            "",
            " ",
            "@",
            "a",
            "a@",
            "@b.kr",
            "a@b",
            "a@@b.kr",
            "a@b@c.kr",
            "a b@c.kr",
            "a@b .kr",
            "a@b..kr",
            "a@.kr",
            "a@kr.",
            ".a@b.kr",
            "a.@b.kr",
            "a..b@c.kr",
            "a@-b.kr",
            "a@b-.kr",
            "a@b_c.kr",
            "\"a\"@b.kr",
            "a@[127.0.0.1]",
            "a\r\nbcc:x@b.kr",
            "a\0@b.kr",
            "가@b.kr",
            "a@b.kr,c@d.kr",
            "<a@b.kr>",
        ] {
            assert_eq!(Email::parse(text), Err(EmailRefused::Shape), "{text:?}");
        }
    }

    #[test]
    fn the_longest_address_has_254_characters() {
        let host = format!("{}.{}.{}.kr", "b".repeat(63), "c".repeat(63), "d".repeat(58));
        let longest = format!("{}@{host}", "a".repeat(64));
        assert_eq!(longest.len(), 254);
        assert!(Email::parse(&longest).is_ok());
        assert_eq!(Email::parse(&format!("{longest}s")), Err(EmailRefused::TooLong));
        assert_eq!(Email::parse(&format!("{longest} ")), Err(EmailRefused::TooLong));
    }
}
