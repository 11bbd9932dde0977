//! `spin.toml` and the manifests of `deploy/remote` against the tree: a misspelt name in them is silently nothing to Spin.

use manifest::Capability;
use toml::{Table, Value};

use crate::Finding;
use crate::tree::File;

/// The shop as one app, and as three.
pub(crate) const MANIFESTS: [&str; 4] = [
    "spin.toml",
    "deploy/remote/order.toml",
    "deploy/remote/stock.toml",
    "deploy/remote/payment.toml",
];

/// Complaints about a manifest, given the databases that the runtime configuration knows and the
/// components there are.
fn findings(manifest: &File, databases: &[String], components: &[String]) -> Vec<Finding> {
    let table: Table = match manifest.text.parse() {
        Ok(table) => table,
        Err(error) => return vec![Finding::new(&manifest.path, 1, error.to_string())],
    };
    let artefacts = format!(
        "{}target/components/",
        "../".repeat(manifest.path.matches('/').count())
    );
    let mut findings = Vec::new();
    let mut complain = |needle: &str, why: String| {
        findings.push(Finding::new(&manifest.path, line_of(&manifest.text, needle), why));
    };
    let Some(declared) = table.get("component").and_then(Value::as_table) else {
        return vec![Finding::new(&manifest.path, 1, "there are no components")];
    };
    for (name, component) in declared {
        let sources = dependencies(component).filter_map(|(_, dependency)| dependency.get("path"));
        for source in sources.chain(component.get("source")).filter_map(Value::as_str) {
            let built = source
                .strip_prefix(artefacts.as_str())
                .and_then(|file| file.strip_suffix(".wasm"));
            let of_a_folder = |built: &str| {
                let variants = ["", "-whole", "-remote"];
                let folders = variants.iter().filter_map(|variant| built.strip_suffix(variant));
                folders
                    .into_iter()
                    .any(|folder| components.iter().any(|component| component == folder))
            };
            if !built.is_some_and(of_a_folder) {
                complain(
                    source,
                    format!("{name}: `{source}` is not what any folder of components/ becomes"),
                );
            }
        }
        for label in words(component.get("sqlite_databases")) {
            if !databases.iter().any(|known| known == label) {
                complain(
                    &format!("\"{label}\""),
                    format!("{name}: runtime-config.toml has no database `{label}`"),
                );
            }
        }
        for host in words(component.get("allowed_outbound_hosts")) {
            let address = with_defaults(host, table.get("variables"));
            if address.is_some_and(|address| lacks_port(&address)) {
                complain(
                    host,
                    format!("{name}: by default `{host}` has no port, and Spin refuses the whole manifest"),
                );
            }
        }
        for (import, dependency) in dependencies(component) {
            for word in words(dependency.get("inherit_configuration")) {
                if !Capability::ALL.iter().any(|capability| capability.name() == word) {
                    complain(
                        &format!("\"{word}\""),
                        format!("{import}: there is no capability `{word}`"),
                    );
                }
            }
        }
    }
    findings
}

fn dependencies(component: &Value) -> impl Iterator<Item = (&String, &Value)> {
    component
        .get("dependencies")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
}

fn words(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// A template of one variable with its default value; none when it has no default.
fn with_defaults(template: &str, variables: Option<&Value>) -> Option<String> {
    let inside = template
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"));
    let Some(name) = inside else {
        return Some(template.to_owned());
    };
    let default = variables?.get(name.trim())?.get("default")?;
    default.as_str().map(str::to_owned)
}

/// Whether Spin does not know to which port this leads.
fn lacks_port(address: &str) -> bool {
    const KNOWN: [&str; 6] = ["http", "https", "mqtt", "mysql", "postgres", "redis"];
    let split = address.split_once("://");
    split.is_some_and(|(scheme, place)| !KNOWN.contains(&scheme) && !place.contains(':'))
}

fn line_of(text: &str, needle: &str) -> usize {
    text.lines()
        .position(|line| line.contains(needle))
        .map_or(1, |index| index + 1)
}

#[test]
fn the_manifest_names_only_what_there_is() {
    let files = crate::tree::files();
    let named = |path: &str| {
        files
            .iter()
            .find(|file| file.path == path)
            .unwrap_or_else(|| panic!("there is no {path}"))
    };
    let runtime: Table = named("runtime-config.toml")
        .text
        .parse()
        .expect("runtime-config.toml is TOML");
    let databases = runtime
        .get("sqlite_database")
        .and_then(Value::as_table)
        .expect("it names databases");
    let databases: Vec<String> = databases.keys().cloned().collect();
    let components = crate::tree::components();
    for path in MANIFESTS {
        crate::expect_none(&findings(named(path), &databases, &components));
    }
}

#[test]
fn a_name_that_means_nothing_is_found() {
    let text = "\
[component.a]
source = \"target/components/b.wasm\"
sqlite_databases = [\"a\", \"x\"]
[component.a.dependencies]
\"shop:a/a@0.1.0\" = { path = \"elsewhere/a.wasm\", inherit_configuration = [\"variables\", \"sqlite_database\"] }
[component.c]
source = \"target/components/a.wasm\"
allowed_outbound_hosts = [\"{{ bad }}\", \"{{ good }}\", \"{{ none }}\", \"redis://a\"]
[variables]
bad = { default = \"local://a\" }
good = { default = \"local://a:0\" }
none = { required = true }
";
    let found = findings(
        &File::new("spin.toml", text),
        &["a".to_owned()],
        &["a".to_owned()],
    );
    let mut lines = crate::lines(&found);
    lines.sort_unstable();
    assert_eq!(lines, [2, 3, 5, 5, 8]);
    let deeper = File::new(
        "deploy/x/a.toml",
        "[component.a]\nsource = \"../../target/components/a-remote.wasm\"",
    );
    assert!(findings(&deeper, &[], &["a".to_owned()]).is_empty());
    assert_eq!(
        findings(&File::new("spin.toml", &deeper.text), &[], &["a".to_owned()]).len(),
        1
    );
    assert_eq!(findings(&File::new("spin.toml", "= 1"), &[], &[]).len(), 1);
    assert_eq!(findings(&File::new("spin.toml", ""), &[], &[]).len(), 1);
}
