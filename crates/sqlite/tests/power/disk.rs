//! What a disk may hold when the power goes.

use std::collections::BTreeMap;
use std::ops::Range;

use fastrand::Rng;

use crate::damage::Damage;
use crate::log::{Event, FileId};

/// The files found after a cut, by their names.
pub(crate) type Image<'a> = BTreeMap<&'a str, Found<'a>>;

/// A file as it is found: what was synced, changed by what else had reached the disk.
pub(crate) struct Found<'a> {
    pub(crate) file: FileId,
    pub(crate) synced: &'a [u8],
    /// What the syncs since the file was last found have changed in `synced`.
    pub(crate) renewed: Vec<Range<usize>>,
    pub(crate) changes: Vec<Change<'a>>,
}

/// A change of a file.
pub(crate) enum Change<'a> {
    Write {
        offset: usize,
        bytes: &'a [u8],
    },
    SetLength(usize),
    /// The file has grown to this length, and has this byte in its new part.
    Grow(usize, u8),
}

/// The disk at one place in the log.
pub(crate) struct Disk<'a> {
    events: &'a [Event],
    at: usize,
    files: Vec<Content>,
    names: BTreeMap<&'a str, Name>,
    /// For each guest, the newest turn it was told is done.
    acknowledged: Vec<u32>,
}

/// What is surely in a file, and the events that may or may not have changed it.
#[derive(Default)]
struct Content {
    name: String,
    synced: Vec<u8>,
    renewed: Vec<Range<usize>>,
    pending: Vec<usize>,
}

/// Which file a name has stood for, after each event that changed it; the first `settled` of them
/// are surely on disk.
#[derive(Default)]
struct Name {
    history: Vec<(usize, Option<FileId>)>,
    settled: usize,
}

impl<'a> Disk<'a> {
    pub(crate) fn new(events: &'a [Event], guests: usize) -> Self {
        Self {
            events,
            at: 0,
            files: Vec::new(),
            names: BTreeMap::new(),
            acknowledged: vec![0; guests],
        }
    }

    pub(crate) fn acknowledged(&self) -> &[u32] {
        &self.acknowledged
    }

    /// Goes on to the time when everything before `position` has happened.
    pub(crate) fn advance(&mut self, position: usize) {
        for at in self.at..position {
            self.follow(at);
        }
        self.at = self.at.max(position);
    }

    fn follow(&mut self, at: usize) {
        match &self.events[at] {
            Event::Created { file, name } => {
                assert_eq!(*file, self.files.len(), "files are numbered as they come");
                self.files.push(Content {
                    name: name.clone(),
                    ..Content::default()
                });
                self.names
                    .entry(name)
                    .or_default()
                    .history
                    .push((at, Some(*file)));
            }
            Event::Written { file, .. } | Event::Truncated { file, .. } => self.files[*file].pending.push(at),
            Event::Synced {
                file,
                begun,
                with_folder,
            } => {
                self.files[*file].sync(self.events, *begun);
                if *with_folder {
                    self.settle_names(*begun);
                }
            }
            Event::Deleted { file, with_folder } => {
                let name = self.names.get_mut(self.files[*file].name.as_str()).unwrap();
                name.history.push((at, None));
                if *with_folder {
                    self.settle_names(at + 1);
                }
            }
            Event::Acknowledged { guest, turn } => {
                self.acknowledged[usize::try_from(*guest).unwrap()] = *turn;
            }
        }
    }

    /// The folder was synced: what happened to names before `begun` is on disk.
    fn settle_names(&mut self, begun: usize) {
        for name in self.names.values_mut() {
            name.settled = name.history.partition_point(|(at, _)| *at < begun);
        }
    }

    /// What is found when the power goes here.
    pub(crate) fn cut(&mut self, damage: Damage, rng: &mut Rng) -> Image<'_> {
        let mut found = BTreeMap::new();
        for (name, folder) in &self.names {
            let last = match damage {
                Damage::Nothing => folder.settled,
                Damage::Everything => folder.history.len(),
                _ => rng.usize(folder.settled..=folder.history.len()),
            };
            if let Some(file) = last.checked_sub(1).and_then(|last| folder.history[last].1) {
                let renewed = std::mem::take(&mut self.files[file].renewed);
                let changes = self.changes(&self.files[file], damage, rng);
                found.insert(*name, (file, renewed, changes));
            }
        }
        let files = &self.files;
        found
            .into_iter()
            .map(|(name, (file, renewed, changes))| {
                let synced = &files[file].synced;
                (
                    name,
                    Found {
                        file,
                        synced,
                        renewed,
                        changes,
                    },
                )
            })
            .collect()
    }

    /// Which changes reached the disk without a sync.
    fn changes(&self, file: &Content, damage: Damage, rng: &mut Rng) -> Vec<Change<'a>> {
        // A file may have grown before what makes it longer is written: zeros, or what was there.
        let junk = matches!(damage, Damage::Torn | Damage::Reordered) && rng.bool();
        let byte = if junk { rng.u8(..) } else { 0 };
        let mut length = file.synced.len();
        let mut changes = Vec::new();
        for piece in damage.survivors(self.events, &file.pending, rng) {
            match &self.events[piece.event] {
                Event::Written { offset, bytes, .. } => {
                    let end = offset + piece.bytes.end;
                    if length < end {
                        changes.push(Change::Grow(end, byte));
                        length = end;
                    }
                    let (offset, bytes) = (offset + piece.bytes.start, &bytes[piece.bytes]);
                    changes.push(Change::Write { offset, bytes });
                }
                Event::Truncated { size, .. } => {
                    changes.push(Change::SetLength(*size));
                    length = *size;
                }
                _ => {}
            }
        }
        changes
    }
}

impl Content {
    /// A sync that was begun there came back.
    fn sync(&mut self, events: &[Event], begun: usize) {
        let covered = self.pending.partition_point(|at| *at < begun);
        for at in self.pending.drain(..covered) {
            match &events[at] {
                Event::Written { offset, bytes, .. } => {
                    let place = *offset..offset + bytes.len();
                    if self.synced.len() < place.end {
                        self.renewed.push(self.synced.len()..place.end);
                        self.synced.resize(place.end, 0);
                    }
                    self.synced[place.clone()].copy_from_slice(bytes);
                    self.renewed.push(place);
                }
                Event::Truncated { size, .. } => {
                    self.renewed.push(*size..self.synced.len().max(*size));
                    self.synced.resize(*size, 0);
                }
                _ => {}
            }
        }
    }
}
