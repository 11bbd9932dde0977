//! Conditional requests (RFC 9110 §13): what an answer's version is, and what a client thinks it is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::{Code, Method, Problem, Request, Response};

const IF_MATCH: &str = "if-match";
const IF_NONE_MATCH: &str = "if-none-match";

/// So many bytes of the digest are kept: nobody gains anything from a collision, and 128 bits have none by chance.
const KEPT_BYTES: usize = 16;

/// The headers that 304 repeats (RFC 9110 §15.4.5); a page that was kept gets today's policy.
const REPEATED: [&str; 4] = ["etag", "cache-control", "vary", "content-security-policy"];

/// The version of an answer, always a strong one: two answers with the same tag are the same byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// The version of an answer: of its body, and of the link to the next page, which is as much of what a list says
    /// as its entries are.
    pub fn of(response: &Response) -> Self {
        let mut digest = Sha256::new();
        digest.update(response.header_value("link").unwrap_or_default());
        digest.update([0]);
        digest.update(response.body());
        let digest = digest.finalize();
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..KEPT_BYTES])))
    }

    /// The version of bytes whose digest is known already.
    pub fn known(digest: &str) -> Self {
        Self(format!("\"{digest}\""))
    }

    /// As a header writes it, with its quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The versions that a client names in `If-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Tags);

impl IfMatch {
    /// What the request says, if it says anything; refused when it says nothing that can be understood.
    pub fn of(request: &Request) -> Result<Option<Self>, Problem> {
        Ok(Tags::of(request, IF_MATCH)?.map(Self))
    }

    /// Whether what there is now is what the client means (strong comparison: a weak tag is never meant).
    pub fn holds(&self, current: &ETag) -> bool {
        match &self.0 {
            Tags::Any => true,
            Tags::These(tags) => tags.iter().any(|tag| !tag.weak && tag.text == current.0),
        }
    }

    /// The answer to who wants to change what is not there any more.
    pub fn failed() -> Problem {
        Problem::new(
            Code::PreconditionFailed,
            "it has changed since you read it; read it again",
        )
    }
}

impl Response {
    /// A read's answer with its version; for a client that has this version already, nothing but that (304).
    ///
    /// Only what would be a success asks what the client has; `If-Match` goes first (RFC 9110 §13.2.2).
    pub fn conditional(self, request: &Request) -> Result<Self, Problem> {
        let tag = ETag::of(&self);
        self.conditional_on(request, tag)
    }

    /// The same where the version is known already.
    pub fn conditional_on(self, request: &Request, tag: ETag) -> Result<Self, Problem> {
        if !(200..300).contains(&self.status()) || !matches!(request.method(), Method::Get | Method::Head) {
            return Ok(self);
        }
        let (wanted, known) = (IfMatch::of(request)?, Tags::of(request, IF_NONE_MATCH)?);
        if wanted.is_some_and(|wanted| !wanted.holds(&tag)) {
            return Err(IfMatch::failed());
        }
        let known = known.is_some_and(|known| known.has_weakly(&tag));
        let answer = self.tagged(&tag);
        Ok(if known { answer.not_modified() } else { answer })
    }

    /// The same answer saying which version it is.
    pub fn tagged(self, tag: &ETag) -> Self {
        self.header("etag", tag.as_str())
    }

    fn not_modified(self) -> Self {
        let (_, headers, _) = self.into_parts();
        headers
            .into_iter()
            .filter(|(name, _)| REPEATED.contains(&name.as_str()))
            .fold(Self::empty(304), |answer, (name, value)| {
                answer.header(&name, value)
            })
    }
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: whatever there is.
    Any,
    /// One of these.
    These(Vec<Tag>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    weak: bool,
    /// With its quotes.
    text: String,
}

impl Tags {
    fn of(request: &Request, name: &str) -> Result<Option<Self>, Problem> {
        let lines = request.header_lines(name);
        if lines.is_empty() {
            return Ok(None);
        }
        // Several lines are one list (RFC 9110 §5.3).
        let list = lines.join(&b","[..]);
        let tags = std::str::from_utf8(&list).ok().and_then(Self::parse);
        tags.map(Some).ok_or_else(|| {
            let detail = format!("{name} must be * or a list of entity tags in quotes");
            Problem::new(Code::Malformed, detail)
        })
    }

    fn parse(list: &str) -> Option<Self> {
        if list.trim_matches(is_blank) == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = list;
        loop {
            rest = rest.trim_start_matches(|c| is_blank(c) || c == ',');
            if rest.is_empty() {
                return (!tags.is_empty()).then_some(Self::These(tags));
            }
            let (tag, after) = Tag::cut(rest)?;
            tags.push(tag);
            rest = after.trim_start_matches(is_blank);
            if !rest.is_empty() && !rest.starts_with(',') {
                return None;
            }
        }
    }

    /// Weak comparison: whether both are weak or strong does not matter.
    fn has_weakly(&self, current: &ETag) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag.text == current.0),
        }
    }
}

impl Tag {
    /// The tag that a text begins with, and what comes behind it. There are no escapes inside.
    fn cut(text: &str) -> Option<(Self, &str)> {
        let opaque = text.strip_prefix("W/").unwrap_or(text);
        let end = opaque.strip_prefix('"')?.find('"')? + 2;
        let (tag, after) = opaque.split_at(end);
        let allowed = |c: char| c != ' ' && !c.is_ascii_control();
        let tag = Self {
            weak: opaque.len() < text.len(),
            text: tag.chars().all(allowed).then(|| tag.to_owned())?,
        };
        Some((tag, after))
    }
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Response {
        Response::json(200, &[1, 2])
            .header("cache-control", "no-cache")
            .header("vary", "Accept")
            .header("link", "</x>; rel=\"next\"")
    }

    fn tag() -> String {
        ETag::of(&answer()).as_str().to_owned()
    }

    fn ask(method: Method, headers: &[(&str, &str)]) -> Response {
        let request = Request::new(method, "/x");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.with_header(name, *value)
        });
        answer().conditional(&request).into()
    }

    #[test]
    fn a_tag_is_one_short_strong_text_for_the_same_answer_only() {
        let tag = tag();
        assert_eq!(
            (tag.len(), tag.starts_with('"'), tag.ends_with('"')),
            (24, true, true)
        );
        assert_eq!(tag, self::tag());
        let others = [
            Response::json(200, &[1, 2]),
            Response::json(200, &[1, 2]).header("link", "</y>; rel=\"next\""),
            Response::json(200, &[2, 1]).header("link", "</x>; rel=\"next\""),
        ];
        for other in others {
            assert_ne!(ETag::of(&other).as_str(), tag);
        }
    }

    #[test]
    fn who_has_it_gets_304_and_who_has_not_gets_it() {
        let tag = tag();
        let inside = &tag[1..tag.len() - 1];
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            format!("W/\"a,b\",,\t{tag} ,"),
            "*".to_owned(),
            " * ".to_owned(),
        ] {
            for method in [Method::Get, Method::Head] {
                let response = ask(method, &[("if-none-match", &known)]);
                let names: Vec<_> = response.headers().iter().map(|(name, _)| name.as_str()).collect();
                assert_eq!(
                    (response.status(), response.body(), names.as_slice()),
                    (304, b"".as_slice(), ["cache-control", "vary", "etag"].as_slice()),
                    "{known}"
                );
                assert_eq!(response.header_value("etag"), Some(tag.as_str()));
            }
        }
        for other in ["\"x\"".to_owned(), format!("\"{inside}x\""), "W/\"\"".to_owned()] {
            let response = ask(Method::Get, &[("if-none-match", &other)]);
            assert_eq!(
                (response.status(), response.body()),
                (200, b"[1,2]".as_slice()),
                "{other}"
            );
            assert_eq!(response.header_value("etag"), Some(tag.as_str()));
        }
        let lines = [("if-none-match", "\"x\""), ("If-None-Match", tag.as_str())];
        assert_eq!(ask(Method::Get, &lines).status(), 304, "lines are one list");
        assert_eq!(ask(Method::Post, &[("if-none-match", "*")]).status(), 200);
    }

    #[test]
    fn a_change_is_made_to_this_very_version_only() {
        let tag = tag();
        let status = |wanted: &str| ask(Method::Get, &[("if-match", wanted)]).status();
        assert_eq!(
            [status(&tag), status("*"), status(&format!("\"x\",{tag}"))],
            [200; 3]
        );
        assert_eq!(
            [status("\"x\""), status(&format!("W/{tag}"))],
            [412; 2],
            "weak is never the same"
        );
        let both = [("if-match", "\"x\""), ("if-none-match", tag.as_str())];
        assert_eq!(ask(Method::Get, &both).status(), 412, "if-match goes first");
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for wrong in [
            "",
            " ",
            ",",
            "x",
            "\"x",
            "x\"",
            "w/\"x\"",
            "W/x",
            "W/ \"x\"",
            "\"x\" \"y\"",
            "\"x\"y",
            "\"x y\"",
            "*, \"x\"",
            "\"x\", *",
            "**",
            "\"\u{7f}\"",
        ] {
            for name in ["if-match", "if-none-match"] {
                assert_eq!(
                    ask(Method::Get, &[(name, wrong)]).status(),
                    400,
                    "{name}: {wrong:?}"
                );
            }
        }
    }

    #[test]
    fn what_failed_has_no_version() {
        let request = Request::new(Method::Get, "/x").with_header("if-none-match", "*");
        let response = Response::from(Problem::not_found("page"))
            .conditional(&request)
            .unwrap();
        assert_eq!((response.status(), response.header_value("etag")), (404, None));
    }
}
