//! Every component has our tables in its own migrations, word for word.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod bench;

use std::path::Path;

use bench::{CONSUMING, PRODUCING};
use relay::{inbox, outbox};

store_suite::also_on_postgres!();

/// Complaints about a migration file called `name` with this text.
fn complaint(name: &str, text: &str) -> Option<String> {
    let wanted = match name.split_once('_')?.1 {
        "create_relay.sql" => outbox::SCHEMA,
        "create_inbox.sql" => inbox::SCHEMA,
        "add_outbox_traceparent.sql" => outbox::TRACEPARENT,
        "add_dead_letter_dismissal.sql" => inbox::DISMISSAL,
        _ => return None,
    };
    (text != wanted).then(|| format!("{name} is not the text in crates/relay/schema"))
}

#[test]
fn the_migrations_may_be_trusted() {
    store_suite::assert_migrations(PRODUCING);
    store_suite::assert_migrations(CONSUMING);
}

#[test]
fn every_component_has_the_same_text() {
    let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../components");
    let mut complaints = Vec::new();
    for component in std::fs::read_dir(components).unwrap() {
        let Ok(files) = std::fs::read_dir(component.unwrap().path().join("migrations")) else {
            continue;
        };
        for file in files {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy();
            complaints.extend(complaint(&name, &text).map(|why| format!("{}: {why}", path.display())));
        }
    }
    assert_eq!(complaints, [""; 0]);
}

#[test]
fn another_text_is_found() {
    assert_eq!(complaint("0004_create_relay.sql", outbox::SCHEMA), None);
    assert_eq!(complaint("0004_create_outbox.sql", ""), None);
    assert!(complaint("0004_create_relay.sql", inbox::SCHEMA).is_some());
    assert!(complaint("0001_create_inbox.sql", &format!("{}\n", inbox::SCHEMA)).is_some());
}
