//! The folder in which a cut is looked at.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, read, read_dir, remove_file};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use tempfile::TempDir;

use crate::disk::{Change, Found, Image};
use crate::log::FileId;
use crate::shop::folder;

/// A folder that is made to hold one image after another. They differ little, so only what is
/// different is written.
pub(crate) struct Scene {
    folder: TempDir,
    shown: BTreeMap<String, Shown>,
}

/// What a file in the folder is: this one as it was synced, except in these places.
struct Shown {
    file: FileId,
    touched: Vec<Range<usize>>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            folder: folder(),
            shown: BTreeMap::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes the folder hold the files of `image`, and nothing else.
    pub(crate) fn show(&mut self, image: &Image<'_>) {
        for entry in read_dir(self.path()).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if !image.contains_key(name.as_str()) {
                remove_file(entry.path()).unwrap();
            }
        }
        for (name, found) in image {
            let path = self.path().join(name);
            let shown = self.shown.remove(*name).filter(|_| path.exists());
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .unwrap();
            self.shown.insert((*name).to_owned(), lay(&file, found, shown));
        }
        self.shown.retain(|name, _| image.contains_key(name.as_str()));
    }

    /// The files have changed, and are to be written anew.
    pub(crate) fn forget(&mut self) {
        self.shown.clear();
    }

    /// The files that were shown and are still there.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let content = |name: &String| Some((name.clone(), read(self.path().join(name)).ok()?));
        self.shown.keys().filter_map(content).collect()
    }
}

/// Makes a file what was found, and tells where that is not what was synced.
fn lay(file: &File, found: &Found<'_>, shown: Option<Shown>) -> Shown {
    let write =
        |bytes: &[u8], offset: usize| file.write_all_at(bytes, u64::try_from(offset).unwrap()).unwrap();
    let set_length = |length: usize| file.set_len(u64::try_from(length).unwrap()).unwrap();
    let stale = match shown {
        Some(shown) if shown.file == found.file => [&shown.touched[..], &found.renewed].concat(),
        _ => std::iter::once(0..found.synced.len()).collect(),
    };
    let mut length = found.synced.len();
    for place in stale {
        let place = place.start.min(length)..place.end.min(length);
        write(&found.synced[place.clone()], place.start);
    }
    set_length(length);
    let mut touched = Vec::new();
    for change in &found.changes {
        match *change {
            Change::Write { offset, bytes } => {
                write(bytes, offset);
                touched.push(offset..offset + bytes.len());
            }
            Change::SetLength(to) => {
                set_length(to);
                touched.push(to..usize::MAX);
                length = to;
            }
            Change::Grow(to, byte) => {
                write(&vec![byte; to - length], length);
                touched.push(length..to);
                length = to;
            }
        }
    }
    let file = found.file;
    Shown { file, touched }
}
