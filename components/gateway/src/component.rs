//! The wire: reads the head of a request, does what was decided, and moves bodies without keeping them.

#![expect(unsafe_code, reason = "what the SDK generates crosses the ABI")]

use std::pin::pin;

use futures_util::future::{Either, select};
use futures_util::{SinkExt, StreamExt};
use kernel::UserId;
use spin_sdk::http::{
    ErrorCode, Fields, IncomingRequest, IncomingResponse, Method as Wire, OutgoingRequest, OutgoingResponse,
    ResponseOutparam, Scheme, SendError, send,
};
use spin_sdk::key_value;
use token::{Keys, mark};
use web::{MAX_BODY_BYTES, Method, Problem, Response, guest};

use crate::auth::Marks;
use crate::contract::merge;
use crate::cors::Origins;
use crate::door::{Decision, Door, Forward, Head, broken_off, readiness, request_id_text, too_large};
use crate::headers::Headers;
use crate::methods::options;
use crate::reply::{Outage, Reply, finish, outage, reply};
use crate::routes::Upstream;

/// What this door says of itself.
const DOCUMENT: &str = include_str!("../openapi.json");

#[spin_sdk::http_component]
async fn handle(incoming: IncomingRequest, out: ResponseOutparam) {
    let head = head(&incoming);
    let random = guest::random().and_then(|high| Ok(u128::from(high) << 64 | u128::from(guest::random()?)));
    let request_id = *random.as_ref().unwrap_or(&0);
    let origins = origins();
    let answer = Answer {
        out,
        method: head.method,
        request_id: request_id_text(request_id),
        personal: false,
        cors: origins
            .as_ref()
            .map_or_else(|_| Headers::new(), |origins| origins.headers(&head.headers)),
    };
    let decision = origins.and_then(|origins| decide(&head, random?, &origins));
    match decision {
        Ok(decision) => act(incoming, answer, &head, decision).await,
        Err(problem) => answer.own(problem.into()).await,
    }
}

fn head(incoming: &IncomingRequest) -> Head {
    Head {
        method: Method::parse(&incoming.method().to_string()),
        target: incoming.path_with_query().unwrap_or_default(),
        headers: incoming.headers().entries(),
    }
}

fn origins() -> Result<Origins, Problem> {
    Origins::parse(&guest::variable("cors_allowed_origins")?)
        .map_err(|error| Problem::defect("gateway.cors", &error))
}

fn decide(head: &Head, request_id: u128, origins: &Origins) -> Result<Decision, Problem> {
    let keys = Keys::parse(&guest::variable("jwt_keys")?);
    let keys = keys.map_err(|error| Problem::defect("gateway.jwt_keys", &error))?;
    let door = Door {
        keys: &keys,
        marks: &KeyValue,
        identities: &guest::identity_key()?,
        now: guest::now(),
        request_id,
        span_id: guest::random()?,
        origins,
    };
    Ok(door.decide(head))
}

/// The key-value store `default`, in which account writes.
struct KeyValue;

impl Marks for KeyValue {
    fn read(&self, user: UserId) -> Result<Option<Vec<u8>>, String> {
        key_value::Store::open_default()
            .and_then(|store| store.get(&mark::key(user)))
            .map_err(|error| error.to_string())
    }
}

async fn act(incoming: IncomingRequest, answer: Answer, head: &Head, decision: Decision) {
    match decision {
        Decision::Answer(response) => answer.own(response).await,
        Decision::Readiness => {
            let response = readiness(all_answer().await);
            answer.own(response).await;
        }
        Decision::Contract => {
            let response = contract(head).await.unwrap_or_else(Response::from);
            answer.own(response).await;
        }
        Decision::Forward(forward) => {
            let answer = Answer {
                personal: forward.personal,
                ..answer
            };
            hand_on(incoming, answer, forward).await;
        }
    }
}

/// Asks every component something cheap, and the store of marks, without which nobody with a token gets in.
async fn all_answer() -> bool {
    let marks = key_value::Store::open_default().and_then(|store| store.exists("sessions"));
    let mut all = marks.is_ok();
    if let Err(error) = marks {
        web::log::warn(
            "gateway.ready",
            &format!("the store of marks gives no answer: {error}"),
        );
    }
    for upstream in Upstream::ALL {
        let status = match outgoing(Method::Head, upstream, upstream.probe(), &Vec::new()) {
            Ok(request) => send::<_, IncomingResponse>(request)
                .await
                .map(|response| response.status()),
            Err(()) => Ok(500),
        };
        if !matches!(status, Ok(status) if status < 500) {
            web::log::warn("gateway.ready", &format!("{} gives no answer", upstream.name()));
            all = false;
        }
    }
    all
}

/// Asks every component for its part of the document and puts them together.
async fn contract(head: &Head) -> Result<Response, Problem> {
    const OPERATION: &str = "gateway.contract";
    let mut parts = Vec::new();
    for upstream in Upstream::ALL {
        let part = part(upstream).await.map_err(|story| {
            Problem::unavailable_because(OPERATION, &format!("{}: {story}", upstream.name()))
        })?;
        parts.push((upstream, part));
    }
    let whole = merge(DOCUMENT, &parts).map_err(|misfit| Problem::defect(OPERATION, &misfit))?;
    Response::json(200, &whole).conditional(&head.request())
}

async fn part(upstream: Upstream) -> Result<Vec<u8>, String> {
    let request = outgoing(Method::Get, upstream, web::DOCUMENT_PATH, &Vec::new())
        .map_err(|()| "the host refused the request".to_owned())?;
    let response = send::<_, IncomingResponse>(request)
        .await
        .map_err(|error| error.to_string())?;
    match response.status() {
        200 => response.into_body().await.map_err(|error| error.to_string()),
        status => Err(format!("it answered {status}")),
    }
}

/// Sends the request to its component and the component's answer to the client.
///
/// A body of a declared length is passed on while it comes in: whoever reads it notices when it breaks off.
/// One of unknown length is held here first, so that nobody takes its beginning for the whole.
async fn hand_on(incoming: IncomingRequest, answer: Answer, mut forward: Forward) {
    let body = match forward.length {
        Some(0) => Body::Held(Vec::new()),
        Some(_) => Body::Coming(incoming),
        None => match hold(incoming).await {
            Ok(body) => Body::Held(body),
            Err(problem) => return answer.own(problem.into()).await,
        },
    };
    if let Some(length) = forward.length.or_else(|| body.held_length(answer.method)) {
        let length = length.to_string().into_bytes();
        forward.headers.push(("content-length".to_owned(), length));
    }
    let Ok(request) = outgoing(answer.method, forward.upstream, &forward.target, &forward.headers) else {
        let story = format!("the host refused the request for {}", forward.upstream.name());
        return answer
            .own(Problem::defect("gateway.forward", &story).into())
            .await;
    };
    let sink = (!body.is_empty()).then(|| request.take_body());
    let mut feed = pin!(feed(body, sink));
    let (received, fed) = {
        let mut sending = pin!(send::<_, IncomingResponse>(request));
        match select(sending.as_mut(), feed.as_mut()).await {
            Either::Left((received, _)) => (received, false),
            Either::Right((Fed::ClientGone, _)) => return answer.own(broken_off().into()).await,
            Either::Right((Fed::Enough, _)) => (sending.await, true),
        }
    };
    let mut relay = pin!(relay(received, answer, forward.upstream));
    if fed {
        return relay.await;
    }
    // The component answers before it has read everything: both go on side by side.
    if let Either::Right(_) = select(relay.as_mut(), feed).await {
        relay.await;
    }
}

/// The body of a request: still coming in, or all here.
enum Body {
    Coming(IncomingRequest),
    Held(Vec<u8>),
}

impl Body {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Held(bytes) if bytes.is_empty())
    }

    /// The length to declare for a body that came without one; a missing body is only worth a word where
    /// one is usual (RFC 9110 §8.6).
    fn held_length(&self, method: Method) -> Option<u64> {
        match self {
            Self::Coming(_) => None,
            Self::Held(bytes) if bytes.is_empty() => {
                matches!(method, Method::Post | Method::Put | Method::Patch).then_some(0)
            }
            Self::Held(bytes) => Some(bytes.len() as u64),
        }
    }
}

/// Reads a body of unknown length, up to the limit.
async fn hold(incoming: IncomingRequest) -> Result<Vec<u8>, Problem> {
    let mut chunks = pin!(incoming.into_body_stream());
    let mut body = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| broken_off())?;
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        body.extend(chunk);
    }
    Ok(body)
}

/// How feeding a body to a component ended.
enum Fed {
    /// The component has it all, or wants no more.
    Enough,
    /// The client broke off. The declared length is not reached, so the component can't take the part for
    /// the whole.
    ClientGone,
}

async fn feed<S>(body: Body, sink: Option<S>) -> Fed
where
    S: futures_util::Sink<Vec<u8>>,
{
    let Some(sink) = sink else {
        return Fed::Enough;
    };
    let mut sink = pin!(sink);
    match body {
        Body::Held(bytes) => {
            let _ = sink.send(bytes).await;
        }
        Body::Coming(incoming) => {
            let mut chunks = pin!(incoming.into_body_stream());
            while let Some(chunk) = chunks.next().await {
                let Ok(chunk) = chunk else {
                    return Fed::ClientGone;
                };
                if sink.send(chunk).await.is_err() {
                    break;
                }
            }
        }
    }
    Fed::Enough
}

/// Sends a component's answer on, or what stands for it.
async fn relay(received: Result<IncomingResponse, SendError>, answer: Answer, upstream: Upstream) {
    let response = match received {
        Ok(response) => response,
        Err(error) => {
            web::log::error("gateway.forward", &format!("{}: {error}", upstream.name()));
            return answer.own(outage(kind(&error))).await;
        }
    };
    let status = response.status();
    let headers = response.headers().entries();
    if let Some(own) = options(answer.method, status, &headers) {
        return answer.own(own).await;
    }
    match reply(status, &headers) {
        Reply::Pass(headers) => answer.stream(status, headers, &response).await,
        Reply::Replace(own) => {
            web::log::error("gateway.reply", &format!("{} answered {status}", upstream.name()));
            answer.own(own).await;
        }
    }
}

fn kind(error: &SendError) -> Outage {
    match error {
        SendError::Http(
            ErrorCode::ConnectionRefused
            | ErrorCode::ConnectionTimeout
            | ErrorCode::ConnectionLimitReached
            | ErrorCode::DestinationUnavailable
            | ErrorCode::DnsTimeout
            | ErrorCode::HttpResponseTimeout,
        ) => Outage::Overload,
        _ => Outage::Broken,
    }
}

/// A request for a component. The host refuses headers it has no place for.
fn outgoing(
    method: Method,
    upstream: Upstream,
    target: &str,
    headers: &Headers,
) -> Result<OutgoingRequest, ()> {
    let request = OutgoingRequest::new(Fields::from_list(headers).map_err(drop)?);
    request.set_method(&wire(method))?;
    request.set_scheme(Some(&Scheme::Http))?;
    request.set_authority(Some(&upstream.authority()))?;
    request.set_path_with_query(Some(target))?;
    Ok(request)
}

fn wire(method: Method) -> Wire {
    match method {
        Method::Get => Wire::Get,
        Method::Head => Wire::Head,
        Method::Post => Wire::Post,
        Method::Put => Wire::Put,
        Method::Patch => Wire::Patch,
        Method::Delete => Wire::Delete,
        Method::Options => Wire::Options,
        Method::Other => Wire::Other(Method::Other.name().to_owned()),
    }
}

/// The one answer to a request.
struct Answer {
    out: ResponseOutparam,
    method: Method,
    request_id: String,
    personal: bool,
    cors: Headers,
}

impl Answer {
    /// Answers with what was made here.
    async fn own(self, response: Response) {
        let (status, headers, body) = response.into_parts();
        let mut headers: Headers = headers
            .into_iter()
            .map(|(name, value)| (name, value.into_bytes()))
            .collect();
        let body = if self.method == Method::Head {
            Vec::new()
        } else {
            body
        };
        if self.method != Method::Head && !matches!(status, 204 | 304) {
            headers.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
        }
        let response = self.begin(status, headers);
        // The client may be gone; then there is nobody to tell.
        let _ = self.out.set_with_body(response, body).await;
    }

    /// Answers with what a component says, while it says it.
    async fn stream(self, status: u16, mut headers: Headers, from: &IncomingResponse) {
        if self.method == Method::Head || matches!(status, 204 | 304) {
            // The length of a body that does not come would be missed by the host.
            headers.retain(|(name, _)| name != "content-length");
        }
        let response = self.begin(status, headers);
        let mut sink = Box::pin(response.take_body());
        self.out.set(response);
        let mut chunks = pin!(from.take_body_stream());
        while let Some(chunk) = chunks.next().await {
            let sent = match chunk {
                Ok(chunk) => sink.send(chunk).await.is_ok(),
                Err(_) => false,
            };
            if !sent {
                // Dropping the sink would end the body properly, and a part would pass for the whole.
                std::mem::forget(sink);
                return;
            }
        }
    }

    fn begin(&self, status: u16, headers: Headers) -> OutgoingResponse {
        let mut headers = finish(headers, &self.request_id, self.personal);
        headers.extend(self.cors.iter().cloned());
        let fields = Fields::from_list(&headers).unwrap_or_else(|error| {
            web::log::error(
                "gateway.reply",
                &format!("the host refused the headers: {error:?}"),
            );
            Fields::new()
        });
        let response = OutgoingResponse::new(fields);
        if response.set_status_code(status).is_err() {
            web::log::error("gateway.reply", &format!("the host refused status {status}"));
        }
        response
    }
}
