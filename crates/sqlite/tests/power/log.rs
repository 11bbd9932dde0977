//! What happened to the files, and which commits were answered, in one order.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file from its creation to its deletion; one that is created anew under the same name is
/// another file.
pub(crate) type FileId = usize;

/// One thing that happened. Its place in the log is the time at which it did.
pub(crate) enum Event {
    Created {
        file: FileId,
        name: String,
    },
    Written {
        file: FileId,
        offset: usize,
        bytes: Box<[u8]>,
    },
    Truncated {
        file: FileId,
        size: usize,
    },
    /// A sync came back. It covers what stood in the log before `begun`.
    Synced {
        file: FileId,
        begun: usize,
        with_folder: bool,
    },
    /// A file was deleted; `with_folder` says that the folder was synced too.
    Deleted {
        file: FileId,
        with_folder: bool,
    },
    /// A guest was told that its commit with this number is done.
    Acknowledged {
        guest: u32,
        turn: u32,
    },
}

/// The log while it is being written.
#[derive(Default)]
pub(crate) struct Log {
    entries: Mutex<Entries>,
}

/// The events so far, and the files that have a name now.
#[derive(Default)]
pub(crate) struct Entries {
    pub(crate) events: Vec<Event>,
    names: HashMap<String, FileId>,
    files: usize,
}

impl Log {
    /// Whoever changes a file holds this meanwhile, so that the log has the order of the changes.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn acknowledge(&self, guest: u32, turn: u32) {
        self.lock().events.push(Event::Acknowledged { guest, turn });
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.lock()).events
    }
}

impl Entries {
    /// The file of this name, which is a new one if none had the name.
    pub(crate) fn open(&mut self, name: &str) -> FileId {
        if let Some(file) = self.names.get(name) {
            return *file;
        }
        let file = self.files;
        self.files += 1;
        self.names.insert(name.to_owned(), file);
        let name = name.to_owned();
        self.events.push(Event::Created { file, name });
        file
    }

    pub(crate) fn delete(&mut self, name: &str, with_folder: bool) {
        if let Some(file) = self.names.remove(name) {
            self.events.push(Event::Deleted { file, with_folder });
        }
    }
}
