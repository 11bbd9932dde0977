//! Nothing in the tree depends on whose machine it was written on.

use crate::Finding;
use crate::tree::File;

/// Where people's files are, and places that only a build environment knows.
/// Written in halves, so that this file does not find itself.
const PATHS: &[(&str, &str)] = &[
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/wo", "rk/"),
    ("/Us", "ers/"),
    ("/mnt", "/"),
];

/// Hosts that packages come from. Which one is used is the machine's business.
const HOSTS: &[(&str, &str)] = &[
    ("deb.deb", "ian.org"),
    ("security.deb", "ian.org"),
    ("snapshot.deb", "ian.org"),
    ("index.crat", "es.io"),
    ("static.crat", "es.io"),
    ("static.rust", "-lang.org"),
    ("registry.np", "mjs.org"),
    ("proxy.gol", "ang.org"),
    ("arti", "factory"),
];

fn findings(file: &File) -> Vec<Finding> {
    // Cargo writes this one, and names the registry as everybody's cargo does.
    if file.path == "Cargo.lock" {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (line, text) in file.lines() {
        for (one, two) in PATHS {
            let path = format!("{one}{two}");
            if text.match_indices(&path).any(|(at, _)| starts_path(&text[..at])) {
                findings.push(Finding::new(
                    &file.path,
                    line,
                    format!("`{path}…` is a path on one machine"),
                ));
            }
        }
        for (one, two) in HOSTS {
            let host = format!("{one}{two}");
            if text.contains(&host) {
                let why = format!("`{host}`: registries and mirrors are configured on the machine, not here");
                findings.push(Finding::new(&file.path, line, why));
            }
        }
    }
    findings
}

/// Whether what stands before makes a slash the start of an absolute path, not the middle of one.
fn starts_path(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || "._-}*/".contains(c))
}

#[test]
fn no_machine_is_named() {
    crate::expect_none(&crate::tree::files().iter().flat_map(findings).collect::<Vec<_>>());
}

#[test]
fn a_path_and_a_registry_are_found() {
    let path = |(one, two): (&str, &str)| format!("{one}{two}");
    for pair in PATHS {
        let text = format!("ok\n\"{}me/x\"\na{0}b", path(*pair));
        assert_eq!(
            crate::lines(&findings(&File::new("a.toml", &text))),
            [2],
            "{text}"
        );
    }
    for pair in HOSTS {
        let text = format!("ok\nhttps://{}/x", path(*pair));
        assert_eq!(
            crate::lines(&findings(&File::new("a.toml", &text))),
            [2],
            "{text}"
        );
        assert!(findings(&File::new("Cargo.lock", &text)).is_empty());
    }
}
