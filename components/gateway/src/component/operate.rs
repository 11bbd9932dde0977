//! What operators and programs ask: whether the shop is ready, what it has counted, and what can be asked of it.

use futures_util::future::join_all;
use kernel::{Millis, UserId};
use spin_sdk::http::{IncomingResponse, send};
use token::mark;
use web::figures::{self, Figure};
use web::guest::within;
use web::{IDENTITY_HEADER, Identity, IdentityKey, InternalKey, Method, Problem, Response, Role, guest};

use super::outgoing;
use super::shared::{self, Shared};
use crate::contract::merge;
use crate::door::Head;
use crate::headers::Headers;
use crate::limit::Table;
use crate::metrics;
use crate::ready::{self, Found, Life};
use crate::routes::Upstream;
use breaker::shared::state;

/// What this door says of itself.
const DOCUMENT: &str = include_str!("../../openapi.json");

/// A component that needs longer is not ready.
const PATIENCE: Millis = Millis(5_000);

/// Asks every component something cheap, all at the same time, and then the store, without which nobody with a token
/// gets in.
///
/// The store comes last because it holds up this whole instance while it is waited for, and would use up the components'
/// time. When it gives no answer nobody asks it for the breakers: whoever probes has a deadline too.
pub(super) async fn readiness(shared: &Shared) -> Response {
    let all = Upstream::ALL.map(async |upstream| (upstream, life(upstream).await));
    let lives = join_all(all).await;
    let store = shared::answers(shared);
    if let Err(story) = &store {
        web::log::warn(
            "gateway.ready",
            &format!("the key-value store gives no answer: {story}"),
        );
    }
    let found = lives.into_iter().map(|(upstream, life)| Found {
        upstream,
        life,
        breaker: store
            .as_ref()
            .ok()
            .and_then(|()| state(shared, upstream.name()).ok()),
    });
    let found: Vec<Found> = found.collect();
    ready::answer(&found, store.is_ok(), guest::now())
}

async fn life(upstream: Upstream) -> Life {
    let Ok(request) = outgoing(Method::Head, upstream, upstream.probe(), &Vec::new()) else {
        return Life::Down;
    };
    let sent = within(PATIENCE, send::<_, IncomingResponse>(request)).await;
    let life = match sent {
        Some(Ok(response)) => Life::of(response.status(), &response.headers().entries()),
        Some(Err(_)) | None => Life::Down,
    };
    if life != Life::Up {
        web::log::warn("gateway.ready", &format!("{} gives no answer", upstream.name()));
    }
    life
}

/// Makes sure that the marks of dead tokens are there: after a store was lost, as with every start of a host that keeps
/// it in memory, the component that owns accounts writes them again. Until then nobody with a token gets in.
pub(super) async fn recall(shared: &Shared) -> Result<(), Problem> {
    const OPERATION: &str = "gateway.marks";
    let unknown = |story: String| Problem::unavailable_because(OPERATION, &story);
    if shared::has_every_mark(shared).map_err(unknown)? {
        return Ok(());
    }
    let headers = vec![("content-length".to_owned(), b"0".to_vec())];
    let request = outgoing(Method::Post, Upstream::Account, mark::RECALL_PATH, &headers)
        .map_err(|()| unknown("the host refused the request".to_owned()))?;
    match within(PATIENCE, send::<_, IncomingResponse>(request)).await {
        Some(Ok(response)) if response.status() == 204 => Ok(()),
        Some(Ok(response)) => Err(unknown(format!("account answered {}", response.status()))),
        Some(Err(error)) => Err(unknown(error.to_string())),
        None => Err(unknown("no answer in time".to_owned())),
    }
}

/// What was counted, for who has the key: here, and by the domains of their business.
pub(super) async fn counted(
    head: &Head,
    shared: &Shared,
    table: &dyn Table,
    identities: &IdentityKey,
) -> Result<Response, Problem> {
    let key = InternalKey::new(&guest::variable("jobs_key")?);
    metrics::guard(&key, head)?;
    let domains = business(identities).await;
    let (breakers, refused) = (metrics::breakers(shared), metrics::refused(table));
    Ok(metrics::answer(&breakers, &refused, domains, guest::now()))
}

/// Who the gateway is for the domains when it asks for their figures.
const OPERATOR: u64 = 1;

/// What the domains count, all asked at the same time. One that gives no answer leaves a gap, which an alert on
/// absent metrics sees; the others' figures are worth having.
async fn business(identities: &IdentityKey) -> Vec<Figure> {
    let Ok(user) = UserId::try_new(OPERATOR) else {
        return Vec::new();
    };
    let role = Role::Admin;
    let identity = identities.sign(Identity { user, role }, guest::now());
    let headers = vec![(IDENTITY_HEADER.to_owned(), identity.into_bytes())];
    let asked = Upstream::COUNTING.map(async |upstream| {
        let counted = ask(upstream, figures::PATH, &headers).await;
        let counted = counted
            .and_then(|body| serde_json::from_slice::<Vec<Figure>>(&body).map_err(|error| error.to_string()));
        counted.unwrap_or_else(|story| {
            web::log::warn("gateway.metrics", &format!("{}: {story}", upstream.name()));
            Vec::new()
        })
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// Asks every component for its part of the document, all at the same time, and puts them together.
pub(super) async fn contract(head: &Head) -> Result<Response, Problem> {
    const OPERATION: &str = "gateway.contract";
    let asked =
        Upstream::ALL.map(async |upstream| (upstream, ask(upstream, web::DOCUMENT_PATH, &Vec::new()).await));
    let mut parts = Vec::new();
    for (upstream, part) in join_all(asked).await {
        let part = part.map_err(|story| {
            Problem::unavailable_because(OPERATION, &format!("{}: {story}", upstream.name()))
        })?;
        parts.push((upstream, part));
    }
    let whole = merge(DOCUMENT, &parts).map_err(|misfit| Problem::defect(OPERATION, &misfit))?;
    Response::json(200, &whole).conditional(&head.request())
}

/// The body of what a component answers on one of its own paths.
async fn ask(upstream: Upstream, path: &str, headers: &Headers) -> Result<Vec<u8>, String> {
    let request = outgoing(Method::Get, upstream, path, headers)
        .map_err(|()| "the host refused the request".to_owned())?;
    let sent = within(PATIENCE, send::<_, IncomingResponse>(request)).await;
    let response = sent
        .ok_or("no answer in time")?
        .map_err(|error| error.to_string())?;
    match response.status() {
        200 => response.into_body().await.map_err(|error| error.to_string()),
        status => Err(format!("it answered {status}")),
    }
}
