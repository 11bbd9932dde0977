//! The port for those who run the shop.

use super::Metrics;
use crate::app::{App, Shared};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Where the figures are.
const METRICS: &str = "/metrics";

/// Connections at once; whoever scrapes has one.
const MOST: usize = 16;

/// How long a request's head may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows figures of an application on a port of its own, which belongs to no public address.
pub struct AdminServer {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
}

impl AdminServer {
    /// Takes the port. The application shows figures only if it was loaded to keep them.
    pub async fn bind(app: App, address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            app,
            listener,
            address,
        })
    }

    /// Where it listens; the port is the real one when 0 was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is dropped.
    pub async fn serve(self) {
        let places = Arc::new(Semaphore::new(MOST));
        loop {
            // It is never closed, so a place always comes.
            let place = places.clone().acquire_owned().await;
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let shared = self.app.shared.clone();
                    tokio::spawn(async move {
                        connection(shared, stream).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::error!(%error, "cannot accept a connection of the admin port");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer(&shared, &request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection of the admin port ended badly");
    }
}

async fn answer(shared: &Arc<Shared>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let Some(metrics) = shared
        .metrics
        .as_ref()
        .filter(|_| request.uri().path() == METRICS)
    else {
        return said(StatusCode::NOT_FOUND, "only /metrics is here\n");
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = said(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n");
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    figures(shared, metrics).await
}

async fn figures(shared: &Arc<Shared>, metrics: &Metrics) -> Response<Full<Bytes>> {
    let mut response = said(StatusCode::OK, metrics.text(shared).await);
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, format);
    response
}

fn said(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response
}
