//! Components composed into components, as Spin does it: one level deep, by exact import name.

use crate::deny;
use manifest::{Dependency, DependencyName};
use std::collections::BTreeMap;
use wac_graph::types::{Package, SubtypeChecker, WorldId};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

/// Why components do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A file is no component, or the parts contradict each other.
    #[error("{what}")]
    Graph {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: anyhow::Error,
    },
    /// Nothing in the component imports what the dependency is meant for.
    #[error("dependency `{dependency}` fits none of its imports ({imports})")]
    NothingImports {
        /// Its name in the manifest.
        dependency: String,
        /// What is imported.
        imports: String,
    },
    /// Two dependencies stand for one import.
    #[error("import `{import}` is satisfied by both `{first}` and `{second}`")]
    Twice {
        /// The import.
        import: String,
        /// The dependency that came first.
        first: String,
        /// The one that came after it.
        second: String,
    },
    /// The dependency's file lacks the export.
    #[error("dependency `{dependency}` does not export `{export}`")]
    NoSuchExport {
        /// Its name in the manifest.
        dependency: String,
        /// The export that was looked for.
        export: String,
    },
    /// The dependency needs something that only makes sense with a capability it does not inherit.
    #[error("dependency `{dependency}` imports `{import}`, which needs `{capability}` inherited")]
    NeedsCapability {
        /// Its name in the manifest.
        dependency: String,
        /// The import.
        import: String,
        /// The word for `inherit_configuration`.
        capability: &'static str,
    },
    /// A plug satisfies nothing.
    #[error("`{plug}` satisfies no import of `{socket}`")]
    UselessPlug {
        /// The file that was to be plugged in.
        plug: String,
        /// The file that was to take it.
        socket: String,
    },
}

/// A component's bytes and what to call it in messages.
pub struct Part {
    /// The name.
    pub name: String,
    /// The file's content.
    pub bytes: Vec<u8>,
}

/// Puts the dependencies into the component; their bytes come in the order of the list.
pub(crate) fn compose(
    component: &Part,
    dependencies: &[(&Dependency, Vec<u8>)],
) -> Result<Vec<u8>, ComposeError> {
    let mut graph = CompositionGraph::new();
    let (world, root) = instantiate(&mut graph, &component.name, component.bytes.clone())?;
    let imports: Vec<String> = graph.types()[world].imports.keys().cloned().collect();
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for (dependency, bytes) in dependencies {
        let name = dependency.name.to_string();
        let wanted: Vec<&String> = imports
            .iter()
            .filter(|import| fits(&dependency.name, import))
            .collect();
        if wanted.is_empty() {
            return Err(ComposeError::NothingImports {
                dependency: name,
                imports: imports.join(", "),
            });
        }
        let (their_world, instance) = instantiate(&mut graph, &name, bytes.clone())?;
        deny::withhold(&mut graph, their_world, instance, dependency)?;
        for import in wanted {
            if let Some(first) = taken.insert(import.clone(), name.clone()) {
                return Err(ComposeError::Twice {
                    import: import.clone(),
                    first,
                    second: name,
                });
            }
            let export = dependency.export.as_ref().unwrap_or(import);
            satisfy(
                &mut graph,
                (world, root, import),
                (their_world, instance, export),
                &name,
            )?;
        }
    }
    export_all(&mut graph, world, root)?;
    encode(&graph)
}

/// Whether an import is the one, or one of those, that the name stands for.
fn fits(name: &DependencyName, import: &str) -> bool {
    let (package, rest) = match (name, import.split_once('/')) {
        (DependencyName::Plain(plain), None) => return plain == import,
        (DependencyName::Package { .. }, Some(parts)) => parts,
        (DependencyName::Plain(_), Some(_)) | (DependencyName::Package { .. }, None) => return false,
    };
    let DependencyName::Package {
        package: wanted,
        interface: wanted_interface,
        version: wanted_version,
    } = name
    else {
        return false;
    };
    let (interface, version) = match rest.split_once('@') {
        Some((interface, version)) => (interface, Some(version)),
        None => (rest, None),
    };
    package == wanted
        && wanted_interface.as_ref().is_none_or(|wanted| wanted == interface)
        && wanted_version
            .as_deref()
            .is_none_or(|wanted| Some(wanted) == version)
}

/// Passes an export of one instance as an import of another, if the types agree.
fn satisfy(
    graph: &mut CompositionGraph,
    (world, instance, import): (WorldId, NodeId, &str),
    (their_world, their_instance, export): (WorldId, NodeId, &str),
    dependency: &str,
) -> Result<(), ComposeError> {
    let types = graph.types();
    let Some(offered) = types[their_world].exports.get(export) else {
        return Err(ComposeError::NoSuchExport {
            dependency: dependency.to_owned(),
            export: export.to_owned(),
        });
    };
    let wanted = types[world].imports[import];
    let what = || format!("dependency `{dependency}`: export `{export}` does not fit import `{import}`");
    let mut cache = std::collections::HashSet::default();
    SubtypeChecker::new(&mut cache)
        .is_subtype(*offered, types, wanted, types)
        .map_err(|source| graph_error(what(), source))?;
    let node = graph
        .alias_instance_export(their_instance, export)
        .map_err(|source| graph_error(what(), source))?;
    graph
        .set_instantiation_argument(instance, import, node)
        .map_err(|source| graph_error(what(), source))
}

/// Puts `plugs` into `socket`: every export that fits an import takes its place.
///
/// Used when building, for what must be inside a component before a manifest composes it, since
/// dependencies of dependencies do not exist there. A plug that satisfies nothing is an error.
pub fn plug(socket: &Part, plugs: &[Part]) -> Result<Vec<u8>, ComposeError> {
    let mut bytes = socket.bytes.clone();
    for plug in plugs {
        let mut graph = CompositionGraph::new();
        let socket_id = register(&mut graph, &socket.name, bytes)?;
        let plug_id = register(&mut graph, &plug.name, plug.bytes.clone())?;
        wac_graph::plug(&mut graph, vec![plug_id], socket_id).map_err(|error| match error {
            wac_graph::PlugError::NoPlugHappened => ComposeError::UselessPlug {
                plug: plug.name.clone(),
                socket: socket.name.clone(),
            },
            wac_graph::PlugError::GraphError { source } => graph_error(
                format!("cannot plug `{}` into `{}`", plug.name, socket.name),
                source,
            ),
        })?;
        bytes = encode(&graph)?;
    }
    Ok(bytes)
}

fn register(
    graph: &mut CompositionGraph,
    name: &str,
    bytes: Vec<u8>,
) -> Result<wac_graph::PackageId, ComposeError> {
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())
        .map_err(|source| graph_error(format!("`{name}` is no component"), source))?;
    graph
        .register_package(package)
        .map_err(|source| graph_error(format!("cannot take in `{name}`"), source))
}

fn instantiate(
    graph: &mut CompositionGraph,
    name: &str,
    bytes: Vec<u8>,
) -> Result<(WorldId, NodeId), ComposeError> {
    let package = register(graph, name, bytes)?;
    let world = graph[package].ty();
    Ok((world, graph.instantiate(package)))
}

fn export_all(graph: &mut CompositionGraph, world: WorldId, instance: NodeId) -> Result<(), ComposeError> {
    let names: Vec<String> = graph.types()[world].exports.keys().cloned().collect();
    for name in names {
        let failed = || format!("cannot export `{name}`");
        let node = graph
            .alias_instance_export(instance, &name)
            .map_err(|source| graph_error(failed(), source))?;
        graph
            .export(node, &name)
            .map_err(|source| graph_error(failed(), source))?;
    }
    Ok(())
}

fn encode(graph: &CompositionGraph) -> Result<Vec<u8>, ComposeError> {
    graph
        .encode(EncodeOptions::default())
        .map_err(|source| graph_error("cannot write the composed component".to_owned(), source))
}

pub(crate) fn graph_error(what: String, source: impl Into<anyhow::Error>) -> ComposeError {
    ComposeError::Graph {
        what,
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, import: &str, expected: bool) {
        let parsed: DependencyName = name.parse().expect("a dependency name");
        assert_eq!(fits(&parsed, import), expected, "{name} against {import}");
    }

    #[test]
    fn a_name_stands_for_the_imports_it_describes() {
        check("shop:stock/stock@0.1.0", "shop:stock/stock@0.1.0", true);
        check("shop:stock/stock", "shop:stock/stock@0.1.0", true);
        check("shop:stock", "shop:stock/stock", true);
        check("shop:stock@0.1.0", "shop:stock/stock@0.1.0", true);
        check("shop:stock/stock@0.1.0", "shop:stock/stock@0.1.1", false);
        check("shop:stock/stock@0.1.0", "shop:stock/stock", false);
        check("shop:stock/stock", "shop:stock/level", false);
        check("shop:stock", "shop:stockpile/stock", false);
        check("stock", "stock", true);
        check("stock", "shop:stock/stock", false);
    }

    #[test]
    fn what_is_no_component_is_refused_by_name() {
        let part = |name: &str| Part {
            name: name.to_owned(),
            bytes: b"nothing".to_vec(),
        };
        let error = plug(&part("socket.wasm"), &[part("plug.wasm")]).expect_err("no component");
        assert_eq!(error.to_string(), "`socket.wasm` is no component");
    }
}
