//! Who may use the internal routes: whoever has their key.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{CREDENTIAL_HEADER, Code, Problem, Request};

/// The key of the internal routes. Without one, nobody gets in.
pub struct InternalKey(Option<String>);

impl InternalKey {
    /// The key as it was configured; blank means that there is none.
    pub fn new(text: &str) -> Self {
        Self(configured(text).map(str::to_owned))
    }

    /// Refuses who does not have it. The gateway hands the client's own `Authorization` over in a header that
    /// nobody else can set.
    pub fn admit(&self, request: &Request) -> Result<(), Problem> {
        let Some(key) = &self.0 else {
            return Err(Problem::new(Code::Forbidden, "this route is closed"));
        };
        let given = request.header(CREDENTIAL_HEADER).and_then(bearer);
        match given {
            Some(given) if same(key, given) => Ok(()),
            _ => Err(
                Problem::new(Code::Unauthorized, "send the key of the internal routes")
                    .header("www-authenticate", "Bearer"),
            ),
        }
    }
}

/// What somebody sends in [`CREDENTIAL_HEADER`] who was configured with the same text as whoever admits them: one file often
/// has the key for both, and a line feed at its end. The error is about the text and does not quote it.
pub fn credential(text: &str) -> Result<String, &'static str> {
    let key = configured(text).ok_or("the key is empty")?;
    // What a header can't carry, or who reads it does not take.
    if !key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err("the key must be visible ASCII, since it is sent in a header");
    }
    Ok(format!("Bearer {key}"))
}

/// The key that is meant by a configured text; none when it is blank.
fn configured(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|key| !key.is_empty())
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

/// Whether two texts are the same, in a time that does not depend on where they differ: not they are
/// compared, but their digests, and those in constant time.
fn same(wanted: &str, given: &str) -> bool {
    let digest = |text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"bodega jobs").expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        mac
    };
    digest(wanted)
        .verify_slice(&digest(given).finalize().into_bytes())
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Method, Response};

    #[test]
    fn only_the_whole_key_opens_and_no_key_opens_nothing() {
        let status = |key: &str, given: &[&str]| {
            let request = given
                .iter()
                .fold(Request::new(Method::Post, "/internal/x"), |request, value| {
                    request.with_header(CREDENTIAL_HEADER, *value)
                });
            let refused = InternalKey::new(key).admit(&request).err();
            refused.map_or(200, |problem| Response::from(problem).status())
        };
        assert_eq!(status("secret", &["Bearer secret"]), 200);
        assert_eq!(status(" secret\n", &["bEARER  secret "]), 200);
        for given in [
            "Bearer secre",
            "Bearer secrets",
            "Bearer",
            "Bearer ",
            "secret",
            "Basic secret",
        ] {
            assert_eq!(status("secret", &[given]), 401, "{given}");
        }
        assert_eq!(status("secret", &[]), 401);
        assert_eq!(status("secret", &["Bearer secret", "Bearer secret"]), 401);
        for given in ["Bearer ", "Bearer  ", "Bearer x"] {
            assert_eq!(status("", &[given]), 403, "{given}");
            assert_eq!(status(" \n", &[given]), 403, "{given}");
        }
    }
    #[test]
    fn who_was_configured_with_the_same_text_is_let_in() {
        let is_admitted = |text: &str| {
            let sent = credential(text)?;
            let request = Request::new(Method::Post, "/internal/x").with_header(CREDENTIAL_HEADER, sent);
            Ok::<_, &str>(InternalKey::new(text).admit(&request).is_ok())
        };
        for text in [
            "secret",
            "secret\n",
            " \tsecret\r\n",
            "two words",
            "Bearer x",
            "~!\"$%&/()=?\u{a0}",
        ] {
            assert_eq!(is_admitted(text), Ok(true), "{text:?}");
        }
        for text in ["", " \n"] {
            assert_eq!(is_admitted(text), Err("the key is empty"), "{text:?}");
        }
        for text in ["two\nlines", "tab\tbed", "schlüssel", "nul\0", "\u{7f}"] {
            let refused = is_admitted(text).unwrap_err();
            assert!(refused.contains("visible ASCII"), "{text:?}");
            assert!(!refused.contains(text.trim()), "{text:?}");
        }
    }
}
