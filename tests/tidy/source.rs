//! Rust source without what rules about code should not see: comments, strings, tests.

/// `text` with comments blanked, and string contents too unless `strings` are asked for; everything
/// from a `#[cfg(test)] mod` on is left out, since tests stand at the end. Line numbers stay.
pub(crate) fn code(text: &str, strings: bool) -> String {
    let body = without_tests(text);
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(first) = rest.chars().next() {
        let (token, keep) = token(rest, first);
        if keep || (strings && !token.starts_with('/')) {
            out.push_str(token);
        } else {
            out.extend(token.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = &rest[token.len()..];
    }
    out
}

/// The next piece of source, and whether it is code.
fn token(rest: &str, first: char) -> (&str, bool) {
    let length = match first {
        '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
        '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
        '"' => quoted(rest, 1),
        'r' if rest.starts_with("r\"") => rest[2..].find('"').map_or(rest.len(), |at| at + 3),
        'r' if rest.starts_with("r#\"") => rest[3..].find("\"#").map_or(rest.len(), |at| at + 5),
        '\'' => return (&rest[..character(rest)], true),
        c if c.is_alphanumeric() || c == '_' => {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            return (&rest[..end], true);
        }
        c => return (&rest[..c.len_utf8()], true),
    };
    (&rest[..length], false)
}

/// The length of a string literal whose quote ends at `from`.
fn quoted(text: &str, from: usize) -> usize {
    let mut escaped = false;
    for (at, c) in text[from..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return from + at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal, so that `'"'` opens no string; one for a lifetime's tick.
fn character(rest: &str) -> usize {
    let mut inside = rest[1..].chars();
    match (inside.next(), inside.next()) {
        (Some('\\'), _) => rest[3..].find('\'').map_or(1, |at| at + 4),
        (Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => 1,
    }
}

fn without_tests(text: &str) -> &str {
    let mut offset = 0;
    let mut marked = None;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed == "#[cfg(test)]" {
            marked = Some(offset);
        } else if let (Some(at), true) = (marked, trimmed.starts_with("mod ") && trimmed.ends_with('{')) {
            return &text[..at];
        } else if !trimmed.starts_with("#[") {
            marked = None;
        }
        offset += line.len();
    }
    text
}

/// Whether `word` occurs in `line` as a word, not as part of a longer name.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let joined = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let goes_on_before = word.starts_with(joined) && line[..at].ends_with(joined);
        let goes_on_after = word.ends_with(joined) && line[at + word.len()..].starts_with(joined);
        !goes_on_before && !goes_on_after
    })
}

#[test]
fn comments_strings_and_tests_are_not_code() {
    let text = "a // b\n/* c\nc */ let d = \"e \\\" f\"; '\"' g<'h>\nr#\"i \" i\"#\n#[cfg(test)]\nmod tests {\n j\n}\n";
    let code = code(text, false);
    let words: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(words, ["a", "let", "d", "=", ";", "'\"'", "g<'h>"]);
    assert_eq!(code.lines().count(), 4);
}

#[test]
fn strings_stay_when_asked_for() {
    assert_eq!(
        code("x(\"select // 1\"); // y", true).trim(),
        "x(\"select // 1\");"
    );
}

#[test]
fn words_are_whole() {
    assert!(has_word("use serde::Serialize;", "serde"));
    assert!(!has_word("fn serde_of()", "serde"));
    assert!(has_word("a.await?", ".await"));
    assert!(has_word("web::x", "web::"));
    assert!(!has_word("cobweb::x", "web::"));
}
