//! Each built `.wasm` imports and exports exactly what it should, and is granted what it imports.
//!
//! `interfaces.txt` lists, per component, every import and export of the file that `spin.toml` names.
//! For a component that others are composed into at build time, the file before composition is listed as
//! well, as `NAME, alone`. After a change that is meant, write the list anew and read the difference:
//!
//! ```text
//! cargo xtask build && UPDATE_EXPECT=1 cargo test -p tests --test contract
//! ```

mod grants;
mod interfaces;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::interfaces::Interfaces;

/// The shop as one app, and as three.
const MANIFESTS: [&str; 4] = [
    "spin.toml",
    "deploy/remote/order.toml",
    "deploy/remote/stock.toml",
    "deploy/remote/payment.toml",
];

const LIST: &str = "contract/interfaces.txt";

/// A component as built: its name, and the bytes before and after composition.
struct Built {
    name: String,
    alone: Option<Vec<u8>>,
    whole: Vec<u8>,
}

#[test]
fn every_import_and_export_is_a_listed_one() {
    let actual = list(&interfaces());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(LIST);
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &actual).expect("the list can be written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let changes = difference(&expected, &actual);
    assert!(
        changes.is_empty(),
        "the components differ from tests/{LIST}:\n{}\nIf that is meant: UPDATE_EXPECT=1 cargo test -p tests --test contract",
        changes.join("\n")
    );
}

#[test]
fn what_is_imported_is_granted_and_what_is_granted_is_imported() {
    let interfaces = interfaces();
    let mut wrong = Vec::new();
    for path in MANIFESTS {
        let manifest = fs::read_to_string(root().join(path)).expect("the manifest is there");
        let manifest: Table = manifest.parse().expect("a manifest is TOML");
        let declared = manifest
            .get("component")
            .and_then(Value::as_table)
            .expect("it has components");
        assert!(!declared.is_empty());
        for (name, component) in declared {
            let found = grants::wrong(name, component, &interfaces);
            wrong.extend(found.into_iter().map(|why| format!("{path}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn a_domain_that_others_depend_on_exports_its_contract() {
    let interfaces = interfaces();
    for (name, contract) in [
        ("product", "shop:product/"),
        ("stock", "shop:stock/"),
        ("payment", "shop:payment/"),
        ("cart", "shop:cart/"),
        ("order-whole", "shop:order/jobs"),
        ("order-remote", "shop:order/jobs"),
        ("product-remote", "shop:product/"),
        ("stock-remote", "shop:stock/stock@"),
        ("payment-remote", "shop:payment/payment@"),
        ("payment-remote", "shop:payment/book@"),
        ("payment-remote", "shop:payment/jobs@"),
    ] {
        let exports = &interfaces[name].exports;
        assert!(
            exports.iter().any(|export| export.starts_with(contract)),
            "{name} exports {exports:?}"
        );
    }
}

#[test]
fn a_difference_names_the_component_and_the_interface() {
    let expected = "[a]\nimport x\nexport y\n\n[b]\nimport x\n";
    assert_eq!(difference(expected, expected), Vec::<String>::new());
    let actual = "[a]\nimport x\n\n[b]\nimport x\nimport z\n";
    assert_eq!(difference(expected, actual), ["- a: export y", "+ b: import z"]);
}

/// The interfaces of every component, by its name in the list.
fn interfaces() -> BTreeMap<String, Interfaces> {
    let mut all = BTreeMap::new();
    for built in built() {
        if let Some(alone) = &built.alone {
            all.insert(format!("{}, alone", built.name), read(&built.name, alone));
        }
        all.insert(built.name.clone(), read(&built.name, &built.whole));
    }
    all
}

fn read(name: &str, bytes: &[u8]) -> Interfaces {
    Interfaces::read(bytes).unwrap_or_else(|error| panic!("{name}: {error:#}"))
}

fn built() -> Vec<Built> {
    let target = target();
    let entries = fs::read_dir(root().join("components")).expect("there is a folder of components");
    let folders = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir());
    let mut built: Vec<Built> = folders.flat_map(|folder| read_built(&folder, &target)).collect();
    assert!(!built.is_empty(), "there are no components");
    built.sort_by(|one, other| one.name.cmp(&other.name));
    built
}

/// The component of a folder, and the files that have everything in them: for those who take it whole, and for where some of it is
/// elsewhere.
fn read_built(folder: &Path, target: &Path) -> Vec<Built> {
    let name = folder
        .file_name()
        .expect("a folder has a name")
        .to_string_lossy()
        .into_owned();
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a component has a Cargo.toml");
    let manifest: Table = manifest.parse().expect("Cargo.toml is TOML");
    let metadata = manifest["package"]
        .get("metadata")
        .and_then(|metadata| metadata.get("bodega"));
    let is_composed = metadata.is_some_and(|ours| ours.get("plug").is_some());
    let wasm = |path: PathBuf| {
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask build`", path.display()))
    };
    let raw = target
        .join("wasm32-wasip2/guest")
        .join(format!("{}.wasm", name.replace('-', "_")));
    let done = |name: &str| wasm(target.join("components").join(format!("{name}.wasm")));
    let mut built = Vec::new();
    for variant in ["whole", "remote"] {
        if metadata.is_none_or(|ours| ours.get(variant).is_none()) {
            continue;
        }
        let name = format!("{name}-{variant}");
        built.push(Built {
            whole: done(&name),
            alone: None,
            name,
        });
    }
    built.push(Built {
        whole: done(&name),
        alone: is_composed.then(|| wasm(raw)),
        name,
    });
    built
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests is below the root")
        .to_path_buf()
}

/// Where cargo built this test, or the tree's own place when nothing else was built there.
fn target() -> PathBuf {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("tmp is below the target directory");
    if own.join("components").exists() {
        own.to_path_buf()
    } else {
        root().join("target")
    }
}

/// The list as text: a heading per component, an interface per line.
fn list(all: &BTreeMap<String, Interfaces>) -> String {
    let mut text = String::new();
    for (name, interfaces) in all {
        text += &format!("[{name}]\n");
        text.extend(
            interfaces
                .imports
                .iter()
                .map(|import| format!("import {import}\n")),
        );
        text.extend(
            interfaces
                .exports
                .iter()
                .map(|export| format!("export {export}\n")),
        );
        text.push('\n');
    }
    text
}

/// Lines that only one of two lists has.
fn difference(expected: &str, actual: &str) -> Vec<String> {
    let (old, new) = (with_headings(expected), with_headings(actual));
    let gone = old
        .iter()
        .filter(|line| !new.contains(line))
        .map(|line| format!("- {line}"));
    let come = new
        .iter()
        .filter(|line| !old.contains(line))
        .map(|line| format!("+ {line}"));
    gone.chain(come).collect()
}

fn with_headings(text: &str) -> Vec<String> {
    let mut heading = "";
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => heading = name,
            None => lines.push(format!("{heading}: {line}")),
        }
    }
    lines
}
