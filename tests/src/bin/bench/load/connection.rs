//! One connection: bytes out, and just as much understood of what comes back as its end.

use std::future::poll_fn;
use std::pin::Pin;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Room for most answers at once.
const ROOM: usize = 16 << 10;

/// A connection that is kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    closed: bool,
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// Whether it says when to try again.
    pub(crate) retry_after: bool,
}

/// What stands in an answer's head.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    answer: Answer,
    /// Bytes of the head, the empty line included.
    length: usize,
    body: Body,
    closes: bool,
}

/// How the body's end is found.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    Length(usize),
    Chunks,
}

impl Connection {
    /// Connects to `127.0.0.1:1234`.
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("could not connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; ROOM],
            filled: 0,
            closed: false,
        })
    }

    /// Whether the other side will not answer again.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Sends a request and reads the answer to its last byte.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.closed = true;
        self.send(request).await?;
        self.filled = 0;
        let head = loop {
            self.receive().await?;
            if let Some(head) = head(&self.buffer[..self.filled])? {
                break head;
            }
        };
        while !body_is_whole(&self.buffer[head.length..self.filled], &head.body)? {
            self.receive().await?;
        }
        self.closed = head.closes;
        Ok(head.answer)
    }

    async fn send(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let sent = poll_fn(|context| Pin::new(&mut self.stream).poll_write(context, bytes)).await?;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(2 * self.filled, 0);
        }
        let mut room = ReadBuf::new(&mut self.buffer[self.filled..]);
        poll_fn(|context| Pin::new(&mut self.stream).poll_read(context, &mut room)).await?;
        let received = room.filled().len();
        self.filled += received;
        ensure!(
            received > 0,
            "the connection was closed in the middle of an answer"
        );
        Ok(())
    }
}

/// The head, once all of it is there.
fn head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(length) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
        return Ok(None);
    };
    let mut lines = bytes[..length].split(|byte| *byte == b'\n');
    let status = lines.next().and_then(|line| number(line.get(9..12)?));
    let status = status
        .and_then(|status| u16::try_from(status).ok())
        .context("an answer without a status")?;
    let empty = status == 204 || status == 304;
    let (mut body, mut retry_after, mut closes) = (empty.then_some(Body::Length(0)), false, false);
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") && !empty {
            body = Some(Body::Length(number(value).context("a length that is no number")?));
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            body = Some(Body::Chunks);
        } else if name.eq_ignore_ascii_case(b"retry-after") {
            retry_after = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    Ok(Some(Head {
        answer: Answer { status, retry_after },
        length: length + 4,
        body: body.context("an answer without a length")?,
        closes,
    }))
}

fn number(text: &[u8]) -> Option<usize> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// Whether all of the body is there, and nothing behind it.
fn body_is_whole(bytes: &[u8], body: &Body) -> Result<bool> {
    match body {
        Body::Length(length) => {
            ensure!(bytes.len() <= *length, "an answer is longer than it said");
            Ok(bytes.len() == *length)
        }
        Body::Chunks => chunks_are_whole(bytes),
    }
}

fn chunks_are_whole(mut bytes: &[u8]) -> Result<bool> {
    loop {
        let Some(line) = bytes.windows(2).position(|end| end == b"\r\n") else {
            return Ok(false);
        };
        let digits = bytes[..line]
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        let size = str::from_utf8(digits)
            .ok()
            .and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let Some(size) = size else {
            bail!("a chunk without a size");
        };
        let end = line + 2 + size + 2;
        if bytes.len() < end {
            return Ok(false);
        }
        bytes = &bytes[end..];
        if size == 0 {
            ensure!(bytes.is_empty(), "an answer is longer than its chunks");
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status and whether all is there, for every beginning of an answer.
    fn whole_at(text: &str) -> Vec<usize> {
        let is_whole = |end: &usize| {
            let bytes = &text.as_bytes()[..*end];
            head(bytes)
                .unwrap()
                .is_some_and(|head| body_is_whole(&bytes[head.length..], &head.body).unwrap())
        };
        (0..=text.len()).filter(is_whole).collect()
    }

    #[test]
    fn an_answer_ends_where_its_length_or_its_last_chunk_says() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 503 x\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
        ] {
            assert_eq!(whole_at(text), [text.len()], "{text}");
        }
    }

    #[test]
    fn what_matters_of_a_head_is_found_in_any_case_of_letters() {
        let text = b"HTTP/1.1 429 x\r\nRetry-After: 3\r\nConnection: Close\r\nContent-Length: 2\r\n\r\n{}";
        let head = head(text).unwrap().unwrap();
        let expected = Answer {
            status: 429,
            retry_after: true,
        };
        assert_eq!(
            (head.answer, head.closes, head.body),
            (expected, true, Body::Length(2))
        );
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_an_error() {
        assert!(head(b"HTTP/1.1 2x0 OK\r\n\r\n").is_err());
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "no length");
        assert!(body_is_whole(b"abc", &Body::Length(2)).is_err());
        assert!(chunks_are_whole(b"x\r\n").is_err());
    }
}
