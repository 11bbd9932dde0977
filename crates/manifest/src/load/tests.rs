//! What is read, and every complaint as its reader sees it.

mod checks;
mod reading;
mod shape;

use crate::*;
use expect_test::Expect;
use std::path::Path;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"shop\"\n";

fn parse(text: &str) -> Result<Manifest, FileError> {
    Manifest::parse(text, Path::new("shop/spin.toml"))
}

fn read(body: &str) -> Manifest {
    parse(&format!("{HEAD}{body}")).unwrap_or_else(|error| panic!("{error}"))
}

/// The body starts on line 4.
fn check(body: &str, expected: Expect) {
    check_whole(&format!("{HEAD}{body}"), expected);
}

fn check_whole(text: &str, expected: Expect) {
    let error = parse(text).err().map(|error| error.to_string());
    expected.assert_eq(error.as_deref().unwrap_or("fine"));
}
