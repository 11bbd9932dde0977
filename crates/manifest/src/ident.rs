//! Spin's rules for names in a manifest.

/// Checks a component id: `-` between words, each of letters of one case and digits.
pub(crate) fn kebab(text: &str) -> Result<(), String> {
    words(text, '-', true)
}

/// Checks a variable's name: `_` between words of lower-case letters and digits.
pub(crate) fn lower_snake(text: &str) -> Result<(), String> {
    words(text, '_', false)
}

/// Checks the label of a store or database, which may be written either way.
pub(crate) fn label(text: &str) -> Result<(), String> {
    kebab(text).or_else(|reason| words(text, '_', true).map_err(|_| reason))
}

fn words(text: &str, separator: char, upper_allowed: bool) -> Result<(), String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    text.split(separator)
        .try_for_each(|text| word(text, separator, upper_allowed))
}

fn word(word: &str, separator: char, upper_allowed: bool) -> Result<(), String> {
    let Some(first) = word.chars().next() else {
        return Err(format!("`{separator}` needs a word on both sides"));
    };
    if !first.is_ascii_alphabetic() {
        return Err(format!(
            "each word starts with a letter a-z, but one starts with `{first}`"
        ));
    }
    if let Some(wrong) = word.chars().find(|letter| !letter.is_ascii_alphanumeric()) {
        return Err(format!(
            "only letters a-z, digits and `{separator}` are allowed, not `{wrong}`"
        ));
    }
    let upper = word.chars().filter(char::is_ascii_uppercase).count();
    let lower = word.chars().filter(char::is_ascii_lowercase).count();
    match (upper, lower) {
        (0, _) => Ok(()),
        (_, 0) if upper_allowed => Ok(()),
        _ if upper_allowed => Err(format!("`{word}` mixes upper and lower case")),
        _ => Err(format!("`{word}` has capitals, only lower case is allowed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn reason(result: Result<(), String>) -> String {
        result.err().unwrap_or_else(|| "fine".to_owned())
    }

    #[test]
    fn component_ids_are_words_with_hyphens() {
        let check = |text: &str, expected: Expect| expected.assert_eq(&reason(kebab(text)));
        for fine in ["a", "stock", "fake-pg", "a1-b2", "HTTP-client", "x-Y9"] {
            assert_eq!(kebab(fine), Ok(()), "{fine}");
        }
        check("", expect!["it is empty"]);
        check(
            "fake_pg",
            expect!["only letters a-z, digits and `-` are allowed, not `_`"],
        );
        check("fake--pg", expect!["`-` needs a word on both sides"]);
        check("pg-", expect!["`-` needs a word on both sides"]);
        check(
            "1st",
            expect!["each word starts with a letter a-z, but one starts with `1`"],
        );
        check("fakePg", expect!["`fakePg` mixes upper and lower case"]);
        check(
            "재고",
            expect!["each word starts with a letter a-z, but one starts with `재`"],
        );
    }

    #[test]
    fn variables_are_lower_case_words_with_underscores() {
        let check = |text: &str, expected: Expect| expected.assert_eq(&reason(lower_snake(text)));
        for fine in ["a", "jwt_keys", "a1_b2"] {
            assert_eq!(lower_snake(fine), Ok(()), "{fine}");
        }
        check(
            "jwt-keys",
            expect!["only letters a-z, digits and `_` are allowed, not `-`"],
        );
        check("JWT", expect!["`JWT` has capitals, only lower case is allowed"]);
        check(
            "a_1",
            expect!["each word starts with a letter a-z, but one starts with `1`"],
        );
        check("_a", expect!["`_` needs a word on both sides"]);
    }

    #[test]
    fn labels_are_written_either_way_but_not_both() {
        assert_eq!(
            (label("my-db"), label("my_db"), label("default")),
            (Ok(()), Ok(()), Ok(()))
        );
        assert!(label("my_own-db").is_err());
    }
}
