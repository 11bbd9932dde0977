//! Who may use the internal routes: whoever has their key.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{CREDENTIAL_HEADER, Code, Problem, Request};

/// The key of the internal routes. Without one, nobody gets in.
pub struct InternalKey(Option<String>);

impl InternalKey {
    /// The key as it was configured; blank means that there is none.
    pub fn new(text: &str) -> Self {
        let key = text.trim();
        Self((!key.is_empty()).then(|| key.to_owned()))
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
}
