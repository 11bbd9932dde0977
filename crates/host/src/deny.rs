//! What a dependency does not inherit.
//!
//! Composition merges equal imports, so the host cannot see whether its caller is a component or
//! something composed into it. Spin therefore plugs an adapter that refuses everything into each
//! dependency. Here the imports that are withheld get another name, below `bodega:denied`, when the
//! dependency is composed ([`withhold`]), and the linker gives these names functions that refuse in
//! the interface's own words ([`define`]). They are made from the import's type, so they fit every
//! version of an interface, and nothing has to be compiled in. What a guest sees is what it sees
//! under Spin: `access-denied` where the interface has it, variables that are undefined, `... is not
//! permitted` elsewhere, no environment and no files.

use crate::compose::{ComposeError, graph_error};
use crate::state::State;
use manifest::{Capability, Dependency};
use wac_graph::types::{ItemKind, WorldId};
use wac_graph::{CompositionGraph, NodeId};
use wasmtime::Engine;
use wasmtime::component::types::{ComponentInstance, ComponentItem, Type};
use wasmtime::component::{Component, Linker, ResourceType, Val};

/// The package of the names that stand for withheld imports.
const DENIED: &str = "bodega:denied/";

/// A handle of an interface that is withheld; there is never one.
struct NoHandle;

/// Interfaces a capability stands for, and the resource each of them brings along.
const INTERFACES: &[(&str, Capability, Option<&str>)] = &[
    ("fermyon:spin/llm", Capability::AiModels, None),
    (
        "fermyon:spin/mqtt",
        Capability::AllowedOutboundHosts,
        Some("connection"),
    ),
    (
        "fermyon:spin/mysql",
        Capability::AllowedOutboundHosts,
        Some("connection"),
    ),
    (
        "fermyon:spin/postgres",
        Capability::AllowedOutboundHosts,
        Some("connection"),
    ),
    (
        "fermyon:spin/redis",
        Capability::AllowedOutboundHosts,
        Some("connection"),
    ),
    (
        "spin:postgres/postgres",
        Capability::AllowedOutboundHosts,
        Some("connection"),
    ),
    (
        "wasi:http/outgoing-handler",
        Capability::AllowedOutboundHosts,
        None,
    ),
    (
        "wasi:sockets/ip-name-lookup",
        Capability::AllowedOutboundHosts,
        Some("resolve-address-stream"),
    ),
    (
        "wasi:sockets/tcp-create-socket",
        Capability::AllowedOutboundHosts,
        None,
    ),
    (
        "wasi:sockets/udp-create-socket",
        Capability::AllowedOutboundHosts,
        None,
    ),
    ("wasi:cli/environment", Capability::Environment, None),
    ("wasi:filesystem/preopens", Capability::Files, None),
    (
        "fermyon:spin/key-value",
        Capability::KeyValueStores,
        Some("store"),
    ),
    ("wasi:keyvalue/store", Capability::KeyValueStores, Some("bucket")),
    (
        "fermyon:spin/sqlite",
        Capability::SqliteDatabases,
        Some("connection"),
    ),
    (
        "spin:sqlite/sqlite",
        Capability::SqliteDatabases,
        Some("connection"),
    ),
    ("fermyon:spin/variables", Capability::Variables, None),
    ("wasi:config/store", Capability::Variables, None),
];

/// Interfaces that are made of the handles of `wasi:keyvalue/store` and cannot do without it.
const NEED_THE_STORE: &[&str] = &["wasi:keyvalue/atomics", "wasi:keyvalue/batch"];

/// Gives every import that the dependency does not inherit its name below `bodega:denied`.
pub(crate) fn withhold(
    graph: &mut CompositionGraph,
    world: WorldId,
    instance: NodeId,
    dependency: &Dependency,
) -> Result<(), ComposeError> {
    let imports: Vec<(String, ItemKind)> = graph.types()[world]
        .imports
        .iter()
        .map(|(name, kind)| (name.clone(), *kind))
        .collect();
    for (import, kind) in imports {
        let interface = without_version(&import);
        if NEED_THE_STORE.contains(&interface) && !dependency.inherit.grants(Capability::KeyValueStores) {
            return Err(ComposeError::NeedsCapability {
                dependency: dependency.name.to_string(),
                import,
                capability: Capability::KeyValueStores.name(),
            });
        }
        let known = INTERFACES.iter().find(|(name, ..)| *name == interface);
        if let Some((_, capability, _)) = known
            && !dependency.inherit.grants(*capability)
        {
            rename(graph, instance, &import, kind)?;
        }
    }
    Ok(())
}

/// Lets the instance import the same interface under its denied name; several dependencies share it.
fn rename(
    graph: &mut CompositionGraph,
    instance: NodeId,
    import: &str,
    kind: ItemKind,
) -> Result<(), ComposeError> {
    let ItemKind::Instance(interface) = kind else {
        return Ok(());
    };
    let failed = || format!("cannot withhold `{import}`");
    let name = denied_name(import);
    let shared = graph
        .node_ids()
        .find(|node| graph.get_import_name(*node) == Some(name.as_str()));
    let node = match shared {
        Some(node) => node,
        None => {
            // With its own id it would be merged with the parent's import of the same interface.
            let mut copy = graph.types()[interface].clone();
            copy.id = Some(name.clone());
            let copy = graph.types_mut().add_interface(copy);
            graph
                .import(name, ItemKind::Instance(copy))
                .map_err(|source| graph_error(failed(), source))?
        }
    };
    graph
        .set_instantiation_argument(instance, import, node)
        .map_err(|source| graph_error(failed(), source))
}

/// `fermyon:spin/sqlite@2.0.0` becomes `bodega:denied/fermyon-spin-sqlite@2.0.0`.
fn denied_name(import: &str) -> String {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    let name = interface.replace([':', '/'], "-");
    match version {
        "" => format!("{DENIED}{name}"),
        version => format!("{DENIED}{name}@{version}"),
    }
}

fn without_version(import: &str) -> &str {
    import.split_once('@').map_or(import, |(interface, _)| interface)
}

/// The interface a denied name stands for, and the resource it brings along.
fn denied_interface(import: &str) -> Option<(&'static str, Option<&'static str>)> {
    let name = without_version(import.strip_prefix(DENIED)?);
    INTERFACES
        .iter()
        .find(|(interface, ..)| interface.replace([':', '/'], "-") == name)
        .map(|(interface, _, resource)| (*interface, *resource))
}

/// Defines every denied import of the component as refusing functions.
pub(crate) fn define(
    linker: &mut Linker<State>,
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    for (name, item) in component.component_type().imports(engine) {
        let Some((interface, resource)) = denied_interface(name) else {
            continue;
        };
        if let ComponentItem::ComponentInstance(instance) = item.ty {
            define_instance(linker, engine, name, &instance, (interface, resource))?;
        }
    }
    Ok(())
}

fn define_instance(
    linker: &mut Linker<State>,
    engine: &Engine,
    name: &str,
    instance: &ComponentInstance,
    (interface, resource): (&'static str, Option<&'static str>),
) -> wasmtime::Result<()> {
    let mut target = linker.instance(name)?;
    if let Some(resource) = resource {
        target.resource(resource, ResourceType::host::<NoHandle>(), |_, _| Ok(()))?;
    }
    for (function, item) in instance.exports(engine) {
        if !matches!(item.ty, ComponentItem::ComponentFunc(_)) {
            continue;
        }
        target.func_new(function, move |_, ty, asked, results| {
            for (slot, result) in results.iter_mut().zip(ty.results()) {
                *slot = refusal(&result, interface, asked)
                    .ok_or_else(|| wasmtime::format_err!("{interface} is not permitted"))?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Error cases that say no, the clearest first.
const CASES: [&str; 6] = [
    "access-denied",
    "undefined",
    "model-not-supported",
    "internal-error",
    "other",
    "io",
];

/// A value of this type that says no to what was asked.
fn refusal(ty: &Type, interface: &str, asked: &[Val]) -> Option<Val> {
    match ty {
        Type::List(_) => Some(Val::List(Vec::new())),
        Type::Option(_) => Some(Val::Option(None)),
        Type::Result(result) => {
            let error = refusal(&result.err()?, interface, asked)?;
            Some(Val::Result(Err(Some(Box::new(error)))))
        }
        Type::Enum(cases) => cases
            .names()
            .find(|case| *case == "access-denied")
            .map(|case| Val::Enum(case.to_owned())),
        Type::Variant(variant) => {
            let (name, payload) = CASES.iter().find_map(|wanted| {
                let mut cases = variant.cases();
                cases
                    .find(|case| case.name == *wanted)
                    .map(|case| (*wanted, case.ty))
            })?;
            let text = match (name, asked.first()) {
                ("undefined", Some(Val::String(name))) => name.clone(),
                _ => format!("{interface:?} is not permitted"),
            };
            let payload = match payload {
                Some(ty) => Some(Box::new(reason(&ty, text)?)),
                None => None,
            };
            Some(Val::Variant(name.to_owned(), payload))
        }
        _ => None,
    }
}

/// The text beside a refusal, as a string or an optional one.
fn reason(ty: &Type, text: String) -> Option<Val> {
    let text = Val::String(text);
    match ty {
        Type::String => Some(text),
        Type::Option(inner) if matches!(inner.ty(), Type::String) => Some(Val::Option(Some(Box::new(text)))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_name_says_which_interface_it_stands_for() {
        let name = denied_name("fermyon:spin/key-value@2.0.0");
        assert_eq!(name, "bodega:denied/fermyon-spin-key-value@2.0.0");
        assert_eq!(
            denied_interface(&name),
            Some(("fermyon:spin/key-value", Some("store")))
        );
        assert_eq!(denied_interface("fermyon:spin/key-value@2.0.0"), None);
    }

    #[test]
    fn no_two_interfaces_share_a_denied_name() {
        let mut names: Vec<String> = INTERFACES.iter().map(|(name, ..)| denied_name(name)).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), INTERFACES.len());
    }
}
