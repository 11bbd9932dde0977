//! Requests that components send: to each other, to themselves, to the network.
//!
//! The rules are Spin's: everything must stand in `allowed_outbound_hosts`; a host name
//! `COMPONENT.spin.internal` never leaves the process; a request without a host goes to the
//! application itself, here without a detour over the network.

mod client;

pub(crate) use client::{Client, connector};

use crate::answer;
use crate::app::{Guest, Shared};
use crate::body::Impatient;
use crate::faults::{Interruption, Kind};
use crate::server::{self, Origin};
use crate::state::Chain;
use crate::trace::{self, Place};
use http::header::HOST;
use http::uri::Authority;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Beyond it a chain of components is taken for a loop.
const MAX_DEPTH: u32 = 16;

/// What Spin waits when the guest names no time.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a chained component sees as its client's address, as in Spin.
const CHAINED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

type Sent = Result<Response<WasiBody>, Error>;
type Ended = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// The sending side of one instance.
#[derive(Clone)]
pub(crate) struct Outgoing {
    app: Arc<Shared>,
    guest: Arc<Guest>,
    chain: Chain,
    trap: Arc<Notify>,
}

/// Where a request goes.
enum Target {
    Component(String),
    Application,
    Network,
}

impl Target {
    /// What a trace calls it.
    fn name(&self, uri: &Uri) -> String {
        match self {
            Self::Component(component) => component.clone(),
            Self::Application => "self".to_owned(),
            Self::Network => uri.host().unwrap_or_default().to_owned(),
        }
    }
}

/// A request to the network says that it comes from here, if the guest wanted to say where it comes from.
fn go_on(place: &Place, request: &mut Request<WasiBody>) {
    if request.headers().contains_key("traceparent") {
        place.inject(request.headers_mut());
    }
}

impl Outgoing {
    pub(crate) fn new(app: Arc<Shared>, guest: Arc<Guest>, chain: Chain, trap: Arc<Notify>) -> Self {
        Self {
            app,
            guest,
            chain,
            trap,
        }
    }

    async fn send(self, mut request: Request<WasiBody>, options: RequestOptions) -> Sent {
        let target = self.admit(&mut request)?;
        let kind = match target {
            Target::Network => Kind::Http,
            Target::Component(_) | Target::Application => Kind::Chain,
        };
        let url = request.uri().to_string();
        let run = self.chain.run.clone();
        let call = run.call(run.count(), kind, &self.guest.id, &url);
        self.told(self.app.before(call).await).await?;
        let patience = options.first_byte_timeout.unwrap_or(PATIENCE);
        let place = &self.chain.place;
        let mut span = place.begin(|| trace::sent(request.method(), &target.name(request.uri())));
        let place = span.place(place);
        let sent = match target {
            Target::Network => {
                go_on(&place, &mut request);
                self.app.client.send(request, &options).await
            }
            Target::Component(component) => {
                in_time(patience, self.to_component(&component, request, place)).await
            }
            Target::Application => in_time(patience, self.to_application(request, place)).await,
        };
        match &sent {
            Ok(response) => span.answered(response.status()),
            Err(_) => span.fail("no answer"),
        }
        drop(span);
        self.told(self.app.after(call).await).await?;
        let between = options.between_bytes_timeout.unwrap_or(PATIENCE);
        sent.map(|response| response.map(|body| Impatient::new(body, between).boxed_unsync()))
    }

    /// Says where a request may go, having made its URI what it stands for.
    fn admit(&self, request: &mut Request<WasiBody>) -> Result<Target, Error> {
        // The guest side fills in a scheme and an empty authority when there is none.
        let host = request.uri().host().unwrap_or_default().to_owned();
        let relative = host.is_empty() || host == "self.alt";
        let allowed = if relative {
            self.guest.hosts.check_relative(&["http", "https"])
        } else {
            self.guest.hosts.check(&request.uri().to_string())
        };
        if !allowed {
            tracing::warn!(
                component = %self.guest.id,
                scheme = request.uri().scheme_str(),
                host,
                port = request.uri().port_u16(),
                "a request was refused: its host is not in allowed_outbound_hosts"
            );
            return Err(Error::HttpRequestDenied);
        }
        request.headers_mut().remove(HOST);
        if relative {
            return Ok(Target::Application);
        }
        match manifest::service_chaining_target(&host) {
            Some(component) => Ok(Target::Component(component.to_owned())),
            None => Ok(Target::Network),
        }
    }

    async fn to_component(&self, component: &str, request: Request<WasiBody>, place: Place) -> Sent {
        let chain = self.next(place)?;
        let serving = self.app.guests.get(component);
        let Some(guest) = serving.filter(|guest| guest.handlers.http.is_some()) else {
            tracing::error!(component, "a request names a component that serves no HTTP");
            return Err(Error::DestinationNotFound);
        };
        let matched = manifest::RouteMatch::synthetic(component, request.uri().path());
        let origin = Origin {
            client: CHAINED,
            chain,
            permit: None,
        };
        let sent = server::to_guest(&self.app, guest, &matched, request, origin).await;
        Ok(sent.unwrap_or_else(answer::problem))
    }

    async fn to_application(&self, mut request: Request<WasiBody>, place: Place) -> Sent {
        let chain = self.next(place)?;
        let address = self.app.address.get().ok_or(Error::HttpRequestUriInvalid)?;
        *request.uri_mut() = own_uri(request.uri(), *address)?;
        let origin = Origin {
            client: *address,
            chain,
            permit: None,
        };
        Ok(server::to_route(&self.app, request, origin).await)
    }

    fn next(&self, place: Place) -> Result<Chain, Error> {
        if self.chain.depth >= MAX_DEPTH {
            tracing::error!(component = %self.guest.id, "components call each other in a loop");
            return Err(Error::LoopDetected);
        }
        Ok(Chain {
            depth: self.chain.depth + 1,
            place,
            ..self.chain.clone()
        })
    }

    async fn told(&self, asked: Result<(), Interruption>) -> Result<(), Error> {
        match asked {
            Ok(()) => Ok(()),
            Err(Interruption::Failed(text)) => Err(Error::InternalError(Some(text))),
            Err(Interruption::Trapped) => {
                self.trap.notify_one();
                std::future::pending().await
            }
        }
    }
}

fn own_uri(uri: &Uri, address: SocketAddr) -> Result<Uri, Error> {
    let authority: Authority = address
        .to_string()
        .parse()
        .map_err(|_| Error::HttpRequestUriInvalid)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder()
        .scheme("http")
        .authority(authority)
        .path_and_query(path)
        .build()
        .map_err(|_| Error::HttpRequestUriInvalid)
}

async fn in_time(patience: Duration, sent: impl Future<Output = Sent>) -> Sent {
    // Boxed, since a chain of components is a recursion of futures.
    match tokio::time::timeout(patience, Box::pin(sent)).await {
        Ok(sent) => sent,
        Err(_) => Err(Error::ConnectionReadTimeout),
    }
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _received: Ended,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Ended), Error>> + Send> {
        let this = self.clone();
        Box::new(async move {
            let response = this.send(request, options.unwrap_or_default()).await?;
            let ended: Ended = Box::new(async { Ok(()) });
            Ok((response, ended))
        })
    }
}
