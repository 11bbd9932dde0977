//! The image of the host: what it holds, and where it may write when nothing else may be written to.

use std::fs;
use std::path::Path;

use crate::chart::{all, containers, pods};
use crate::tools::root;
use crate::yaml::{list, text};

fn containerfile() -> String {
    fs::read_to_string(root().join("deploy/container/Containerfile")).expect("it is there")
}

/// The arguments of a container that runs the host.
fn arguments(container: &serde_json::Value) -> Vec<&str> {
    list(container, "/args")
        .filter_map(serde_json::Value::as_str)
        .collect()
}

#[test]
fn compiled_components_go_where_a_volume_is_whatever_manifest_runs() {
    let host = fs::read_to_string(root().join("crates/host/src/cli.rs")).expect("it is there");
    let known = host.contains("var_os(\"XDG_CACHE_HOME\")") && host.contains("join(\"bodega-compiled\")");
    assert!(known, "the host looks for its cache in another way");
    let image = containerfile();
    let cache = image
        .lines()
        .find_map(|line| line.strip_prefix("ENV XDG_CACHE_HOME="))
        .expect("the image says where caches go");
    let mut manifests = 0;
    for (values, resources) in all() {
        for (name, pod) in pods(resources) {
            for container in containers(pod) {
                let arguments = arguments(container);
                let from = arguments.iter().find_map(|word| word.strip_prefix("--from="));
                let Some(from) = from.filter(|_| !arguments.contains(&"--disable-cache")) else {
                    continue;
                };
                manifests += 1;
                // The host takes the `target` beside the manifest, and the image has one of them.
                let base = match Path::new(from).parent() {
                    Some(folder) if folder == Path::new("/app") => "/app/target",
                    _ => cache,
                };
                let wanted = format!("{base}/bodega-compiled");
                let mount =
                    list(container, "/volumeMounts").find(|mount| text(mount, "/mountPath") == wanted);
                let mount = mount.unwrap_or_else(|| {
                    panic!("{values:?}: {name}: {from} compiles to {wanted}: not a volume")
                });
                let volume = list(pod, "/spec/volumes")
                    .find(|volume| text(volume, "/name") == text(mount, "/name"))
                    .expect("a mount has a volume");
                assert!(volume.get("emptyDir").is_some(), "{values:?}: {name}: {volume}");
                assert!(
                    image.contains(&format!("\"{wanted}\"")),
                    "the image has no {wanted}"
                );
            }
        }
    }
    assert!(manifests > 3 || all().is_empty(), "no pod runs a manifest");
}

#[test]
fn a_manifest_that_runs_is_in_the_image() {
    let image = containerfile();
    for (values, resources) in all() {
        for (name, pod) in pods(resources) {
            for container in containers(pod) {
                let from = arguments(container)
                    .into_iter()
                    .find_map(|word| word.strip_prefix("--from=/app/"));
                let Some(from) = from else { continue };
                assert!(root().join(from).is_file(), "{values:?}: {name}: {from}");
                let folder = Path::new(from)
                    .parent()
                    .map(|folder| folder.display().to_string());
                let copied = image.contains(&format!("cp {from} /out/"))
                    || folder.is_some_and(|folder| image.contains(&format!("cp -r {folder} /out/deploy/")));
                assert!(copied, "{values:?}: {name}: the image lacks {from}");
            }
        }
    }
}

#[test]
fn two_architectures_are_built_side_by_side() {
    let image = containerfile();
    let (_, build) = image
        .split_once(" AS build\n")
        .expect("there is a stage that builds");
    assert!(
        build.contains("\nARG TARGETARCH\n") || build.starts_with("ARG TARGETARCH\n"),
        "the stage does not know what it builds for"
    );
    let mounts: Vec<&str> = image.split("--mount=type=cache,").skip(1).collect();
    assert_eq!(mounts.len(), 2);
    for mount in mounts {
        let (id, _) = mount.split_once(",target=").expect("a cache has a place");
        assert!(
            id.starts_with("id=") && id.ends_with("-${TARGETARCH}"),
            "one cache for all architectures: {id}"
        );
    }
}
