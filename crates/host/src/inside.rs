//! Requests that the host itself makes to its application, without a detour over the network.

use crate::app::Shared;
use crate::faults::Cause;
use crate::server::{self, Origin};
use crate::state::Chain;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long the application may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most that is read of an answer.
const MAX_BYTES: usize = 8 << 20;

/// GETs a path of the application, as whoever has this key, and answers the body. An error is a sentence for the log.
pub(crate) async fn get(shared: &Arc<Shared>, path: &str, key: Option<&str>) -> Result<Bytes, String> {
    match timeout(PATIENCE, Box::pin(ask(shared, path, key))).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("{path}: no answer within {PATIENCE:?}")),
    }
}

async fn ask(shared: &Arc<Shared>, path: &str, key: Option<&str>) -> Result<Bytes, String> {
    let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let address = shared.address.get().copied().unwrap_or(nowhere);
    let request = request(path, &address.to_string(), key).ok_or_else(|| format!("{path} is no path"))?;
    let origin = Origin {
        client: address,
        chain: Chain::begin(shared, Cause::Request),
        // Figures are looked at above all when there is no room; few ask at a time.
        permit: None,
    };
    let response = server::to_route(shared, request, origin).await;
    if response.status() != StatusCode::OK {
        return Err(format!("{path}: {}", response.status()));
    }
    let body = Limited::new(response.into_body(), MAX_BYTES).collect().await;
    body.map(|body| body.to_bytes())
        .map_err(|error| format!("{path}: {error}"))
}

fn request(path: &str, host: &str, key: Option<&str>) -> Option<Request<wasmtime_wasi_http::WasiBody>> {
    let body = Empty::<Bytes>::new()
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut request = Request::new(body);
    *request.uri_mut() = path.parse().ok()?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(host).ok()?);
    if let Some(key) = key {
        let mut value = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Some(request)
}
