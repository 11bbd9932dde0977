//! The files as the build script packed them.

use std::io::Read;

use flate2::bufread::GzDecoder;

/// Every file there is, each under its own path.
pub const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// A file that is served.
#[derive(Debug)]
pub struct File {
    /// Where it is asked for.
    pub path: &'static str,
    /// What it is to the page.
    pub kind: Kind,
    /// Its media type, with the charset where it is text.
    pub media_type: &'static str,
    /// Of its content, before compression: 32 hexadecimal digits.
    pub hash: &'static str,
    stored: Stored,
}

/// What a file is to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The page itself.
    Page,
    /// Something the page names, by its path and its hash.
    Asset,
}

/// In which form a file's bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As they are.
    Identity,
    /// Compressed.
    Gzip,
}

/// In which form a file is embedded. Text is kept compressed alone: nearly every browser wants it so, and
/// whoever does not waits until it is unpacked.
#[derive(Debug)]
enum Stored {
    Plain(&'static [u8]),
    Gzip { bytes: &'static [u8], length: usize },
}

impl File {
    /// The codings in which it can be had; what is compressed in itself has only one.
    pub const fn codings(&self) -> &'static [Coding] {
        match self.stored {
            Stored::Plain(_) => &[Coding::Identity],
            Stored::Gzip { .. } => &[Coding::Identity, Coding::Gzip],
        }
    }

    /// Its bytes in a coding, copied once. A file that can't be had in this one comes as it is.
    pub fn bytes(&self, coding: Coding) -> Vec<u8> {
        match (&self.stored, coding) {
            (Stored::Plain(bytes), _) | (Stored::Gzip { bytes, .. }, Coding::Gzip) => bytes.to_vec(),
            (Stored::Gzip { bytes, length }, Coding::Identity) => inflate(bytes, *length),
        }
    }
}

fn inflate(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut plain = Vec::with_capacity(length);
    GzDecoder::new(bytes)
        .read_to_end(&mut plain)
        .expect("the build script compressed it");
    plain
}
