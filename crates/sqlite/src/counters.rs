//! What `changes()` and its siblings answer, kept per guest.

/// A guest's own counters: many guests share the writer's connection, whose counters are
/// therefore somebody else's most of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) changes: u64,
    pub(crate) total_changes: u64,
    pub(crate) last_insert_rowid: i64,
}
