//! The way to the service through `wasi:http`, for components.

use breaker::guest::KeyValue;
use breaker::shared::Breakers;
use kernel::{Instant, Millis};
use remote::{Failure, Function, KEY_VARIABLE, PREFIX, Reply};
use spin_sdk::http::{self, IncomingResponse};
use spin_sdk::wit::wasi::clocks0_2_0::monotonic_clock;
use web::{CREDENTIAL_HEADER, REQUEST_ID_HEADER, guest};

use futures_util::StreamExt;

use crate::{Address, Caller, Patience, Settings, Wire};

/// The variable that says how long a call may take, and when a service gets a rest.
const SETTINGS_VARIABLE: &str = "remote_settings";

/// The longest answer that is read: four times what is drained at once at most.
const MOST_BYTES: usize = 16 << 20;

/// How long a page may take: a little less than the gateway waits for it.
const PAGE: Millis = Millis(13_000);

/// Headers that are about one connection, or are made anew for the next one.
const OWN_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    CREDENTIAL_HEADER,
];

/// A service that is deployed on its own.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// What it is called in logs, and its breaker.
    pub name: &'static str,
    /// The variable that holds its address.
    pub variable: &'static str,
}

/// Who asks, for logs and traces only.
#[derive(Debug, Clone)]
pub struct Context {
    /// The request's id.
    pub request_id: String,
    /// Its `traceparent`.
    pub traceparent: Option<String>,
}

/// Who waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A customer, so there is not much time.
    Customer,
    /// A customer whose money moves: somebody else is asked for that, who takes seconds.
    Payer,
    /// A job.
    Job,
}

impl Service {
    /// Asks a function of its contract.
    pub fn ask<F: Function>(
        &self,
        context: Context,
        waiting: Waiting,
        ask: &F::Ask,
    ) -> Result<F::Answer, Failure<F::Refused>> {
        let misconfigured = |why: String| {
            web::log::error(F::NAME, &format!("{}: {why}", self.name));
            Failure::Unavailable(format!("the way to {} is not set up", self.name))
        };
        let (line, settings) = self.line(context).map_err(misconfigured)?;
        let random = guest::random().map_err(|problem| misconfigured(problem.detail().to_owned()))?;
        let cells = KeyValue::default();
        let caller = Caller {
            service: self.name,
            wire: &line,
            breakers: Breakers {
                cells: &cells,
                thresholds: &settings.thresholds,
                by: random,
            },
            patience: settings.patience(waiting),
        };
        caller.ask::<F>(ask)
    }

    fn line(&self, context: Context) -> Result<(Line, Settings), String> {
        let settings = Settings::parse(&variable(SETTINGS_VARIABLE)?)
            .map_err(|why| format!("{SETTINGS_VARIABLE}: {why}"))?;
        let credential =
            web::credential(&variable(KEY_VARIABLE)?).map_err(|why| format!("{KEY_VARIABLE}: {why}"))?;
        let line = Line {
            address: self.address()?,
            credential,
            context,
        };
        Ok((line, settings))
    }

    fn address(&self) -> Result<Address, String> {
        Address::parse(&variable(self.variable)?).map_err(|why| format!("{}: {why}", self.variable))
    }

    /// Answers a request for a page of the service with what the service answers, once: the gateway behind us knows what may
    /// be repeated. No page lies below [`PREFIX`], so the key's routes are not reached this way.
    pub async fn page(&self, request: http::Request) -> http::Response {
        if request.path().starts_with(PREFIX) {
            return http::Response::new(404, ());
        }
        let operation = "forward.page";
        let sent = match self.address() {
            Ok(address) => guest::within(PAGE, relay(&address, &request)).await,
            Err(why) => Some(Err(why)),
        };
        match sent {
            Some(Ok(response)) => response,
            // No problem document, so the gateway sees that nobody of ours has answered; and no 503, which is what it hears of
            // whoever runs this adapter: the adapter is there, and the service behind it is not.
            failed => {
                let why = failed.and_then(Result::err);
                let why = why.unwrap_or_else(|| "no answer in time".to_owned());
                web::log::error(operation, &format!("{}: {why}", self.name));
                http::Response::new(502, ())
            }
        }
    }
}

impl Settings {
    const fn patience(&self, waiting: Waiting) -> Patience {
        match waiting {
            Waiting::Customer => self.patience,
            Waiting::Payer => self.money,
            Waiting::Job => self.job,
        }
    }
}

fn variable(name: &str) -> Result<String, String> {
    spin_sdk::variables::get(name).map_err(|error| format!("variable {name}: {error:?}"))
}

/// The way to a service, for one call.
struct Line {
    address: Address,
    credential: String,
    context: Context,
}

impl Line {
    fn request(&self, path: &str, body: &[u8]) -> http::Request {
        let mut builder = http::Request::builder();
        builder
            .method(http::Method::Post)
            .uri(self.address.of(path))
            .header("content-type", "application/json")
            .header("content-length", body.len().to_string())
            .header(CREDENTIAL_HEADER, self.credential.as_str())
            .header(REQUEST_ID_HEADER, self.context.request_id.as_str());
        if let Some(traceparent) = &self.context.traceparent {
            builder.header("traceparent", traceparent.as_str());
        }
        builder.body(body.to_vec()).build()
    }
}

impl Wire for Line {
    fn send(&self, path: &str, body: &[u8], limit: Millis) -> Result<Reply, String> {
        let exchange = guest::within(limit, exchange(self.request(path, body)));
        let replied = http::run(exchange);
        replied.unwrap_or_else(|| Err(format!("no answer within {} ms", limit.0)))
    }

    fn wait(&self, pause: Millis) {
        monotonic_clock::subscribe_duration(u64::from(pause.0) * 1_000_000).block();
    }

    fn elapsed_ms(&self) -> u64 {
        monotonic_clock::now() / 1_000_000
    }

    fn now(&self) -> Instant {
        guest::now()
    }

    /// Without chance everybody waits for the same time, which is better than not at all.
    fn random(&self) -> u64 {
        guest::random().unwrap_or(u64::MAX)
    }
}

impl Address {
    fn of(&self, target: &str) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}{target}", self.authority)
    }
}

async fn exchange(request: http::Request) -> Result<Reply, String> {
    let response: IncomingResponse = http::send(request).await.map_err(|error| error.to_string())?;
    let headers = response.headers();
    let header = |name: &str| {
        let values = headers.get(name);
        let first = values.into_iter().next();
        first.and_then(|value| String::from_utf8(value).ok())
    };
    Ok(Reply {
        status: response.status(),
        content_type: header("content-type"),
        retry_after: header("retry-after"),
        body: whole(&response).await?,
    })
}

async fn whole(response: &IncomingResponse) -> Result<Vec<u8>, String> {
    let mut chunks = std::pin::pin!(response.take_body_stream());
    let mut body = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| format!("the answer broke off: {error}"))?;
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(format!("the answer has more than {MOST_BYTES} bytes"));
        }
        body.extend(chunk);
    }
    Ok(body)
}

async fn relay(address: &Address, asked: &http::Request) -> Result<http::Response, String> {
    let mut builder = http::Request::builder();
    builder
        .method(asked.method().clone())
        .uri(address.of(asked.path_and_query().unwrap_or("/")));
    for (name, value) in asked.headers().filter(|(name, _)| travels(name)) {
        // What is no text says nothing to a component of ours.
        if let Some(value) = value.as_str() {
            builder.header(name, value);
        }
    }
    if !asked.body().is_empty() {
        builder.header("content-length", asked.body().len().to_string());
    }
    let request = builder.body(asked.body().to_vec()).build();
    let response: IncomingResponse = http::send(request).await.map_err(|error| error.to_string())?;
    let mut builder = http::Response::builder();
    builder.status(response.status());
    let headers = response.headers().entries();
    for (name, value) in headers.into_iter().filter(|(name, _)| travels(name)) {
        if let Ok(value) = String::from_utf8(value) {
            builder.header(name, value);
        }
    }
    Ok(builder.body(whole(&response).await?).build())
}

fn travels(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !OWN_HEADERS.contains(&name.as_str()) && !name.starts_with("spin-")
}
