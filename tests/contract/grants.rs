//! What `spin.toml` grants a component, against what its `.wasm` imports.

use std::collections::BTreeMap;

use toml::Value;

use crate::interfaces::Interfaces;

/// Imports by their beginning, and the key in the manifest without which they are refused.
const NEEDS: &[(&str, &str)] = &[
    ("spin:sqlite/", "sqlite_databases"),
    ("fermyon:spin/sqlite@", "sqlite_databases"),
    ("spin:key-value/", "key_value_stores"),
    ("fermyon:spin/key-value@", "key_value_stores"),
    ("wasi:keyvalue/", "key_value_stores"),
    ("wasi:http/outgoing-handler@", "allowed_outbound_hosts"),
    ("spin:postgres/", "allowed_outbound_hosts"),
    ("fermyon:spin/postgres@", "allowed_outbound_hosts"),
    ("fermyon:spin/mysql@", "allowed_outbound_hosts"),
    ("fermyon:spin/redis@", "allowed_outbound_hosts"),
    ("fermyon:spin/mqtt@", "allowed_outbound_hosts"),
    ("fermyon:spin/variables@", "variables"),
    ("wasi:config/", "variables"),
    ("fermyon:spin/llm@", "ai_models"),
];

/// Imports that need no grant: they tell the time, draw random numbers, hold the request.
/// Files and sockets are among them since every program of this target imports them; without a grant
/// there is no file to open, and no address to reach.
const FREE: &[&str] = &[
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:http/types@",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

/// Packages of types only, which nobody has to provide.
/// The last two are what a world takes from an interface by name.
const TYPES: &[&str] = &[
    "shop:types/",
    "shop:events/",
    "fermyon:spin-cron/cron-types@",
    "fermyon:spin/redis-types",
    "error",
    "metadata",
];

/// Grants that a component is denied on purpose though it imports what needs them, and why that is well.
const DENIED: &[(&str, &str, &str)] = &[
    ("stock", "key_value_stores", ADAPTER),
    ("payment", "key_value_stores", ADAPTER),
];

/// Why the adapters that stand in the place of stock and payment as routes hold no breaker.
const ADAPTER: &str = "there it only hands pages on, and the gateway in front of it has a breaker";

/// Everything that is wrong about what `component` of the manifest, called `name`, may do.
pub(crate) fn wrong(name: &str, component: &Value, built: &BTreeMap<String, Interfaces>) -> Vec<String> {
    let Some(own) = source(component).and_then(|source| built.get(source)) else {
        return vec![format!("{name}: its source is none of the components built here")];
    };
    let dependencies = Dependencies::of(component, built);
    let mut wrong = Vec::new();
    for import in &own.imports {
        if starts_with_any(import, FREE) || starts_with_any(import, TYPES) {
            continue;
        }
        match need(import) {
            Some(key) if is_denied(name, key) => {}
            Some(key) if !is_granted(component, key) => {
                wrong.push(format!("{name} imports {import} but has no {key}"))
            }
            Some(_) => {}
            None if dependencies.satisfies(import) => {}
            None => wrong.push(format!("{name} imports {import}, which nothing gives it")),
        }
    }
    for (dependency, inherited) in &dependencies.inherits {
        for key in inherited.iter().filter(|key| !is_granted(component, key)) {
            wrong.push(format!("{name} hands {key} on to {dependency} without having it"));
        }
    }
    for key in keys().filter(|key| is_granted(component, key)) {
        let own_use = own.imports.iter().any(|import| need(import) == Some(key));
        if !own_use && !dependencies.use_inherited(key, built) {
            wrong.push(format!("{name} is granted {key} and has no use for it"));
        }
    }
    for import in dependencies
        .sources
        .keys()
        .filter(|import| !own.imports.contains(import.as_str()))
    {
        wrong.push(format!(
            "{name} has a dependency for {import}, which it does not import"
        ));
    }
    wrong
}

/// The manifest's dependencies of one component.
struct Dependencies {
    /// By import, the component that satisfies it.
    sources: BTreeMap<String, String>,
    /// By import, the keys it inherits.
    inherits: BTreeMap<String, Vec<String>>,
    /// Everything that the files named for them export.
    exports: Vec<String>,
}

impl Dependencies {
    fn of(component: &Value, built: &BTreeMap<String, Interfaces>) -> Dependencies {
        let table = component.get("dependencies").and_then(Value::as_table);
        let (mut sources, mut inherits, mut exports) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (import, dependency) in table.into_iter().flatten() {
            let Some(source) = dependency.get("path").and_then(Value::as_str).and_then(stem) else {
                continue;
            };
            let words = dependency.get("inherit_configuration").and_then(Value::as_array);
            let words = words
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned);
            sources.insert(import.clone(), source.to_owned());
            inherits.insert(import.clone(), words.collect());
            exports.extend(
                built
                    .get(source)
                    .into_iter()
                    .flat_map(|built| built.exports.iter().cloned()),
            );
        }
        Dependencies {
            sources,
            inherits,
            exports,
        }
    }

    /// Whether an import is named, and the file named for it exports it.
    fn satisfies(&self, import: &str) -> bool {
        self.sources.contains_key(import) && self.exports.iter().any(|export| export == import)
    }

    /// Whether some dependency inherits `key` and imports what needs it.
    fn use_inherited(&self, key: &str, built: &BTreeMap<String, Interfaces>) -> bool {
        self.inherits.iter().any(|(import, keys)| {
            let interfaces = built.get(&self.sources[import]);
            let imports = interfaces.into_iter().flat_map(|interfaces| &interfaces.imports);
            keys.iter().any(|inherited| inherited == key)
                && imports.into_iter().any(|import| need(import) == Some(key))
        })
    }
}

fn source(component: &Value) -> Option<&str> {
    component.get("source").and_then(Value::as_str).and_then(stem)
}

/// `target/components/NAME.wasm` → `NAME`.
fn stem(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.strip_suffix(".wasm")
}

fn need(import: &str) -> Option<&'static str> {
    NEEDS
        .iter()
        .find(|(start, _)| import.starts_with(start))
        .map(|(_, key)| *key)
}

fn keys() -> impl Iterator<Item = &'static str> {
    [
        "ai_models",
        "allowed_outbound_hosts",
        "key_value_stores",
        "sqlite_databases",
        "variables",
    ]
    .into_iter()
}

fn is_granted(component: &Value, key: &str) -> bool {
    match component.get(key) {
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Table(table)) => !table.is_empty(),
        _ => false,
    }
}

fn is_denied(name: &str, key: &str) -> bool {
    DENIED
        .iter()
        .any(|(denied, what, _)| *denied == name && *what == key)
}

fn starts_with_any(name: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
fn check(manifest: &str, built: &[(&str, &[&str], &[&str])], expected: &[&str]) {
    let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
    let all = built.iter().map(|(name, imports, exports)| {
        (
            (*name).to_owned(),
            Interfaces {
                imports: names(imports),
                exports: names(exports),
            },
        )
    });
    let component: toml::Table = manifest.parse().unwrap();
    let found = wrong("a", &Value::Table(component), &all.collect());
    assert_eq!(found, expected, "{manifest}");
}

#[test]
fn an_import_without_its_grant_and_a_grant_without_its_use_are_found() {
    let a: (&str, &[&str], &[&str]) = ("a", &["spin:sqlite/sqlite@3.0.0", "wasi:io/poll@0.2.6"], &[]);
    let source = "source = \"target/components/a.wasm\"\n";
    check(&format!("{source}sqlite_databases = [\"a\"]"), &[a], &[]);
    check(
        source,
        &[a],
        &["a imports spin:sqlite/sqlite@3.0.0 but has no sqlite_databases"],
    );
    let idle = "a is granted key_value_stores and has no use for it";
    check(
        &format!("{source}sqlite_databases = [\"a\"]\nkey_value_stores = [\"b\"]"),
        &[a],
        &[idle],
    );
    check(
        "source = \"b.wasm\"",
        &[a],
        &["a: its source is none of the components built here"],
    );
}

#[test]
fn an_import_is_satisfied_only_by_a_dependency_that_exports_it() {
    let b = "shop:b/b@0.1.0";
    let source = "source = \"a.wasm\"\n";
    let on_b = format!(
        "{source}[dependencies]\n\"{b}\" = {{ path = \"b.wasm\", inherit_configuration = [\"variables\"] }}"
    );
    let with_variables = on_b.replace("[dep", "[variables]\nx = \"y\"\n[dep");
    let variables: &[&str] = &["fermyon:spin/variables@2.0.0"];
    check(&with_variables, &[("a", &[b], &[]), ("b", variables, &[b])], &[]);
    check(
        &on_b,
        &[("a", &[b], &[]), ("b", variables, &[b])],
        &["a hands variables on to shop:b/b@0.1.0 without having it"],
    );
    check(
        source,
        &[("a", &[b], &[])],
        &["a imports shop:b/b@0.1.0, which nothing gives it"],
    );
    let unmet = "a imports shop:b/b@0.1.0, which nothing gives it";
    check(
        &with_variables,
        &[("a", &[b], &[]), ("b", variables, &[])],
        &[unmet],
    );
    let idle = "a is granted variables and has no use for it";
    let needless = "a has a dependency for shop:b/b@0.1.0, which it does not import";
    check(
        &with_variables,
        &[("a", &[], &[]), ("b", &[], &[b])],
        &[idle, needless],
    );
}
