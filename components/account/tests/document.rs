//! The API's document and the routes say the same.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

use account::domain::{Email, Name, Password, Phone, SearchText};
use account::http::{ROUTES, document};
use expect_test::expect_file;
use proptest::prelude::*;
use regex::Regex;

#[test]
fn the_document_names_every_route_and_no_other() {
    assert_eq!(openapi::compare(&document(), ROUTES), Vec::<String>::new());
}

#[test]
fn the_file_that_is_served_is_the_document() {
    expect_file!["../openapi.json"].assert_eq(&document().render());
}

/// What tells one rule from another, and what passes only some of them; weighted towards what passes.
fn letters(most: usize) -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        6 => prop::sample::select(vec!['a', 'Z', '0', '7', '가', 'é', '@', '.', '-', '+', '_']),
        2 => prop::sample::select(vec![' ', '\t', '\n', '\0', '\u{85}', '\u{a0}', '\u{200b}', '\u{3000}', '\u{feff}']),
        1 => any::<char>(),
    ];
    prop::collection::vec(letter, 0..most).prop_map(String::from_iter)
}

fn agree(pattern: &str, least: u32, most: u32, text: &str, taken: bool) -> Result<(), TestCaseError> {
    let fits = (least as usize..=most as usize).contains(&text.chars().count());
    let matches = Regex::new(pattern).unwrap().is_match(text);
    prop_assert_eq!(fits && matches, taken, "{:?}", text);
    Ok(())
}

proptest! {
    #[test]
    fn the_schemas_allow_exactly_what_is_taken(text in letters(14), long in letters(140)) {
        agree(Email::PATTERN, 0, Email::MAX_CHARS, &text, Email::parse(&text).is_ok())?;
        agree(Phone::PATTERN, 0, u32::MAX, &text, Phone::parse(&text).is_ok())?;
        for text in [text, long] {
            agree(Name::PATTERN, 1, Name::MAX_CHARS, &text, Name::parse(&text).is_ok())?;
            agree(SearchText::PATTERN, 0, SearchText::MAX_CHARS, &text, SearchText::parse(&text).is_ok())?;
            let password = Password::parse(text.clone()).is_ok();
            agree(Password::PATTERN, Password::MIN_CHARS, Password::MAX_CHARS, &text, password)?;
        }
    }

    #[test]
    fn an_address_or_a_number_that_fits_is_taken(
        email in "[ \\t\\r\\n]{0,2}[a-z.+]{1,9}@([a-z0-9-]{1,4}\\.){1,3}[a-z-]{1,3}[ \\n]{0,2}",
        phone in " ?\\+?[0-9-]{1,18}\\n?",
    ) {
        agree(Email::PATTERN, 0, Email::MAX_CHARS, &email, Email::parse(&email).is_ok())?;
        agree(Phone::PATTERN, 0, u32::MAX, &phone, Phone::parse(&phone).is_ok())?;
    }
}
