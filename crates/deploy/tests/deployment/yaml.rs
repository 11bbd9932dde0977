//! YAML as values.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::tools::root;

/// All documents of a text; empty ones are none.
pub(crate) fn parse(text: &str) -> Result<Vec<Value>, String> {
    let documents = serde_norway::Deserializer::from_str(text).map(Value::deserialize);
    let all: Result<Vec<Value>, _> = documents.collect();
    let all = all.map_err(|error| error.to_string())?;
    Ok(all.into_iter().filter(|document| !document.is_null()).collect())
}

pub(crate) fn read(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut documents = parse(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(documents.len(), 1, "{path} is one document");
    documents.remove(0)
}

/// The elements of a list at this place, none where there is no list.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Every text anywhere in it.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        Value::Object(all) => all.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// Files with this ending in a folder, by name, as paths from the root.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let paths = entries.flatten().map(|entry| entry.path());
    let mut names: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|own| own == ending))
        .collect();
    names.sort();
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let names = names
        .iter()
        .filter_map(|path| Some(format!("{folder}/{}", name(path)?)));
    let names: Vec<String> = names.collect();
    assert!(!names.is_empty(), "{folder} has no .{ending}");
    names
}

#[test]
fn several_documents_and_a_broken_one_are_told_apart() {
    assert_eq!(parse("a: 1\n---\n---\nb: [2]\n").unwrap().len(), 2);
    assert!(parse("a: [1\n").is_err());
}
