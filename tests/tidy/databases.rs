//! Components share contracts, never tables: each opens the one database that is its own.

use crate::Finding;
use crate::tree::File;

/// The databases whose label is not the component's name.
const OTHER_LABELS: &[(&str, &str)] = &[("fake-pg", "pg")];

/// Complaints about the databases that components open: `const DATABASE` is the component's own label, and
/// nothing else is ever opened.
fn findings(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let Some(component) = component_of(&file.path) else {
            continue;
        };
        let own = OTHER_LABELS
            .iter()
            .find(|(name, _)| *name == component)
            .map_or(component, |(_, label)| label);
        for (number, line) in file.lines() {
            let declared = line.strip_prefix("const DATABASE: &str = ");
            if declared.is_some_and(|label| label != format!("\"{own}\";")) {
                findings.push(Finding::new(
                    &file.path,
                    number,
                    format!("the database of {component} is `{own}`"),
                ));
            }
            let opened = line.split("store::open(").nth(1);
            // With one argument it is a key-value store that is opened.
            if opened.is_some_and(|arguments| arguments.contains(',') && !arguments.starts_with("DATABASE,"))
            {
                findings.push(Finding::new(
                    &file.path,
                    number,
                    "open `DATABASE`, the component's own",
                ));
            }
        }
    }
    findings
}

/// The component whose source this is.
fn component_of(path: &str) -> Option<&str> {
    let (component, rest) = path.strip_prefix("components/")?.split_once('/')?;
    (rest.starts_with("src/") && rest.ends_with(".rs")).then_some(component)
}

#[test]
fn every_component_opens_its_own_database() {
    crate::expect_none(&findings(&crate::tree::files()));
}

#[test]
fn another_components_database_is_found() {
    let check = |path: &str, text: &str| crate::lines(&findings(&[File::new(path, text)]));
    let order = "components/order/src/component.rs";
    let good = "const DATABASE: &str = \"order\";\nlet db = store::open(DATABASE, MIGRATIONS);";
    assert_eq!(check(order, good), [0usize; 0]);
    assert_eq!(check(order, "const DATABASE: &str = \"stock\";"), [1]);
    assert_eq!(check(order, "\nstore::open(\"stock\", MIGRATIONS)"), [2]);
    assert_eq!(
        check(
            "components/fake-pg/src/component.rs",
            "const DATABASE: &str = \"fake-pg\";"
        ),
        [1]
    );
}
