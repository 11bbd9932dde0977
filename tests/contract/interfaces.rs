//! What a component imports and exports, read from its bytes.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use wasmparser::{Encoding, Parser, Payload};

/// The names of one component's imports and exports.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Interfaces {
    pub(crate) imports: BTreeSet<String>,
    pub(crate) exports: BTreeSet<String>,
}

impl Interfaces {
    /// Reads those of the outermost component; what is nested inside is its own affair.
    pub(crate) fn read(bytes: &[u8]) -> Result<Interfaces> {
        let mut found = Interfaces::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { encoding, .. } if depth == 0 => {
                    ensure!(
                        encoding == Encoding::Component,
                        "this is a core module, not a component"
                    );
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        found.imports.insert(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        found.exports.insert(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

/// `(component (type (instance)) (import "IMPORT" …) NESTED (export "EXPORT" …))`, with names of five letters.
#[cfg(test)]
fn component(import: &str, nested: &[u8], export: &str) -> Vec<u8> {
    let mut bytes = vec![0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
    bytes.extend([0x07, 3, 1, 0x42, 0]);
    bytes.extend([0x0a, 10, 1, 0, 5]);
    bytes.extend(import.as_bytes());
    bytes.extend([0x05, 0]);
    if !nested.is_empty() {
        bytes.push(0x04);
        bytes.push(u8::try_from(nested.len()).expect("the nested component is tiny"));
        bytes.extend(nested);
    }
    bytes.extend([0x0b, 11, 1, 0, 5]);
    bytes.extend(export.as_bytes());
    bytes.extend([0x05, 0, 0]);
    bytes
}

#[test]
fn only_the_outermost_component_counts() {
    let inner = component("i:i/i", &[], "e:e/e");
    let outer = Interfaces::read(&component("a:b/c", &inner, "d:e/f")).unwrap();
    assert_eq!(outer.imports, BTreeSet::from(["a:b/c".to_owned()]));
    assert_eq!(outer.exports, BTreeSet::from(["d:e/f".to_owned()]));
    assert!(
        Interfaces::read(&[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]).is_err(),
        "a core module is refused"
    );
}
