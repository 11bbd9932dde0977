//! HTTP/1.1 without the leniency that lets two parties disagree where a request ends (RFC 9112 §2.2, §6.3, §11.2).
//!
//! hyper takes what many servers take: a bare LF for the end of a line, a length beside chunks. A proxy in front of
//! us may read the same bytes otherwise, and what it takes for a body is then a request of its own here. So the bytes
//! are looked at before hyper sees them, and a request with two readings is none: hyper gets the end of a head that
//! no request has, answers 400, and the connection ends. A body that is on its way breaks off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What of a line is looked at: no length and no coding is longer.
const LINE: usize = 256;

/// No head ends like this. hyper looks at one only when it has seen its end.
const NO_HEAD: &[u8] = b"\0\r\n\r\n";

/// A connection whose requests have one reading only.
pub(super) struct Strict<S> {
    stream: S,
    scanner: Scanner,
    /// What is still to be read of a connection that was refused.
    rest: Option<&'static [u8]>,
}

impl<S> Strict<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            scanner: Scanner::default(),
            rest: None,
        }
    }

    fn read_rest(&mut self, rest: &'static [u8], buffer: &mut ReadBuf<'_>) {
        let (here, later) = rest.split_at(rest.len().min(buffer.remaining()));
        buffer.put_slice(here);
        self.rest = Some(later);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(rest) = self.rest {
            self.read_rest(rest, buffer);
            return Poll::Ready(Ok(()));
        }
        let (before, in_body) = (buffer.filled().len(), self.scanner.is_in_body());
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = read
            && let Err(why) = self.scanner.look(&buffer.filled()[before..])
        {
            tracing::debug!(why = why.0, "a request has more than one reading");
            buffer.set_filled(before);
            // In a body these bytes could be the last ones that are missing, and nobody sent them.
            self.read_rest(if in_body { b"" } else { NO_HEAD }, buffer);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }
}

/// Why a request has more than one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ambiguous(&'static str);

/// Where in a request the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    RequestLine,
    Header,
    /// So many bytes of a body are still to come.
    Body(u64),
    ChunkSize,
    /// So many bytes of a chunk, and the end of its line.
    Chunk(u64),
    Trailer,
    /// HTTP/2: frames have one reading.
    Other,
}

/// Follows the requests of a connection, byte by byte, across reads.
#[derive(Debug)]
struct Scanner {
    place: Place,
    /// The beginning of the line so far, without its end.
    line: Vec<u8>,
    /// The whole line's length so far.
    length: usize,
    after_cr: bool,
    first: bool,
    old: bool,
    declared: Option<u64>,
    chunked: bool,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            place: Place::RequestLine,
            line: Vec::new(),
            length: 0,
            after_cr: false,
            first: true,
            old: false,
            declared: None,
            chunked: false,
        }
    }
}

impl Scanner {
    fn look(&mut self, mut bytes: &[u8]) -> Result<(), Ambiguous> {
        while let Some((&byte, rest)) = bytes.split_first() {
            match self.place {
                Place::Other => return Ok(()),
                Place::Body(left) | Place::Chunk(left) if left > 0 => {
                    let here = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    self.skip(left - here as u64);
                    bytes = &bytes[here..];
                }
                _ => {
                    self.byte(byte)?;
                    bytes = rest;
                }
            }
        }
        Ok(())
    }

    const fn is_in_body(&self) -> bool {
        match self.place {
            Place::Body(_) | Place::ChunkSize | Place::Chunk(_) | Place::Trailer => true,
            Place::RequestLine | Place::Header | Place::Other => false,
        }
    }

    fn skip(&mut self, left: u64) {
        self.place = match self.place {
            Place::Body(_) if left == 0 => self.next_request(),
            Place::Body(_) => Place::Body(left),
            _ => Place::Chunk(left),
        };
    }

    /// A byte of a line.
    fn byte(&mut self, byte: u8) -> Result<(), Ambiguous> {
        match (byte, self.after_cr) {
            (b'\n', true) => {
                self.after_cr = false;
                let line = std::mem::take(&mut self.line);
                let ended = self.end_of_line(&line);
                self.line = line;
                self.line.clear();
                self.length = 0;
                return ended;
            }
            (b'\n', false) => return Err(Ambiguous("a line ends in a bare LF")),
            (_, true) => return Err(Ambiguous("a CR stands without its LF")),
            (b'\r', false) => self.after_cr = true,
            (0..=8 | 11..=31 | 127, false) => return Err(Ambiguous("a control character stands in a line")),
            (_, false) => {
                self.length += 1;
                if self.line.len() < LINE {
                    self.line.push(byte);
                }
            }
        }
        Ok(())
    }

    fn end_of_line(&mut self, line: &[u8]) -> Result<(), Ambiguous> {
        let whole = self.length == line.len();
        self.place = match self.place {
            // An empty line before a request is passed over (RFC 9112 §2.2).
            Place::RequestLine if line.is_empty() => Place::RequestLine,
            Place::RequestLine if self.first && line == b"PRI * HTTP/2.0" => Place::Other,
            Place::RequestLine => {
                self.old = line.ends_with(b" HTTP/1.0") && whole;
                self.first = false;
                Place::Header
            }
            Place::Header if line.is_empty() => self.end_of_head()?,
            Place::Header => {
                self.header(line, whole)?;
                Place::Header
            }
            Place::ChunkSize => match chunk_size(line, whole)? {
                0 => Place::Trailer,
                size => Place::Chunk(size),
            },
            Place::Chunk(_) if line.is_empty() => Place::ChunkSize,
            Place::Chunk(_) => return Err(Ambiguous("a chunk is longer than its size")),
            Place::Trailer if line.is_empty() => self.next_request(),
            Place::Trailer => Place::Trailer,
            Place::Body(_) | Place::Other => self.place,
        };
        Ok(())
    }

    fn header(&mut self, line: &[u8], whole: bool) -> Result<(), Ambiguous> {
        let colon = line.iter().position(|byte| *byte == b':');
        let Some(colon) = colon else {
            // A name may be longer than what is kept; then it is none of ours.
            return if whole {
                Err(Ambiguous("a header has no colon"))
            } else {
                Ok(())
            };
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.is_empty() || name.iter().any(|byte| b" \t".contains(byte)) {
            return Err(Ambiguous("a header's name has a blank, or is folded"));
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = (whole && self.declared.is_none())
                .then(|| digits(value, 10))
                .flatten();
            self.declared = Some(length.ok_or(Ambiguous("the length is no one number"))?);
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if !whole || self.chunked || self.old || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Ambiguous("the transfer coding is not chunked, once"));
            }
            self.chunked = true;
        }
        Ok(())
    }

    fn end_of_head(&mut self) -> Result<Place, Ambiguous> {
        match (self.chunked, self.declared) {
            (true, Some(_)) => Err(Ambiguous("there is a length beside chunks")),
            (true, None) => Ok(Place::ChunkSize),
            (false, Some(length)) if length > 0 => Ok(Place::Body(length)),
            (false, _) => Ok(self.next_request()),
        }
    }

    fn next_request(&mut self) -> Place {
        self.declared = None;
        self.chunked = false;
        Place::RequestLine
    }
}

/// The size in a chunk's first line; what stands behind a semicolon says nothing about it.
fn chunk_size(line: &[u8], whole: bool) -> Result<u64, Ambiguous> {
    let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let size = whole.then(|| digits(size.trim_ascii_end(), 16)).flatten();
    size.ok_or(Ambiguous("a chunk's size is no number"))
}

fn digits(text: &[u8], radix: u32) -> Option<u64> {
    let plain = text.iter().all(|byte| char::from(*byte).is_digit(radix));
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| plain && !text.is_empty())?;
    u64::from_str_radix(text, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// The same verdict is given however the bytes are cut.
    fn check(text: &str, expected: Result<Place, &str>) {
        for size in [1, 2, 3, 7, usize::MAX] {
            let mut scanner = Scanner::default();
            let looked = text
                .as_bytes()
                .chunks(size.min(text.len()))
                .try_for_each(|part| scanner.look(part));
            let found = looked.map(|()| scanner.place).map_err(|why| why.0);
            assert_eq!(found, expected, "{text:?} in parts of {size}");
        }
    }

    /// What hyper reads of these parts, each sent when the one before was read, with so much room at once.
    async fn read(parts: &[&str], room: usize) -> String {
        let (mut client, server) = tokio::io::duplex(1_024);
        let (mut strict, mut read) = (Strict::new(server), Vec::new());
        for part in parts {
            client.write_all(part.as_bytes()).await.expect("it is read");
            let mut bytes = vec![0; room];
            let size = strict.read(&mut bytes).await.expect("no error");
            read.extend_from_slice(&bytes[..size]);
        }
        drop(client);
        let mut left = vec![0; room];
        while let size @ 1.. = strict.read(&mut left).await.expect("no error") {
            read.extend_from_slice(&left[..size]);
        }
        String::from_utf8(read).expect("text")
    }

    /// hyper answers 400 only to what looks like a whole head, however much of it came before.
    #[tokio::test]
    async fn a_refused_head_has_an_end() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\n";
        for room in [64, 100] {
            assert_eq!(read(&[head, "b: c\n"], room).await, format!("{head}\0\r\n\r\n"));
        }
        for room in 1..8 {
            assert_eq!(read(&["\n"], room).await, "\0\r\n\r\n", "{room}");
        }
    }

    #[tokio::test]
    async fn a_body_gets_no_byte_that_was_not_sent() {
        let length = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na";
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na";
        for begun in [length, chunked] {
            assert_eq!(read(&[begun, "b\n"], 100).await, begun);
        }
    }

    #[test]
    fn good_requests_pass_one_after_the_other() {
        let done = Ok(Place::RequestLine);
        check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", done);
        check(
            "\r\nGET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            done,
        );
        check(
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nbGET / HTTP/1.1\r\n\r\n",
            done,
        );
        check("POST / HTTP/1.1\r\nContent-Length:0\r\n\r\n", done);
        check(
            "POST / HTTP/1.1\r\ncontent-LENGTH: 9\r\n\r\na\0b",
            Ok(Place::Body(6)),
        );
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n";
        check(
            &format!("{chunked}3;a=b\r\na\nb\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n"),
            done,
        );
        check(&format!("{chunked}3 \r\nabc\r\n"), Ok(Place::ChunkSize));
        check(&format!("{chunked}10\r\nabc"), Ok(Place::Chunk(13)));
        let long = "x".repeat(LINE * 2);
        check(
            &format!("GET /{long} HTTP/1.1\r\n{long}: a\r\nb: {long}\r\n\r\n"),
            done,
        );
        check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\n\n", Ok(Place::Other));
        check("GET / HTTP/1.1\r\nx: 가\ty\r\n\r\n", done);
    }

    #[test]
    fn what_could_end_in_two_places_does_not_pass() {
        let head = |lines: &str| format!("POST / HTTP/1.1\r\n{lines}\r\n\r\n");
        for lines in [
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 1\r\nContent-Length: 2",
            "Content-Length: 1, 1",
            "Content-Length: +1",
            "Content-Length: -1",
            "Content-Length: 0x1",
            "Content-Length:",
            "Content-Length: 18446744073709551616",
        ] {
            check(&head(lines), Err("the length is no one number"));
        }
        for lines in [
            "Transfer-Encoding: identity",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding:",
        ] {
            check(&head(lines), Err("the transfer coding is not chunked, once"));
        }
        for lines in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 0",
        ] {
            check(&head(lines), Err("there is a length beside chunks"));
        }
        for lines in [
            "Content-Length : 1",
            " Content-Length: 1",
            "a: b\r\n c: d",
            ": a",
            "\ta: b",
        ] {
            check(&head(lines), Err("a header's name has a blank, or is folded"));
        }
        check(
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            Err("the transfer coding is not chunked, once"),
        );
        check("GET / HTTP/1.1\nHost: a\n\n", Err("a line ends in a bare LF"));
        check("GET / HTTP/1.1\r\nHost: a\n\r\n", Err("a line ends in a bare LF"));
        check(
            "GET / HTTP/1.1\rHost: a\r\n\r\n",
            Err("a CR stands without its LF"),
        );
        check("GET / HTTP/1.1\r\r\n", Err("a CR stands without its LF"));
        check(
            "GET / HTTP/1.1\r\na: b\0c\r\n\r\n",
            Err("a control character stands in a line"),
        );
        check("GET / HTTP/1.1\r\nnothing\r\n\r\n", Err("a header has no colon"));
        // Only the beginning of a connection may be HTTP/2's.
        check(
            "GET / HTTP/1.1\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\n",
            Err("a line ends in a bare LF"),
        );
        let long = format!("Content-Length: {}1", " ".repeat(LINE));
        check(&head(&long), Err("the length is no one number"));
    }

    #[test]
    fn chunks_are_as_long_as_they_say() {
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for size in ["", "-1", "0x1", "g", "1 2", ";a", "11111111111111111"] {
            check(
                &format!("{chunked}{size}\r\n"),
                Err("a chunk's size is no number"),
            );
        }
        check(
            &format!("{chunked}1\r\nab\r\n"),
            Err("a chunk is longer than its size"),
        );
        check(&format!("{chunked}1\na\r\n"), Err("a line ends in a bare LF"));
        check(&format!("{chunked}1\r\na\n"), Err("a line ends in a bare LF"));
    }
}
