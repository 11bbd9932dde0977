//! What components write to stdout and stderr, line by line, with the component's id.

mod json;

pub(crate) use json::Json;

use crate::options::GuestLog;
use bytes::Bytes;
use serde::Deserialize;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Longer lines are cut into pieces, so that a guest cannot make the host hold them.
const LINE_LIMIT: usize = 16 << 10;

/// Both outputs of one component.
#[derive(Clone)]
pub(crate) struct ComponentLog {
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

impl ComponentLog {
    pub(crate) fn new(component: &str, options: &GuestLog) -> std::io::Result<Self> {
        let output = |stream| Output::new(component, stream, options);
        Ok(Self {
            stdout: output("stdout")?,
            stderr: output("stderr")?,
        })
    }
}

/// One output of one component; every instance gets a clone.
#[derive(Clone)]
pub(crate) struct Output {
    component: Arc<str>,
    stream: &'static str,
    logged: bool,
    file: Option<Arc<Mutex<File>>>,
}

impl Output {
    fn new(component: &str, stream: &'static str, options: &GuestLog) -> std::io::Result<Self> {
        let file = match &options.dir {
            Some(dir) => Some(Arc::new(Mutex::new(open(
                dir,
                component,
                stream,
                options.truncate,
            )?))),
            None => None,
        };
        Ok(Self {
            component: component.into(),
            stream,
            logged: options.follows(component),
            file,
        })
    }

    /// A line is written in one piece, so that two instances' lines never mix.
    fn line(&self, line: &[u8]) {
        if let Some(file) = &self.file {
            let mut whole = line.to_vec();
            whole.push(b'\n');
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = file.write_all(&whole) {
                tracing::warn!(component = %self.component, %error, "cannot write the log file");
            }
        }
        if self.logged {
            match serde_json::from_slice(line) {
                Ok(said) => self.said(&said),
                Err(_) => {
                    let text = String::from_utf8_lossy(line);
                    tracing::info!(target: "guest", component = %self.component, stream = self.stream, "{text}");
                }
            }
        }
    }
}

/// A line in which a component names level and operation itself, as one JSON object.
#[derive(Deserialize)]
struct Said {
    level: String,
    operation: String,
    message: String,
}

impl Output {
    fn said(&self, said: &Said) {
        let Said {
            level,
            operation,
            message,
        } = said;
        match level.as_str() {
            "error" => tracing::error!(target: "guest", component = %self.component, operation, "{message}"),
            "warn" => tracing::warn!(target: "guest", component = %self.component, operation, "{message}"),
            _ => tracing::info!(target: "guest", component = %self.component, operation, "{message}"),
        }
    }
}

fn open(dir: &Path, component: &str, stream: &str, truncate: bool) -> std::io::Result<File> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join(format!("{component}_{stream}.txt"));
    if truncate {
        File::create(&path)?;
    }
    File::options().create(true).append(true).open(path)
}

/// Collects bytes until a line is whole; what is left goes out when the instance ends.
struct Lines {
    output: Output,
    partial: Vec<u8>,
}

impl Lines {
    fn new(output: Output) -> Self {
        Self {
            output,
            partial: Vec::new(),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(LINE_LIMIT) {
                self.partial.extend_from_slice(part);
                if part.ends_with(b"\n") || self.partial.len() >= LINE_LIMIT {
                    self.emit();
                }
            }
        }
    }

    fn emit(&mut self) {
        let line = std::mem::take(&mut self.partial);
        self.output.line(line.strip_suffix(b"\n").unwrap_or(&line));
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.partial.is_empty() {
            self.emit();
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(Lines::new(self.clone()))
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Lines::new(self.clone()))
    }
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE_LIMIT)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl tokio::io::AsyncWrite for Lines {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_two_instances_do_not_mix_and_the_last_one_needs_no_newline() {
        let dir = tempfile::tempdir().expect("a folder");
        let options = GuestLog {
            quiet: true,
            dir: Some(dir.path().to_owned()),
            ..GuestLog::default()
        };
        let log = ComponentLog::new("stock", &options).expect("log files");
        let (mut one, mut two) = (Lines::new(log.stdout.clone()), Lines::new(log.stdout.clone()));
        one.take(b"one ");
        two.take(b"two\nthree");
        one.take(b"more\n");
        drop((one, two));
        let text = std::fs::read_to_string(dir.path().join("stock_stdout.txt")).expect("a file");
        assert_eq!(text, "two\none more\nthree\n");
    }
}
