//! The wire: reads the head of a request, does what was decided, and moves bodies without keeping them.

#![expect(unsafe_code, reason = "what the SDK generates crosses the ABI")]

mod operate;
mod redis;
mod shared;

use std::pin::pin;

use futures_util::future::{Either, select};
use futures_util::{SinkExt, StreamExt};
use spin_sdk::http::{
    ErrorCode, Fields, IncomingRequest, IncomingResponse, Method as Wire, OutgoingRequest, OutgoingResponse,
    ResponseOutparam, Scheme, SendError, send,
};
use token::Keys;
use web::guest::within;
use web::{IdentityKey, MAX_BODY_BYTES, Method, Problem, Response, guest};

use crate::door::{
    Decided, Decision, Door, Forward, Head, broken_off, is_readiness, liveness, request_id_text, too_large,
};
use crate::headers::Headers;
use crate::limit::slots::Slots;
use crate::limit::{Limiter, Table};
use crate::methods::options;
use crate::ready;
use crate::reply::{Reply, Trouble, finish, outage, outcome, reply, resting, silence};
use crate::routes::Upstream;
use crate::settings::{Settings, TableAddress};
use breaker::shared::Breakers;
use breaker::{Admission, Outcome};
use redis::Redis;
use shared::Shared;

#[spin_sdk::http_component]
async fn handle(incoming: IncomingRequest, out: ResponseOutparam) {
    let head = head(&incoming);
    let random = guest::random().and_then(|high| Ok(u128::from(high) << 64 | u128::from(guest::random()?)));
    let request_id = *random.as_ref().unwrap_or(&0);
    let answer = Answer {
        out,
        method: head.method,
        request_id: request_id_text(request_id),
        limit: Headers::new(),
        cors: Headers::new(),
        personal: false,
    };
    if let Some(alive) = liveness(&head) {
        return answer.own(alive).await;
    }
    match random.and_then(|_| Configuration::read()) {
        Ok(configuration) => {
            let answer = Answer {
                cors: configuration.settings.origins.headers(&head.headers),
                ..answer
            };
            serve(incoming, &head, answer, &configuration, request_id).await;
        }
        Err(_) if is_readiness(&head) => answer.own(ready::misconfigured()).await,
        Err(problem) => answer.own(problem.into()).await,
    }
}

/// What the gateway was given, read and understood.
struct Configuration {
    keys: Keys,
    identities: IdentityKey,
    settings: Settings,
}

impl Configuration {
    /// What makes no sense is a defect of every request, and not only where it would be needed: a limit or a proxy
    /// that silently is none is found out too late.
    fn read() -> Result<Self, Problem> {
        let keys = Keys::parse(&guest::variable("jwt_keys")?);
        let settings = Settings::parse(&guest::variable("settings")?);
        Ok(Self {
            keys: keys.map_err(|error| Problem::defect("gateway.jwt_keys", &error))?,
            identities: guest::identity_key()?,
            settings: settings.map_err(|wrong| Problem::defect("gateway.settings", &wrong))?,
        })
    }
}

fn head(incoming: &IncomingRequest) -> Head {
    Head {
        method: Method::parse(&incoming.method().to_string()),
        target: incoming.path_with_query().unwrap_or_default(),
        headers: incoming.headers().entries(),
    }
}

async fn serve(
    incoming: IncomingRequest,
    head: &Head,
    answer: Answer,
    configuration: &Configuration,
    request_id: u128,
) {
    let Configuration {
        keys,
        identities,
        settings,
    } = configuration;
    let span_id = match guest::random() {
        Ok(span_id) => span_id,
        Err(problem) => return answer.own(problem.into()).await,
    };
    let (shared, now) = (Shared::default(), guest::now());
    let (slots, redis);
    let table: &dyn Table = match &settings.limits {
        TableAddress::Shared => {
            slots = Slots::new(&shared, now.micros());
            &slots
        }
        TableAddress::Redis(address) => {
            redis = Redis(address);
            &redis
        }
    };
    // Not for those who name nobody, and not for the internal routes, whose key is no token.
    if head.names_somebody()
        && let Err(problem) = operate::recall(&shared).await
    {
        return answer.own(problem.into()).await;
    }
    let door = Door {
        keys,
        marks: &shared,
        identities,
        proxies: &settings.proxies,
        limiter: Limiter {
            quotas: &settings.quotas,
            table,
            key: identities,
        },
        now,
        request_id,
        span_id,
        origins: &settings.origins,
    };
    let Decided { decision, limit } = door.decide(head);
    let answer = Answer { limit, ..answer };
    match decision {
        Decision::Answer(response) => answer.own(response).await,
        Decision::Readiness => answer.own(operate::readiness(&shared).await).await,
        Decision::Metrics => {
            answer
                .own(operate::counted(head, &shared, table, identities).await.into())
                .await
        }
        Decision::Contract => answer.own(operate::contract(head).await.into()).await,
        Decision::Forward(forward) => {
            let answer = Answer {
                personal: forward.personal,
                ..answer
            };
            let breakers = Breakers {
                cells: &shared,
                thresholds: &settings.thresholds,
                // Half of a random number of the request.
                by: request_id as u64,
            };
            hand_on(incoming, answer, forward, &breakers, settings).await;
        }
    }
}

/// Sends the request to its component and the component's answer to the client.
///
/// A body of a declared length is passed on while it comes in: whoever reads it notices when it breaks off.
/// One of unknown length is held here first, so that nobody takes its beginning for the whole.
async fn hand_on(
    incoming: IncomingRequest,
    answer: Answer,
    mut forward: Forward,
    breakers: &Breakers<'_, Shared>,
    settings: &Settings,
) {
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
    let upstream = forward.upstream;
    let Ok(request) = outgoing(answer.method, upstream, &forward.target, &forward.headers) else {
        let story = format!("the host refused the request for {}", upstream.name());
        return answer
            .own(Problem::defect("gateway.forward", &story).into())
            .await;
    };
    let pass = match breakers.admit(upstream.name(), guest::now()) {
        Admission::Pass(pass) => pass,
        Admission::Refused { wait_us } => return answer.own(resting(wait_us)).await,
    };
    let sink = (!body.is_empty()).then(|| request.take_body());
    let began = sink.is_some().then(guest::now);
    let mut feed = pin!(feed(body, sink));
    let (received, body_took_us) = {
        let send = within(settings.upstream_timeout, send::<_, IncomingResponse>(request));
        let mut sending = pin!(send);
        match select(sending.as_mut(), feed.as_mut()).await {
            Either::Left((received, _)) => (received, None),
            Either::Right((Fed::ClientGone, _)) => {
                breakers.record(upstream.name(), pass, Outcome::Unknown, guest::now);
                return answer.own(broken_off().into()).await;
            }
            Either::Right((Fed::Enough, _)) => {
                let took_us = began.map_or(0, |began| guest::now().micros() - began.micros());
                (sending.await, Some(took_us))
            }
        }
    };
    let received = read(received, upstream);
    let outcome = match &received {
        Ok((status, headers, _)) => outcome(*status, headers),
        Err(trouble) => silence(*trouble, body_took_us, settings.upstream_timeout),
    };
    breakers.record(upstream.name(), pass, outcome, guest::now);
    let mut relay = pin!(relay(received, answer, upstream));
    if body_took_us.is_some() {
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

/// The head of an answer and what brings its body, or why there is none.
type Received = Result<(u16, Headers, IncomingResponse), Trouble>;

fn read(received: Option<Result<IncomingResponse, SendError>>, upstream: Upstream) -> Received {
    let story = match received {
        Some(Ok(response)) => return Ok((response.status(), response.headers().entries(), response)),
        Some(Err(error)) => Err((trouble(&error), error.to_string())),
        None => Err((Trouble::Late, "no answer in time".to_owned())),
    };
    story.map_err(|(trouble, story)| {
        web::log::error("gateway.forward", &format!("{}: {story}", upstream.name()));
        trouble
    })
}

/// Sends a component's answer on, or what stands for it.
async fn relay(received: Received, answer: Answer, upstream: Upstream) {
    let (status, headers, response) = match received {
        Ok(received) => received,
        Err(trouble) => return answer.own(outage(trouble.outage())).await,
    };
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

fn trouble(error: &SendError) -> Trouble {
    match error {
        SendError::Http(
            ErrorCode::ConnectionRefused
            | ErrorCode::ConnectionTimeout
            | ErrorCode::ConnectionLimitReached
            | ErrorCode::DestinationUnavailable
            | ErrorCode::DnsTimeout,
        ) => Trouble::NotThere,
        SendError::Http(ErrorCode::HttpResponseTimeout | ErrorCode::ConnectionReadTimeout) => Trouble::Late,
        _ => Trouble::Broken,
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
    /// What it says about the client's limit.
    limit: Headers,
    /// Who else may read it.
    cors: Headers,
    personal: bool,
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
        if self.method != Method::Head && status != 204 {
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
        headers.extend(self.limit.iter().chain(&self.cors).cloned());
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
