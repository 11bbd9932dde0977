//! Real brokers and databases for tests: each on its own port of the loopback, with its own folder, gone with its test.
//!
//! A server whose program is not installed gives `None`, and says so: the test passes without having
//! proved anything. With `BODEGA_REQUIRE_SERVERS=1` a missing program is a failure instead.
#![allow(clippy::unwrap_used, reason = "a test that can't start its server has failed")]

mod postgres;

use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use postgres::{DATABASES, Postgres, Sync};

/// Long enough for a server to start on a machine that is busy with something else.
const START: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// A running `redis-server`. It keeps nothing on disk.
#[derive(Debug)]
pub struct Redis(Server);

/// A running `nats-server` with JetStream, whose streams outlive [`Nats::kill`].
#[derive(Debug)]
pub struct Nats(Server);

impl Redis {
    /// Starts one, or says loudly that there is none.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with more arguments, such as `--requirepass`.
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        Server::start(Kind::Redis, arguments).map(Self)
    }

    /// Its address, such as `redis://127.0.0.1:12345`.
    pub fn address(&self) -> String {
        format!("redis://{}", self.0.socket())
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Ends it at once, as a power failure would, and waits until it is gone.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Stops it in its tracks: it keeps its connections and says nothing, until [`Redis::thaw`].
    pub fn freeze(&mut self) {
        self.0.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        self.0.signal("CONT");
    }

    /// Starts it again on the same port; kills it first when it still runs.
    pub fn restart(&mut self) {
        self.0.restart();
    }
}

impl Nats {
    /// Starts one, or says loudly that there is none.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with more arguments, such as `--user`.
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        Server::start(Kind::Nats, arguments).map(Self)
    }

    /// Its address, such as `nats://127.0.0.1:12345`.
    pub fn address(&self) -> String {
        format!("nats://{}", self.0.socket())
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Ends it at once, as a power failure would, and waits until it is gone.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Stops it in its tracks: it keeps its connections and says nothing, until [`Nats::thaw`].
    pub fn freeze(&mut self) {
        self.0.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        self.0.signal("CONT");
    }

    /// Starts it again on the same port with the streams it had; kills it first when it still runs.
    pub fn restart(&mut self) {
        self.0.restart();
    }

    /// Starts it again on the same port, with all streams and consumers gone.
    pub fn restart_empty(&mut self) {
        self.0.kill();
        self.0.folder = tempfile::tempdir().unwrap();
        self.0.restart();
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Redis,
    Nats,
}

impl Kind {
    const fn program(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Nats => "nats-server",
        }
    }

    fn arguments(self, port: u16, folder: &Path) -> Vec<OsString> {
        let words: &[&str] = match self {
            Self::Redis => &["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"],
            Self::Nats => &["-a", "127.0.0.1", "-js", "-sd"],
        };
        let mut arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
        arguments.extend([folder.into(), "--port".into(), port.to_string().into()]);
        arguments
    }

    /// Whether a server of this kind answers at the other end.
    fn answers(self, mut connection: TcpStream) -> std::io::Result<bool> {
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        let expected: &[&[u8]] = match self {
            Self::Redis => {
                connection.write_all(b"PING\r\n")?;
                &[b"+PONG", b"-NOAU"]
            }
            Self::Nats => &[b"INFO "],
        };
        let mut start = [0; 5];
        connection.read_exact(&mut start)?;
        Ok(expected.contains(&&start[..]))
    }
}

#[derive(Debug)]
struct Server {
    kind: Kind,
    program: PathBuf,
    more: Vec<String>,
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl Server {
    fn start(kind: Kind, more: &[&str]) -> Option<Self> {
        let mut server = Self {
            kind,
            program: find(kind.program())?,
            more: more.iter().map(|&word| word.to_owned()).collect(),
            port: 0,
            folder: tempfile::tempdir().unwrap(),
            process: None,
        };
        // Another process may take the port between our look and the server's.
        for _ in 0..5 {
            server.port = free_port();
            if server.run() {
                return Some(server);
            }
        }
        panic!("{} does not start with {more:?}", kind.program());
    }

    fn restart(&mut self) {
        self.kill();
        let deadline = Instant::now() + START;
        while !self.run() {
            assert!(Instant::now() < deadline, "port {} is taken", self.port);
            sleep(PAUSE);
        }
    }

    /// Starts the process and waits until it answers; `false` when it ended instead.
    fn run(&mut self) -> bool {
        let mut process = Command::new(&self.program)
            .args(self.kind.arguments(self.port, self.folder.path()))
            .args(&self.more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + START;
        while process.try_wait().unwrap().is_none() {
            let connection = TcpStream::connect_timeout(&self.socket(), Duration::from_secs(5));
            // Somebody else's server on this port would answer as well, so ours must be alive after it.
            if connection.is_ok_and(|it| self.kind.answers(it).unwrap_or(false))
                && process.try_wait().unwrap().is_none()
            {
                self.process = Some(process);
                return true;
            }
            if Instant::now() >= deadline {
                process.kill().unwrap();
                process.wait().unwrap();
                panic!("{} does not answer", self.kind.program());
            }
            sleep(PAUSE);
        }
        false
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    fn signal(&self, name: &str) {
        assert!(run_kill(name, self.process.as_ref().unwrap().id()));
    }

    fn socket(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where `program` is. Debian keeps one of them where ordinary users do not look.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders
        .map(|folder| folder.join(program))
        .find(|file| file.is_file());
    if found.is_none() {
        missing(program);
    }
    found
}

/// Says loudly that there is no such program, or fails where there has to be one.
fn missing(program: &str) {
    let required = std::env::var_os("BODEGA_REQUIRE_SERVERS").is_some_and(|value| value == "1");
    assert!(
        !required,
        "{program} is not installed, and BODEGA_REQUIRE_SERVERS=1"
    );
    // Not `eprintln!`, which the test harness keeps to itself while a test passes.
    let notice = format!("\n*** SKIPPED: {program} is not installed, so this test proves NOTHING ***\n\n");
    std::io::stderr().write_all(notice.as_bytes()).unwrap();
}

/// Sends a process a signal by its name; false when it is not there any more.
fn run_kill(signal: &str, process: u32) -> bool {
    let kill = format!("kill -{signal} {process}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &kill]).stderr(Stdio::null());
    shell.status().unwrap().success()
}

/// A port nobody listens on. Not one that the system gives to outgoing connections: a client that
/// keeps trying to reach a dead server there can end up connected to itself and hold the port.
fn free_port() -> u16 {
    loop {
        let random = RandomState::new().hash_one(());
        let port = 10_000 + u16::try_from(random % 22_000).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_server_is_gone_and_comes_back_on_its_port() {
        let Some(mut redis) = Redis::start() else { return };
        let address = redis.address();
        redis.kill();
        assert!(TcpStream::connect(redis.0.socket()).is_err());
        redis.restart();
        assert_eq!(redis.address(), address);
        assert!(TcpStream::connect(redis.0.socket()).is_ok());
    }

    #[test]
    fn two_servers_do_not_meet() {
        let (Some(one), Some(other)) = (Nats::start(), Nats::start()) else {
            return;
        };
        assert_ne!(one.port(), other.port());
    }
}
