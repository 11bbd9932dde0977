//! `spin.toml` for SpinKube, made of the one that everybody else uses.
//!
//! The shim has no cron trigger, and a lost Redis ends the whole process. So the shop becomes two applications of
//! the same components: one that answers requests, and one that only consumes events. Kubernetes starts the second again
//! when Redis went away, while the first goes on selling. Pods come and go with their files, so neither is granted a SQLite
//! database, and whatever is inside one process by default has to be given an address.

use std::path::{Component, Path, PathBuf};

use toml::{Table, Value};

/// Which half of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All that is reached by HTTP; its jobs are started by a request.
    Http,
    /// What listens on the bus.
    Consumer,
}

/// Why no profile can be made of a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// It can't be read.
    #[error("the manifest is not TOML")]
    Syntax(#[from] toml::de::Error),
    /// It can't be written; nothing that was read should lead here.
    #[error("the profile can't be written as TOML")]
    Write(#[from] toml::ser::Error),
    /// There is no table of this name, or it is something else.
    #[error("the manifest has no [{0}]")]
    Missing(&'static str),
    /// Nothing in it is started in this way.
    #[error("no component of the manifest has a {0} trigger")]
    NothingLeft(&'static str),
}

/// Variables whose value is an address with a password in it, and those that name only the place: Spin refuses a
/// password among the hosts that a component may reach.
const PLACES: [(&str, &str); 2] = [
    ("events_address", "events_host"),
    ("limits_address", "limits_host"),
];

/// The manifest of this part, for a file in the folder `to`; paths of `text` are those of a file in `from`.
pub fn profile(text: &str, part: Part, from: &Path, to: &Path) -> Result<String, ProfileError> {
    let mut manifest: Table = text.parse()?;
    let kept = keep_triggers(&mut manifest, part)?;
    if let Some(application) = manifest.get_mut("application").and_then(Value::as_table_mut) {
        application.remove("tool");
    }
    let components = table(&mut manifest, "component")?;
    components.retain(|name, _| kept.iter().any(|kept| kept == name));
    for component in components
        .iter_mut()
        .filter_map(|(_, component)| component.as_table_mut())
    {
        component.remove("tool");
        component.remove("build");
        // Spin refuses to start where a label is granted that its runtime configuration does not know.
        component.remove("sqlite_databases");
        name_places(component);
        move_paths(component, from, to);
    }
    keep_variables(&mut manifest)?;
    let head = "# Made of spin.toml by `cargo xtask spin-profile`; change that one.\n\n";
    Ok(format!("{head}{}", toml::to_string(&manifest)?))
}

fn table<'a>(manifest: &'a mut Table, name: &'static str) -> Result<&'a mut Table, ProfileError> {
    let found = manifest.get_mut(name).and_then(Value::as_table_mut);
    found.ok_or(ProfileError::Missing(name))
}

/// Leaves one kind of trigger, and answers whose they are.
fn keep_triggers(manifest: &mut Table, part: Part) -> Result<Vec<String>, ProfileError> {
    let kind = match part {
        Part::Http => "http",
        Part::Consumer => "redis",
    };
    let triggers = table(manifest, "trigger")?;
    triggers.retain(|name, _| name == kind);
    let left = triggers.get(kind).and_then(Value::as_array).into_iter().flatten();
    let kept: Vec<String> = left
        .filter_map(|trigger| trigger.get("component")?.as_str())
        .map(str::to_owned)
        .collect();
    if kept.is_empty() {
        return Err(ProfileError::NothingLeft(kind));
    }
    Ok(kept)
}

/// What a component may reach is named without a password.
fn name_places(component: &mut Table) {
    let hosts = component
        .get_mut("allowed_outbound_hosts")
        .and_then(Value::as_array_mut);
    for host in hosts.into_iter().flatten() {
        let name = host.as_str().and_then(only_variable);
        let place = PLACES.iter().find(|(address, _)| Some(*address) == name);
        if let Some((_, place)) = place {
            *host = Value::String(format!("{{{{ {place} }}}}"));
        }
    }
}

/// The name in a template that is nothing but one variable.
fn only_variable(template: &str) -> Option<&str> {
    let inside = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    Some(inside.trim())
}

/// Files of the component and of what it composes, as they are called from the other folder.
fn move_paths(component: &mut Table, from: &Path, to: &Path) {
    let dependencies = component.get_mut("dependencies").and_then(Value::as_table_mut);
    let paths = dependencies
        .into_iter()
        .flat_map(|all| all.iter_mut().map(|(_, one)| one.as_table_mut()));
    let mut places: Vec<&mut Value> = paths.flatten().filter_map(|one| one.get_mut("path")).collect();
    for place in &mut places {
        move_path(place, from, to);
    }
    if let Some(source) = component.get_mut("source") {
        move_path(source, from, to);
    }
}

fn move_path(place: &mut Value, from: &Path, to: &Path) {
    if let Some(path) = place.as_str() {
        let moved = relative(&from.join(path), to);
        *place = Value::String(moved.to_string_lossy().into_owned());
    }
}

/// `path` as it is called in `folder`; both are absolute, or relative to the same place.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let (path, folder) = (normal(path), normal(folder));
    let shared = path
        .iter()
        .zip(&folder)
        .take_while(|(one, other)| one == other)
        .count();
    let up = folder.iter().skip(shared).map(|_| Path::new(".."));
    let down = path.iter().skip(shared).map(Path::new);
    up.chain(down).collect()
}

/// Without `.`, and without `..` where a folder before it can go too.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Leaves the variables that something still uses. Those that mean something inside of `bodega` by default, and the
/// places of addresses, have to be given.
fn keep_variables(manifest: &mut Table) -> Result<(), ProfileError> {
    let mut used = Vec::new();
    for part in ["component", "trigger"] {
        names(&Value::Table(table(manifest, part)?.clone()), &mut used);
    }
    let variables = table(manifest, "variables")?;
    variables.retain(|name, _| used.iter().any(|used| used == name));
    for variable in variables
        .iter_mut()
        .filter_map(|(_, variable)| variable.as_table_mut())
    {
        let default = variable.get("default").and_then(Value::as_str);
        if default.is_some_and(|default| default.starts_with("local://")) {
            variable.remove("default");
            variable.insert("required".to_owned(), Value::Boolean(true));
        }
    }
    for (address, place) in PLACES {
        if let Some(variable) = variables.get_mut(address).and_then(Value::as_table_mut) {
            variable.insert("secret".to_owned(), Value::Boolean(true));
        }
        if used.iter().any(|used| used == place) {
            let required = Table::from_iter([("required".to_owned(), Value::Boolean(true))]);
            variables.insert(place.to_owned(), Value::Table(required));
        }
    }
    Ok(())
}

/// The variables that texts anywhere in this value name.
fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let inside = text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
            found.extend(inside.map(|(name, _)| name.trim().to_owned()));
        }
        Value::Array(all) => all.iter().for_each(|one| names(one, found)),
        Value::Table(all) => all.values().for_each(|one| names(one, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "shop"
[application.tool.bodega]
max_concurrent_requests = 96
[variables]
key = { required = true, secret = true }
unused = { default = "" }
events_address = { default = "local://events:0" }
limits_address = { default = "local://limits:0" }
[[trigger.http]]
route = "/..."
component = "door"
[[trigger.http]]
route = { private = true }
component = "books"
[[trigger.cron]]
component = "clock"
cron_expression = "* * * * * *"
[[trigger.redis]]
component = "books"
channel = "shop.order"
address = "{{ events_address }}"
[component.door]
source = "target/components/door.wasm"
sqlite_databases = ["door"]
allowed_outbound_hosts = ["http://*.spin.internal", "{{ limits_address }}"]
[component.door.variables]
key = "{{ key }}"
settings = "limits_address={{ limits_address }}"
[component.door.build]
command = "make"
[component.clock]
source = "target/components/clock.wasm"
[component.books]
source = "target/components/books.wasm"
[component.books.tool.bodega]
requests_per_instance = 1000
[component.books.dependencies]
"shop:book/book@0.1.0" = { path = "target/components/book.wasm", inherit_configuration = ["sqlite_databases"] }
"#;

    fn made(part: Part) -> Table {
        let text = profile(MANIFEST, part, Path::new(""), Path::new("target/spin")).unwrap();
        text.parse().unwrap()
    }

    fn keys(table: &Table, name: &str) -> Vec<String> {
        table[name].as_table().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_part_for_requests_has_no_other_trigger_and_nothing_of_our_host() {
        let made = made(Part::Http);
        assert_eq!(keys(&made, "trigger"), ["http"]);
        assert_eq!(keys(&made, "component"), ["books", "door"]);
        let text = toml::to_string(&made).unwrap();
        for gone in [
            "tool",
            "build",
            "clock",
            "events_address",
            "unused",
            "local://",
            "\nsqlite_databases",
        ] {
            assert!(!text.contains(gone), "{gone} is still there:\n{text}");
        }
        assert_eq!(
            made["component"]["door"]["allowed_outbound_hosts"],
            Value::from(vec!["http://*.spin.internal", "{{ limits_host }}"])
        );
        assert_eq!(keys(&made, "variables"), ["key", "limits_address", "limits_host"]);
        assert_eq!(made["variables"]["limits_address"]["required"], Value::from(true));
        assert_eq!(made["variables"]["limits_address"]["secret"], Value::from(true));
        assert!(made["variables"]["limits_host"].get("secret").is_none());
    }

    #[test]
    fn the_part_that_consumes_has_its_components_alone() {
        let made = made(Part::Consumer);
        assert_eq!(keys(&made, "trigger"), ["redis"]);
        assert_eq!(keys(&made, "component"), ["books"]);
        assert_eq!(keys(&made, "variables"), ["events_address"]);
    }

    #[test]
    fn paths_are_those_of_the_new_place() {
        let made = made(Part::Http);
        assert_eq!(
            made["component"]["door"]["source"],
            Value::from("../components/door.wasm")
        );
        let book = &made["component"]["books"]["dependencies"]["shop:book/book@0.1.0"];
        assert_eq!(book["path"], Value::from("../components/book.wasm"));
        assert_eq!(
            book["inherit_configuration"],
            Value::from(vec!["sqlite_databases"])
        );
    }

    #[test]
    fn a_path_is_followed_from_folder_to_folder() {
        let check = |path: &str, folder: &str, expected: &str| {
            assert_eq!(relative(Path::new(path), Path::new(folder)), Path::new(expected));
        };
        check("target/components/a.wasm", "", "target/components/a.wasm");
        check("target/components/a.wasm", "target/spin", "../components/a.wasm");
        check("deploy/remote/../../target/a.wasm", "target/spin", "../a.wasm");
        check("/r/target/a.wasm", "/r/./deploy/x", "../../target/a.wasm");
    }

    #[test]
    fn what_makes_no_profile_says_why() {
        let fails = |text: &str| {
            let error = profile(text, Part::Consumer, Path::new(""), Path::new("")).unwrap_err();
            error.to_string()
        };
        assert_eq!(fails("="), "the manifest is not TOML");
        assert_eq!(fails(""), "the manifest has no [trigger]");
        let http = "[[trigger.http]]\ncomponent = \"a\"\nroute = \"/...\"\n";
        assert_eq!(fails(http), "no component of the manifest has a redis trigger");
    }
}
