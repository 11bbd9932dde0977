//! A server with test guests, and clients to talk to it.

use bytes::Bytes;
use host::{App, CompileCache, LoadError, Options, Server};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use manifest::Manifest;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Where the build put a guest; a test cannot go on without it.
pub(crate) fn guest(name: &str) -> PathBuf {
    let path = target().join("wasm32-wasip2/guest").join(format!("{name}.wasm"));
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask build` first",
        path.display()
    );
    path
}

fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => dir.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
    }
}

/// One component's table with its route; `grants` are further lines of it.
pub(crate) fn component(id: &str, wasm: &str, route: &str, grants: &str) -> String {
    let source = guest(wasm);
    format!(
        "[[trigger.http]]\nroute = {route}\ncomponent = {id:?}\n[component.{id}]\nsource = {source:?}\n{grants}\n"
    )
}

/// The usual application: the probe with everything granted on `/probe/...`.
pub(crate) fn probe() -> String {
    component(
        "probe",
        "probe",
        "\"/probe/...\"",
        "sqlite_databases = [\"default\"]\nkey_value_stores = [\"default\"]",
    )
}

/// The application of the triggers' tests, with more tables; `hosts` is where the ticker may publish.
pub(crate) fn ticker(hosts: &[&str], tables: &str) -> String {
    let grants = format!(
        "sqlite_databases = [\"default\"]\nkey_value_stores = [\"default\"]\n\
         allowed_outbound_hosts = {hosts:?}\n{tables}"
    );
    component("ticker", "ticker", "\"/ticker/...\"", &grants)
}

/// Options for tests: compiled code is kept between runs, nothing else is.
pub(crate) fn options() -> Options {
    let cache = std::path::absolute(target().join("bodega-compiled")).expect("a path");
    Options {
        cache: CompileCache::Dir(cache),
        ..Options::default()
    }
}

/// Loads an application from the tables of a manifest.
pub(crate) async fn load(tables: &str, options: Options) -> (Result<App, LoadError>, TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("spin.toml");
    let text = format!("spin_manifest_version = 2\n[application]\nname = \"test\"\n{tables}");
    std::fs::write(&path, &text).expect("a manifest");
    let manifest = Manifest::load(&path).expect("a manifest that makes sense");
    (App::load(&manifest, options).await, dir)
}

/// A server that is running.
pub(crate) struct Running {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<bool>,
    _dir: TempDir,
}

/// Starts a server with the tables of a manifest.
pub(crate) async fn start(tables: &str, options: Options) -> Running {
    let (app, dir) = load(tables, options).await;
    let app = app.unwrap_or_else(|error| panic!("{:#}", anyhow::Error::from(error)));
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(app.clone(), any).await.expect("a port");
    let address = server.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(server.serve(async move {
        let _ = stopped.await;
    }));
    Running {
        app,
        address,
        stop: Some(stop),
        served,
        _dir: dir,
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    async fn read(response: Response<hyper::body::Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Checks that it is a problem document of the host's own, and that it gives nothing away.
    pub(crate) fn assert_problem(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        assert_eq!(body["status"], status);
        assert_eq!(body["message"], body["detail"]);
        for secret in ["wasm", "panicked", "sqlite", "/root", "backtrace"] {
            assert!(!self.body.contains(secret), "{secret} in {}", self.body);
        }
    }
}

pub(crate) type Outgoing = Full<Bytes>;

/// A client with a pool of its own.
pub(crate) fn client(http2: bool) -> Client<HttpConnector, Outgoing> {
    Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build(HttpConnector::new())
}

impl Running {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(self.url(path)), "").await
    }

    pub(crate) async fn send(&self, request: http::request::Builder, body: &str) -> Answer {
        let request = request
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .expect("a request");
        let response = client(false).request(request).await.expect("an answer");
        Answer::read(response).await
    }

    /// The same over HTTP/2 without TLS.
    pub(crate) async fn get_h2(&self, path: &str) -> Answer {
        let request = Request::get(self.url(path))
            .body(Full::default())
            .expect("a request");
        let response = client(true).request(request).await.expect("an answer");
        assert_eq!(response.version(), http::Version::HTTP_2);
        Answer::read(response).await
    }

    /// What the ticker has written down.
    pub(crate) async fn notes(&self) -> Vec<String> {
        let notes = self.get("/ticker/notes").await.body;
        notes.lines().map(str::to_owned).collect()
    }

    /// Waits until the ticker's notes are as they should be, and answers them.
    pub(crate) async fn wait_for(&self, what: &str, holds: impl Fn(&[String]) -> bool) -> Vec<String> {
        let started = std::time::Instant::now();
        loop {
            let notes = self.notes().await;
            if holds(&notes) {
                return notes;
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "still waiting for {what}: {notes:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends these bytes and answers all that comes back until the server hangs up or falls silent.
    pub(crate) async fn raw(&self, bytes: Vec<u8>) -> String {
        let address = self.address;
        let talk = move || {
            let mut stream = std::net::TcpStream::connect(address).expect("a connection");
            let patience = Duration::from_secs(2);
            stream.set_read_timeout(Some(patience)).expect("a timeout");
            // The server may hang up in the middle, which is an answer too.
            let _ = stream.write_all(&bytes);
            let mut answer = Vec::new();
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut piece) {
                answer.extend_from_slice(&piece[..length]);
            }
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::task::spawn_blocking(talk).await.expect("no panic")
    }

    /// Tells the server to stop, without waiting.
    pub(crate) fn stop(&mut self) {
        let stop = self.stop.take().expect("stopped only once");
        stop.send(()).expect("the server runs");
    }

    /// Whether all requests had ended when the server did.
    pub(crate) async fn drained(self) -> bool {
        self.served.await.expect("the server does not panic")
    }
}
