//! Every resource of the chart by the schema of who reads it: Kubernetes' own, and those of `crates/deploy/schemas`.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::chart::all;
use crate::tools::{KUBERNETES, ask, python_tool, root};
use crate::yaml::text;

#[test]
fn every_resource_is_valid_by_the_schema_of_its_kind() {
    for (arguments, resources) in all() {
        let (custom, own): (Vec<&Value>, Vec<&Value>) =
            resources.iter().partition(|one| schema_of(one).is_some());
        assert!(own.len() > 4, "{arguments:?} makes next to nothing");
        if let Err(complaint) = by_kubernetes(&own) {
            panic!("{arguments:?}:\n{complaint}");
        }
        for one in custom {
            if let Err(complaint) = by_definition(one) {
                panic!("{arguments:?}: {}:\n{complaint}", text(one, "/metadata/name"));
            }
        }
    }
}

/// Kubernetes' own kinds, by its own schemas, in which a field that nobody knows is an error.
fn by_kubernetes(resources: &[&Value]) -> Result<(), String> {
    let Some(program) = python_tool("kubernetes-validate") else {
        return Ok(());
    };
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("resources.yaml");
    // JSON is YAML.
    let documents: Vec<String> = resources.iter().map(ToString::to_string).collect();
    fs::write(&file, documents.join("\n---\n")).map_err(|error| error.to_string())?;
    for version in KUBERNETES {
        let mut command = Command::new(&program);
        ask(command
            .args(["-k", version, "--strict", "--quiet", "--no-warn"])
            .arg(&file))?;
    }
    Ok(())
}

fn schema_of(resource: &Value) -> Option<Value> {
    let name = format!(
        "{}-{}.json",
        text(resource, "/apiVersion").replace('/', "-"),
        text(resource, "/kind")
    );
    let path = root().join("crates/deploy/schemas").join(name);
    let text = fs::read_to_string(path).ok()?;
    let mut schema = serde_json::from_str(&text).expect("a schema is JSON");
    close(&mut schema);
    Some(schema)
}

/// The API server drops fields that a definition does not know, without a word; here they are errors.
fn close(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut() {
        let open = object.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        let describes = object.get("properties").is_some_and(Value::is_object);
        if describes && !open && !object.contains_key("additionalProperties") {
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        object.values_mut().for_each(close);
    }
    if let Some(all) = schema.as_array_mut() {
        all.iter_mut().for_each(close);
    }
}

/// A custom kind, by the definition that its operator installs.
fn by_definition(resource: &Value) -> Result<(), String> {
    let Some(program) = python_tool("check-jsonschema") else {
        return Ok(());
    };
    let schema = schema_of(resource).ok_or("there is no schema of it")?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (schema_file, file) = (
        folder.path().join("schema.json"),
        folder.path().join("resource.json"),
    );
    fs::write(&schema_file, schema.to_string()).map_err(|error| error.to_string())?;
    fs::write(&file, resource.to_string()).map_err(|error| error.to_string())?;
    ask(Command::new(program)
        .arg("--schemafile")
        .arg(schema_file)
        .arg(file))
    .map(drop)
}

#[test]
fn the_schemas_refuse_what_nobody_knows() {
    if python_tool("helm").is_none() {
        return;
    }
    let service =
        |spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec});
    assert!(by_kubernetes(&[&service(json!({"ports": [{"port": 80}]}))]).is_ok());
    assert!(by_kubernetes(&[&service(json!({"ports": [{"port": "eighty"}]}))]).is_err());
    assert!(by_kubernetes(&[&service(json!({"prots": []}))]).is_err());
    let app = |spec: Value| json!({"apiVersion": "core.spinkube.dev/v1alpha1", "kind": "SpinApp", "metadata": {"name": "a"}, "spec": spec});
    assert!(by_definition(&app(json!({"image": "a", "executor": "b", "replicas": 1}))).is_ok());
    assert!(by_definition(&app(json!({"image": "a", "replicas": 1}))).is_err());
    assert!(by_definition(&app(json!({"image": "a", "executor": "b", "replica": 1}))).is_err());
}
