//! What becomes of changes that no sync has covered.

use std::ops::Range;

use fastrand::Rng;

use crate::log::Event;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// What becomes of the changes that no sync has covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// None of them is there.
    Nothing,
    /// All are there.
    Everything,
    /// The first ones are there.
    Prefix,
    /// Any of them are there, each whole.
    Subset,
    /// Any of their sectors are there.
    Torn,
    /// Any of their sectors are there, and an older one may have been written over a newer one.
    Reordered,
}

impl Damage {
    pub(crate) const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Everything,
        Self::Prefix,
        Self::Subset,
        Self::Torn,
        Self::Reordered,
    ];

    /// Which parts of the pending events are on disk, in the order in which they got there.
    pub(crate) fn survivors(self, events: &[Event], pending: &[usize], rng: &mut Rng) -> Vec<Piece> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Everything => whole(events, pending),
            Self::Prefix => whole(events, &pending[..rng.usize(0..=pending.len())]),
            Self::Subset => some(whole(events, pending), rng),
            Self::Torn => some(sectors(events, pending), rng),
            Self::Reordered => {
                let mut pieces = some(sectors(events, pending), rng);
                rng.shuffle(&mut pieces);
                pieces
            }
        }
    }
}

/// A part of an event; the range counts in the bytes of a write and is empty for a truncation.
pub(crate) struct Piece {
    pub(crate) event: usize,
    pub(crate) bytes: Range<usize>,
}

fn whole(events: &[Event], pending: &[usize]) -> Vec<Piece> {
    let piece = |event: &usize| Piece {
        event: *event,
        bytes: 0..length(&events[*event]),
    };
    pending.iter().map(piece).collect()
}

fn sectors(events: &[Event], pending: &[usize]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for &event in pending {
        match &events[event] {
            Event::Written { offset, bytes, .. } => {
                let mut from = 0;
                while from < bytes.len() {
                    let to = bytes.len().min(from + SECTOR - (offset + from) % SECTOR);
                    pieces.push(Piece {
                        event,
                        bytes: from..to,
                    });
                    from = to;
                }
            }
            _ => pieces.push(Piece { event, bytes: 0..0 }),
        }
    }
    pieces
}

/// Leaves some out: usually many, sometimes a single one.
fn some(mut pieces: Vec<Piece>, rng: &mut Rng) -> Vec<Piece> {
    if pieces.is_empty() {
        return pieces;
    }
    if rng.u8(..4) == 0 {
        pieces.remove(rng.usize(..pieces.len()));
        return pieces;
    }
    let kept_of_16 = rng.u8(1..16);
    pieces.retain(|_| rng.u8(..16) < kept_of_16);
    pieces
}

fn length(event: &Event) -> usize {
    match event {
        Event::Written { bytes, .. } => bytes.len(),
        _ => 0,
    }
}
