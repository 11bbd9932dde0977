//! The load: a closed loop of clients, each on a connection of its own that is kept alive.
//!
//! It stands on hyper's connections, without a pool or redirects, since a client that is busy itself is
//! measured along with the host on the same machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use tests::Client;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::figures::Figures;

/// Longer than any request may take in the host.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one client asks over and over.
#[derive(Clone)]
pub(crate) struct Ask {
    client: Client,
    method: Method,
    path: &'static str,
    body: Bytes,
    expected: u16,
}

/// When a load ends; what is under way is still answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After so many requests by all clients together.
    Count(usize),
    /// After this time.
    Time(Duration),
}

/// What became of a load.
pub(crate) struct Run {
    /// Answers by status.
    pub(crate) statuses: BTreeMap<u16, usize>,
    latencies: Vec<Duration>,
    elapsed: Duration,
}

impl Ask {
    /// Reads a page.
    pub(crate) fn get(client: &Client, path: &'static str, expected: u16) -> Self {
        Self {
            client: client.clone(),
            method: Method::GET,
            path,
            body: Bytes::new(),
            expected,
        }
    }

    /// Buys one piece of product 1.
    pub(crate) fn order(client: &Client) -> Self {
        Self {
            client: client.clone(),
            method: Method::POST,
            path: "/orders",
            body: Bytes::from_static(br#"{"productId":1,"quantity":1,"paymentMethod":"CARD"}"#),
            expected: 201,
        }
    }

    fn address(&self) -> &str {
        let url = self.client.url();
        url.strip_prefix("http://").unwrap_or(url)
    }

    fn request(&self) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(self.path)
            .header(header::HOST, self.address());
        if let Some(token) = self.client.token() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if self.method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        Ok(request.body(Full::new(self.body.clone()))?)
    }
}

impl Run {
    /// The figures of the answers that were expected.
    pub(crate) fn figures(&mut self) -> Result<Figures> {
        ensure!(
            !self.latencies.is_empty(),
            "no answer was as expected: {:?}",
            self.statuses
        );
        Ok(Figures::of(&mut self.latencies, self.elapsed))
    }

    /// The figures, provided that every answer was as expected.
    pub(crate) fn strict_figures(&mut self) -> Result<Figures> {
        let answered: usize = self.statuses.values().sum();
        ensure!(
            answered == self.latencies.len(),
            "some answers were not as expected: {:?}",
            self.statuses
        );
        self.figures()
    }
}

/// Lets one client per ask go on until the end.
pub(crate) async fn drive(asks: &[Ask], until: Until) -> Result<Run> {
    let mut clients = Vec::new();
    for ask in asks {
        clients.push((ask.clone(), connect(ask.address()).await?));
    }
    let started = Instant::now();
    let turns = Arc::new(Turns::new(until, started));
    let mut loops = JoinSet::new();
    for (ask, connection) in clients {
        loops.spawn(ask_on(ask, connection, turns.clone()));
    }
    let mut run = Run {
        statuses: BTreeMap::new(),
        latencies: Vec::new(),
        elapsed: Duration::ZERO,
    };
    while let Some(seen) = loops.join_next().await {
        let (latencies, statuses) = seen??;
        run.latencies.extend(latencies);
        for status in statuses {
            *run.statuses.entry(status).or_default() += 1;
        }
    }
    run.elapsed = started.elapsed();
    Ok(run)
}

/// Who may ask again.
struct Turns {
    taken: AtomicUsize,
    most: usize,
    end: Option<Instant>,
}

impl Turns {
    fn new(until: Until, started: Instant) -> Self {
        let (most, end) = match until {
            Until::Count(count) => (count, None),
            Until::Time(time) => (usize::MAX, Some(started + time)),
        };
        Self {
            taken: AtomicUsize::new(0),
            most,
            end,
        }
    }

    fn take(&self) -> bool {
        self.end.is_none_or(|end| Instant::now() < end)
            && self.taken.fetch_add(1, Ordering::Relaxed) < self.most
    }
}

/// One client: the latencies of expected answers, and every status.
async fn ask_on(
    ask: Ask,
    mut connection: SendRequest<Full<Bytes>>,
    turns: Arc<Turns>,
) -> Result<(Vec<Duration>, Vec<u16>)> {
    let (mut latencies, mut statuses) = (Vec::new(), Vec::new());
    while turns.take() {
        if connection.is_closed() {
            connection = connect(ask.address()).await?;
        }
        let request = ask.request()?;
        let sent = Instant::now();
        let status = tokio::time::timeout(PATIENCE, answer(&mut connection, request))
            .await
            .with_context(|| format!("{} {}: no answer in {PATIENCE:?}", ask.method, ask.path))?
            .with_context(|| format!("{} {}", ask.method, ask.path))?;
        if status == ask.expected {
            latencies.push(sent.elapsed());
        }
        statuses.push(status);
    }
    Ok((latencies, statuses))
}

/// Sends a request and reads the answer to its last byte.
async fn answer(connection: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<u16> {
    connection.ready().await?;
    let response = connection.send_request(request).await?;
    let status = response.status().as_u16();
    response.into_body().collect().await?;
    Ok(status)
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("could not connect to {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Its errors reach whoever waits for an answer.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}
