//! Which media types a client accepts (RFC 9110 §12.5.1).
//!
//! What can't be read is taken as no wish at all, which the RFC allows: a clumsy client is better served with an
//! answer than with a lesson. Parameters of media types are passed over, since none of ours has any that matter.

use web::{Code, Problem};

use crate::headers::{Headers, values};

/// The first of the media types on offer that the client likes best; refused when it accepts none of them.
///
/// Problems are no offer: they are sent as `application/problem+json` whatever is accepted, so a client that
/// accepts nothing else has asked for no answer that we have.
pub fn preferred<'a>(headers: &Headers, offers: &[&'a str]) -> Result<&'a str, Problem> {
    let ranges = ranges(headers);
    let rated = offers
        .iter()
        .map(|offer| (*offer, quality(ranges.as_deref(), offer)));
    let best = rated
        .filter(|(_, quality)| *quality > 0)
        .reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(offer, _)| offer).ok_or_else(|| {
        let detail = format!("this path answers {}", offers.join(", "));
        Problem::new(Code::NotAcceptable, detail)
    })
}

/// What a client says of some media types.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    /// In lower case: `text/html`, `text/*`, `*/*`.
    name: String,
    /// How much it likes them, in thousandths; 0 means not at all.
    quality: u16,
}

impl Range {
    /// How closely it names a media type, if it names it at all.
    fn closeness(&self, media_type: &str) -> Option<u8> {
        let family = media_type.split('/').next().unwrap_or("");
        match self.name.split_once('/') {
            _ if self.name == media_type => Some(2),
            Some((name, "*")) if name == family => Some(1),
            Some(("*", "*")) => Some(0),
            _ => None,
        }
    }
}

/// What the closest range says; without any wish everything is as good.
fn quality(ranges: Option<&[Range]>, media_type: &str) -> u16 {
    let Some(ranges) = ranges else {
        return 1_000;
    };
    let fitting = ranges
        .iter()
        .filter_map(|range| Some((range.closeness(media_type)?, range.quality)));
    fitting.max().map_or(0, |(_, quality)| quality)
}

/// All lines are one list. None: there is no wish, or none that can be read.
fn ranges(headers: &Headers) -> Option<Vec<Range>> {
    let list = values(headers, "accept").join(&b","[..]);
    let list = std::str::from_utf8(&list).ok()?;
    let elements = split(list, ',')?;
    let elements = elements.iter().map(|element| element.trim_matches(is_blank));
    let ranges: Option<Vec<Range>> = elements
        .filter(|element| !element.is_empty())
        .map(range)
        .collect();
    ranges.filter(|ranges| !ranges.is_empty())
}

fn range(text: &str) -> Option<Range> {
    let parts = split(text, ';')?;
    let (name, parameters) = parts.split_first()?;
    let name = name.trim_matches(is_blank).to_ascii_lowercase();
    let (family, kind) = name.split_once('/')?;
    if !is_token(family) || !is_token(kind) || (family == "*" && kind != "*") {
        return None;
    }
    let mut quality = 1_000;
    for parameter in parameters.iter().map(|text| text.trim_matches(is_blank)) {
        match parameter.split_once('=') {
            Some((q, value)) if q.eq_ignore_ascii_case("q") => quality = thousandths(value)?,
            Some((name, _)) if is_token(name) => {}
            None if parameter.is_empty() || is_token(parameter) => {}
            _ => return None,
        }
    }
    Some(Range { name, quality })
}

/// `0`, `0.5`, `0.125`, `1`, `1.000` and nothing else.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() > 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{digits:0<3}").parse().ok()?;
    match (whole, part) {
        ("0", part) => Some(part),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

/// The parts between separators outside of quotes; none when a quote stays open.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped, mut begin) = (false, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == separator && !quoted => {
                parts.push(&text[begin..at]);
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    (!quoted).then_some(parts)
}

fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(lines: &[&str], offers: &[&'static str]) -> Option<&'static str> {
        let line = |line: &&str| ("Accept".to_owned(), line.as_bytes().to_vec());
        preferred(&lines.iter().map(line).collect(), offers).ok()
    }

    fn takes_json(lines: &[&str]) -> bool {
        chosen(lines, &["application/json"]).is_some()
    }

    #[test]
    fn who_accepts_json_in_any_way_gets_it() {
        for accept in [
            "*/*",
            "application/json",
            "Application/JSON",
            "application/*",
            "application/json; charset=utf-8",
            "application/json;version=\"a,b;c\\\"d\";q=0.001",
            "text/html, application/json;q=0.1",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "application/*;q=0, application/json",
            "application/json, */*;q=0",
            "application/json;q=0, application/json;v=1",
            "text/plain,\t,application/json ; Q=1.000",
        ] {
            assert!(takes_json(&[accept]), "{accept}");
        }
        assert!(
            takes_json(&["text/html", "application/json"]),
            "lines are one list"
        );
        assert!(takes_json(&[]));
    }

    #[test]
    fn who_leaves_json_out_does_not() {
        for accept in [
            "text/html",
            "application/xml",
            "application/problem+json",
            "text/*",
            "application/json;q=0",
            "application/json;q=0.000, */*",
            "application/*;q=0, */*",
            "*/*;q=0",
            "application/jsonp",
            "text/html;q=0.5, application/json;charset=utf-8;q=0",
        ] {
            assert!(!takes_json(&[accept]), "{accept}");
        }
        assert!(!takes_json(&["text/html", "text/plain"]));
    }

    #[test]
    fn what_can_not_be_read_is_no_wish() {
        for accept in [
            "",
            " , ",
            "*",
            "text",
            "*/html",
            "text/html, image/gif, *; q=.2",
            "text/html;q=2",
            "text/html;q=1.1",
            "text/html;q=0.1234",
            "text/html;q=",
            "text/html;q=-1",
            "text/html;v=\"open",
            "text/ html",
            "text/html;=x",
            "text/h\u{e9}ml",
        ] {
            assert!(takes_json(&[accept]), "{accept}");
        }
        let raw = vec![("accept".to_owned(), b"text/\xff".to_vec())];
        assert!(preferred(&raw, &["application/json"]).is_ok());
    }

    #[test]
    fn the_best_liked_offer_is_taken_and_the_first_of_equals() {
        let chosen = |accept| chosen(&[accept], &["text/html", "application/json"]);
        assert_eq!(chosen("*/*"), Some("text/html"));
        assert_eq!(chosen("application/json"), Some("application/json"));
        assert_eq!(
            chosen("application/json, text/html;q=0.9"),
            Some("application/json")
        );
        assert_eq!(chosen("application/json, */*;q=0.9"), Some("application/json"));
        assert_eq!(chosen("text/*;q=0.2, application/*;q=0.1"), Some("text/html"));
        assert_eq!(chosen("text/html;q=0, */*;q=0.1"), Some("application/json"));
        assert_eq!(chosen("image/png"), None);
    }
}
