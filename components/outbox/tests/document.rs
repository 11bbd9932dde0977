//! The API's document and the routes say the same.

use expect_test::expect_file;
use outbox::http::{ROUTES, document};

#[test]
fn the_document_names_every_route_and_no_other() {
    assert_eq!(openapi::compare(&document(), ROUTES), Vec::<String>::new());
}

#[test]
fn the_file_that_is_served_is_the_document() {
    expect_file!["../openapi.json"].assert_eq(&document().render());
}
