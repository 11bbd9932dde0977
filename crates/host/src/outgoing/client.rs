//! The pooled client for requests that leave the process.

use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(60);

tokio::task_local! {
    /// The connect timeout of the request that is being sent; a connector sees only the URI.
    static CONNECT_TIMEOUT: Duration;
}

/// Keeps connections open between requests; HTTP/2 where TLS agrees on it.
#[derive(Clone)]
pub(crate) struct Client {
    pool: Pool<Timed<HttpsConnector<HttpConnector>>, WasiBody>,
}

impl Client {
    pub(crate) fn new() -> Self {
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(Timed(connector()));
        Self { pool }
    }

    /// Sends a request and answers when the response's head has come.
    pub(crate) async fn send(
        &self,
        request: Request<WasiBody>,
        options: &RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let connect = options.connect_timeout.unwrap_or(super::PATIENCE);
        let first_byte = options.first_byte_timeout.unwrap_or(super::PATIENCE);
        let sending = CONNECT_TIMEOUT.scope(connect, self.pool.request(request));
        // The time to connect does not count for the first byte.
        match tokio::time::timeout(connect.saturating_add(first_byte), sending).await {
            Err(_) => Err(Error::ConnectionReadTimeout),
            Ok(Err(error)) => Err(translate(&error)),
            Ok(Ok(response)) => Ok(response.map(|body| body.map_err(Error::from).boxed_unsync())),
        }
    }
}

/// Plain or TLS, as the URL says.
pub(crate) fn connector() -> HttpsConnector<HttpConnector> {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(ring::default_provider())
        .unwrap_or_else(|error| panic!("ring offers no usable TLS version: {error}"))
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(tcp)
}

/// Says in the guest's words why a request was not answered.
fn translate(error: &hyper_util::client::legacy::Error) -> Error {
    let io = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
    if error.is_connect() {
        tracing::warn!(error = %chain(error), "cannot connect");
        return match io.map(io::Error::kind) {
            Some(io::ErrorKind::TimedOut) => Error::ConnectionTimeout,
            Some(io::ErrorKind::ConnectionRefused) => Error::ConnectionRefused,
            Some(io::ErrorKind::InvalidData) => Error::TlsProtocolError,
            _ if chain(error).contains("dns error") => Error::DnsError {
                rcode: Some("address not available".to_owned()),
                info_code: None,
            },
            _ => Error::ConnectionRefused,
        };
    }
    tracing::warn!(error = %chain(error), "a request failed on its way");
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::TimedOut) => Error::ConnectionReadTimeout,
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => Error::ConnectionTerminated,
        _ => Error::HttpProtocolError,
    }
}

fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    causes(error)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// A connector that gives up after the request's connect timeout.
#[derive(Clone)]
struct Timed<C>(C);

type BoxError = Box<dyn StdError + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Response: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Connecting<C::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let patience = CONNECT_TIMEOUT.try_with(|time| *time).unwrap_or(super::PATIENCE);
        let connecting = self.0.call(uri);
        Box::pin(async move {
            match tokio::time::timeout(patience, connecting).await {
                Ok(connected) => connected.map_err(Into::into),
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::Empty;

    fn get(url: &str) -> Request<WasiBody> {
        let body = Empty::<Bytes>::new()
            .map_err(|never| match never {})
            .boxed_unsync();
        let mut request = Request::new(body);
        *request.uri_mut() = url.parse().expect("a URL");
        request
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_refuses() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let sent = Client::new()
            .send(get(&format!("http://{address}/")), &RequestOptions::default())
            .await;
        assert!(matches!(sent, Err(Error::ConnectionRefused)), "{sent:?}");
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_times_out() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let options = RequestOptions {
            connect_timeout: Some(Duration::from_millis(50)),
            first_byte_timeout: Some(Duration::from_millis(50)),
            ..RequestOptions::default()
        };
        let sent = Client::new()
            .send(get(&format!("http://{address}/")), &options)
            .await;
        assert!(matches!(sent, Err(Error::ConnectionReadTimeout)), "{sent:?}");
    }
}
