//! One request without a client library.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result};

const PATIENCE: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Asks `address`, `host:port`, for a page. HTTP/1.0 keeps the answer free of chunks.
pub(crate) fn get(address: &str, path: &str) -> Result<Answer> {
    let resolved = address
        .to_socket_addrs()?
        .next()
        .context("the address leads nowhere")?;
    let mut stream = TcpStream::connect_timeout(&resolved, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let text = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n\r\n");
    stream.write_all(text.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    read(&answer)
}

fn read(answer: &str) -> Result<Answer> {
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("the answer has no end of its head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok(Answer {
        status: status.context("the answer has no status")?,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = read("HTTP/1.0 201 Created\r\na: b\r\n\r\n{}\r\n\r\n").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (201, "{}\r\n\r\n"));
        assert!(read("HTTP/1.0 201 Created\r\n").is_err());
        assert!(read("SSH-2.0\r\n\r\n").is_err());
    }
}
