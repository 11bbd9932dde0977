//! The files of the repository, as anybody sees them who clones it.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file, by its path from the root with forward slashes.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Its lines with their numbers, from one.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|own| own == extension)
    }
}

/// What cargo, git and a running shop leave behind.
const NOT_OURS: &[&str] = &["target", ".git", ".bodega", ".spin", "node_modules"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests is below the root")
        .to_path_buf()
}

/// Every text file of the tree, in the order of the paths.
pub(crate) fn files() -> Vec<File> {
    let root = root();
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the tree can be listed") {
            let entry = entry.expect("a folder of the tree can be listed");
            let name = entry.file_name();
            if NOT_OURS.iter().any(|left| name == *left) {
                continue;
            }
            let kind = entry.file_type().expect("the kind of a file is known");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if let (true, Ok(text)) = (kind.is_file(), fs::read_to_string(entry.path())) {
                let path = entry.path();
                let path = path
                    .strip_prefix(&root)
                    .expect("it is below the root")
                    .to_string_lossy()
                    .into_owned();
                files.push(File { path, text });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(
        files.len() > 50,
        "the tree was not found: only {} files",
        files.len()
    );
    files
}

/// The names of the folders in `components`.
pub(crate) fn components() -> Vec<String> {
    let entries = fs::read_dir(root().join("components")).expect("there is a folder of components");
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
