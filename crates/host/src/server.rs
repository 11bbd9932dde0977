//! The public door: HTTP/1.1 and HTTP/2 on one port, Spin's routes, and an orderly end.

mod request;
mod strict;

use request::{absolute, add_spin_headers, announced_length, strip_transport};
use strict::Strict;

use crate::answer::{self, Failure};
use crate::app::{App, Guest, Shared};
use crate::faults::Cause;
use crate::leftover::Leftover;
use crate::routes::{self, UNKNOWN};
use crate::run::Call;
use crate::state::Chain;
use crate::trace::{self, Place, Span};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use manifest::RouteMatch;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};
use wasmtime_wasi_http::{Error, WasiBody};

/// Requests below it are the host's own.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// An application behind a port.
pub struct Server {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
}

/// Where a request comes from.
pub(crate) struct Origin {
    pub(crate) client: SocketAddr,
    pub(crate) chain: Chain,
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl Server {
    /// Takes the port; from here on connections queue up.
    pub async fn bind(app: App, address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        // A second server of the same application keeps the first one's address for requests to itself.
        let _ = app.shared.address.set(address);
        Ok(Self {
            app,
            listener,
            address,
        })
    }

    /// Where it listens; the port is the real one when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is done, then takes no more connections and lets those requests end that
    /// are running, as long as the drain timeout allows. Returns whether all of them did.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> bool {
        let shared = self.app.shared.clone();
        let builder = Arc::new(connection_builder(&shared));
        routes::learn(&shared);
        let graceful = GracefulShutdown::new();
        tokio::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut shutdown => break,
            };
            match accepted {
                Ok((stream, client)) => {
                    let connection = connection(
                        shared.clone(),
                        builder.clone(),
                        stream,
                        client,
                        graceful.watcher(),
                    );
                    tokio::spawn(connection);
                }
                Err(error) => {
                    // Out of file descriptors, most likely: waiting is all that helps.
                    tracing::error!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
        drop(self.listener);
        drain(&shared, graceful).await
    }
}

/// Waits for connections to become idle and for instances that work on after their response.
async fn drain(shared: &Shared, graceful: GracefulShutdown) -> bool {
    let all = u32::try_from(shared.bounds.concurrency).unwrap_or(u32::MAX);
    let ended = async {
        graceful.shutdown().await;
        // It is never closed, so this only fails if all could never be had.
        let _ = shared.permits.acquire_many(all).await;
    };
    timeout(shared.bounds.drain, ended).await.is_ok()
}

fn connection_builder(shared: &Shared) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.bounds.header_timeout)
        .max_buf_size(shared.bounds.header_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(shared.bounds.header_bytes).unwrap_or(u32::MAX));
    builder
}

async fn connection(
    shared: Arc<Shared>,
    builder: Arc<auto::Builder<TokioExecutor>>,
    stream: TcpStream,
    client: SocketAddr,
    watcher: Watcher,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let patience = shared.bounds.header_timeout;
    let asked = Arc::new(AtomicBool::new(false));
    let heard = asked.clone();
    let service = service_fn(move |request| {
        heard.store(true, Ordering::Relaxed);
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(door(&shared, request, client).await) }
    });
    let connection = builder
        .serve_connection(TokioIo::new(Strict::new(stream)), service)
        .into_owned();
    let mut connection = std::pin::pin!(watcher.watch(connection));
    // hyper's own clock starts only when it knows which HTTP is spoken.
    let ended = match timeout(patience, &mut connection).await {
        Err(_) if !asked.load(Ordering::Relaxed) => return,
        Err(_) => connection.await,
        Ok(ended) => ended,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %client, "a connection ended badly");
    }
}

/// One request from outside.
async fn door(shared: &Arc<Shared>, request: Request<Incoming>, client: SocketAddr) -> Response<WasiBody> {
    let started = Instant::now();
    shared.counters.request();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut span = arrival(shared, &request);
    let request = request.map(|body| Leftover::new(body).map_err(Error::from).boxed_unsync());
    let is_own = path.starts_with(WELL_KNOWN);
    let permit = if is_own { None } else { admit(shared).await };
    let response = if is_own || permit.is_some() {
        let mut chain = Chain::begin(shared, Cause::Request);
        chain.place = span.place(&Place::Nowhere);
        let origin = Origin {
            client,
            chain,
            permit,
        };
        to_route(shared, request, origin).await
    } else {
        shared.counters.refused();
        answer::problem(Failure::Busy)
    };
    span.answered(response.status());
    if let Some(metrics) = &shared.metrics {
        let route = shared.paths.get().map_or(UNKNOWN, |paths| paths.template(&path));
        metrics.answered(route, &method, response.status(), started.elapsed());
    }
    tracing::debug!(
        target: "request",
        %method,
        path,
        status = response.status().as_u16(),
        duration_ms = started.elapsed().as_millis(),
        "answered"
    );
    response
}

/// The span of a request, by the application's own name for its path: paths hold numbers of customers and orders.
fn arrival<B>(shared: &Shared, request: &Request<B>) -> Span {
    let Some(tracing) = &shared.tracing else {
        return Span::default();
    };
    let method = request.method();
    let mut span = Place::arrival(Some(tracing), request.headers(), trace::request(method));
    let paths = shared.paths.get();
    if let Some(route) = paths.map(|paths| paths.template(request.uri().path())) {
        span.rename(|| format!("{} {route}", trace::method_name(method)));
        span.set("http.route", route.to_owned());
    }
    span
}

/// Waits for room, in the order of arrival, unless so many wait already that this one had better come again.
async fn admit(shared: &Shared) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = shared.permits.clone().try_acquire_owned() {
        return Some(permit);
    }
    let place = Queued::take(shared)?;
    let permit = shared.permits.clone().acquire_owned().await;
    drop(place);
    permit.ok()
}

/// A place in the line of requests that wait for room.
struct Queued<'a>(&'a Shared);

impl<'a> Queued<'a> {
    fn take(shared: &'a Shared) -> Option<Self> {
        let place = Self(shared);
        (shared.waiting.fetch_add(1, Ordering::Relaxed) < shared.bounds.waiting).then_some(place)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Hands a request to the component whose route fits.
pub(crate) async fn to_route(
    shared: &Arc<Shared>,
    mut request: Request<WasiBody>,
    origin: Origin,
) -> Response<WasiBody> {
    strip_transport(request.headers_mut());
    let path = request.uri().path();
    if let Some(name) = path.strip_prefix(WELL_KNOWN) {
        return well_known(shared, name);
    }
    let Some(matched) = shared.router.route(path) else {
        return answer::problem(Failure::NoRoute);
    };
    let Some(guest) = shared.guests.get(matched.component()) else {
        return answer::problem(Failure::NoRoute);
    };
    to_guest(shared, guest, &matched, request, origin)
        .await
        .unwrap_or_else(answer::problem)
}

/// Hands a request to a component, with the headers Spin adds.
pub(crate) async fn to_guest(
    shared: &Arc<Shared>,
    guest: &Arc<Guest>,
    matched: &RouteMatch,
    mut request: Request<WasiBody>,
    origin: Origin,
) -> Result<Response<WasiBody>, Failure> {
    let uri = absolute(request.uri(), request.headers()).ok_or(Failure::BadRequest)?;
    if announced_length(request.headers()) > Some(shared.bounds.body_bytes) {
        return Err(Failure::BodyTooLarge);
    }
    *request.uri_mut() = uri;
    let mut chain = origin.chain;
    let span = chain.place.begin(|| trace::component(&guest.id, chain.depth > 0));
    chain.place = span.place(&chain.place);
    chain.place.hand_over(request.headers_mut());
    add_spin_headers(&mut request, matched, origin.client);
    let call = Call {
        app: shared.clone(),
        guest: guest.clone(),
        request,
        chain,
        permit: origin.permit,
        span,
    };
    call.run().await
}

fn well_known(shared: &Shared, name: &str) -> Response<WasiBody> {
    match name {
        "health" => answer::text(StatusCode::OK, "OK"),
        "info" => {
            let info = serde_json::json!({ "name": shared.name, "version": shared.version });
            let mut response = answer::text(StatusCode::OK, info.to_string());
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(http::header::CONTENT_TYPE, json);
            response
        }
        _ => answer::problem(Failure::NoRoute),
    }
}
