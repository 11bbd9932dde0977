//! The API's document and the routes say the same.

use expect_test::expect_file;
use payment::http::{ROUTES, document};
use web::{Code, Method, READY_PATH, Request, find};

#[test]
fn the_document_names_every_route_and_no_other() {
    assert_eq!(openapi::compare(&document(), ROUTES), Vec::<String>::new());
}

#[test]
fn the_file_that_is_served_is_the_document() {
    expect_file!["../openapi.json"].assert_eq(&document().render());
}

#[test]
fn readiness_is_no_page_of_the_api() {
    let asked = find(ROUTES, &Request::new(Method::Get, READY_PATH));
    assert_eq!(asked.unwrap_err().code(), Code::NotFound);
    assert!(!document().render().contains(READY_PATH));
}
