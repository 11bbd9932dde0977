//! What happens with a request: answered here, or handed on, and as what.

use kernel::Instant;
use token::Keys;
use web::{
    CREDENTIAL_HEADER, Code, IDENTITY_HEADER, IdentityKey, MAX_BODY_BYTES, Method, Problem, Query,
    REQUEST_ID_HEADER, Request, Response,
};

use crate::accept::preferred;
use crate::auth::{Marks, find};
use crate::client::{Client, Proxies};
use crate::cors::Origins;
use crate::headers::{Headers, forwarded, values};
use crate::limit::{Class, Limiter};
use crate::methods::{known, read_only};
use crate::path::canonical;
use crate::routes::{Access, Own, Upstream, access, is_internal, own, produces, upstream};
use crate::{problems, trace};

/// A request without its body.
#[derive(Debug, Clone)]
pub struct Head {
    /// The method; another one than those we know is kept as [`Method::Other`].
    pub method: Method,
    /// The target as it came: path and query.
    pub target: String,
    /// The headers as they came.
    pub headers: Headers,
}

impl Head {
    /// The same as components see a request.
    pub fn request(&self) -> Request {
        let empty = Request::new(self.method, &self.target);
        self.headers.iter().fold(empty, |request, (name, value)| {
            request.with_header(name, value.clone())
        })
    }

    /// Whether it carries what could be somebody's token.
    pub fn names_somebody(&self) -> bool {
        !values(&self.headers, "authorization").is_empty() && !is_internal(self.path())
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }

    fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// What the door uses to decide.
pub struct Door<'a> {
    /// The keys of access tokens.
    pub keys: &'a Keys,
    /// Which access tokens are dead.
    pub marks: &'a dyn Marks,
    /// The key of handed-over identities.
    pub identities: &'a IdentityKey,
    /// Who is believed about a client's address.
    pub proxies: &'a Proxies,
    /// How often somebody may ask.
    pub limiter: Limiter<'a>,
    /// The time of the request.
    pub now: Instant,
    /// The id of the request: 128 random bits.
    pub request_id: u128,
    /// The id of the door's own part in the trace: 64 random bits.
    pub span_id: u64,
    /// Whose pages may read the answers.
    pub origins: &'a Origins,
}

/// What happens with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is answered here.
    Answer(Response),
    /// It is answered here, after the components were asked how they are.
    Readiness,
    /// It is answered here, for who has the key of the internal routes.
    Metrics,
    /// It is answered here, with the documents of all components.
    Contract,
    /// It goes on.
    Forward(Forward),
}

/// A decision, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What happens.
    pub decision: Decision,
    /// What the answer says about the client's limit, whatever it is.
    pub limit: Headers,
}

/// A request on its way to a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Which component.
    pub upstream: Upstream,
    /// The target, unchanged.
    pub target: String,
    /// All of its headers but the body's length.
    pub headers: Headers,
    /// How long the body is, if the client said so.
    pub length: Option<u64>,
    /// Whether the answer is meant for one person.
    pub personal: bool,
}

impl Door<'_> {
    /// Decides what happens with a request.
    pub fn decide(&self, head: &Head) -> Decided {
        let mut limit = Headers::new();
        let decision = self
            .consider(head, &mut limit)
            .unwrap_or_else(|problem| Decision::Answer(problem.into()));
        Decided { decision, limit }
    }

    /// The order matters: what is not in one form is not compared with anything, every refusal after that counts
    /// as a request, and nobody learns without a token which guarded paths there are.
    fn consider(&self, head: &Head, limit: &mut Headers) -> Result<Decision, Problem> {
        let path = head.path();
        canonical(path)?;
        if let Some(answer) = self.origins.preflight(head) {
            return Ok(Decision::Answer(answer));
        }
        if let Some(answer) = liveness(head) {
            return Ok(Decision::Answer(answer));
        }
        let class = Class::of(head.method, path);
        let client = Client::of(&head.headers, self.proxies);
        if class == Class::Ready {
            self.limiter.admit(class, None, client, limit)?;
            return here(head, Decision::Readiness);
        }
        let access = access(path);
        let tokens = values(&head.headers, "authorization");
        let found = find(&tokens, self.keys, self.marks, self.now);
        self.limiter.admit(class, found.user(), client, limit)?;
        let identity = found.permit(access)?;
        match own(path) {
            Some(Own::Metrics) => return here(head, Decision::Metrics),
            Some(Own::Document) => return here(head, Decision::Contract),
            Some(Own::Problems) => return problems::answer(head).map(Decision::Answer),
            // They were answered further up.
            Some(Own::Alive | Own::Ready) | None => {}
        }
        let upstream = upstream(path).ok_or_else(|| Problem::not_found("page"))?;
        known(head.method)?;
        if head.method != Method::Options {
            preferred(&head.headers, produces(path))?;
        }
        let mut headers = forwarded(&head.headers);
        headers.extend(trace::context(&head.headers, self.request_id, self.span_id));
        headers.push((
            REQUEST_ID_HEADER.to_owned(),
            request_id_text(self.request_id).into_bytes(),
        ));
        if is_internal(path) {
            // The internal routes have a key of their own, which this door does not know and does not judge.
            let credentials = values(&head.headers, "authorization");
            let kept = credentials
                .iter()
                .map(|value| (CREDENTIAL_HEADER.to_owned(), value.to_vec()));
            headers.extend(kept);
        }
        if let Some(identity) = identity {
            let signed = self.identities.sign(identity, self.now);
            headers.push((IDENTITY_HEADER.to_owned(), signed.into_bytes()));
        }
        let length = declared_length(&head.headers)?;
        if class == Class::Login {
            self.limiter.admit_password()?;
        }
        Ok(Decision::Forward(Forward {
            upstream,
            target: head.target.clone(),
            headers,
            length,
            personal: identity.is_some() || access != Access::Open,
        }))
    }
}

/// A request's id as everybody writes it.
pub fn request_id_text(request_id: u128) -> String {
    format!("{request_id:032x}")
}

fn alive() -> Response {
    Response::json(200, &serde_json::json!({"status": "UP"}))
}

/// The answer to liveness, if that is what is asked for. It needs no settings: a shop that was set up wrongly is
/// alive, and not made better by starting it again.
pub fn liveness(head: &Head) -> Option<Response> {
    let answer = || read_here(head).map(|other| other.unwrap_or_else(alive)).into();
    (own(head.path()) == Some(Own::Alive)).then(answer)
}

/// Whether readiness is asked for.
pub fn is_readiness(head: &Head) -> bool {
    own(head.path()) == Some(Own::Ready)
}

fn here(head: &Head, decision: Decision) -> Result<Decision, Problem> {
    Ok(read_here(head)?.map_or(decision, Decision::Answer))
}

/// What is answered here is only read: nothing for those who read it. Whoever probes looks at the status, so the form
/// of the answer is not negotiated.
fn read_here(head: &Head) -> Result<Option<Response>, Problem> {
    let options = read_only(head.method)?;
    if options.is_none() {
        Query::parse(head.query())?.only(&[])?;
    }
    Ok(options)
}

/// The length a request declares; refused when it is too large, or said twice in two ways.
fn declared_length(headers: &Headers) -> Result<Option<u64>, Problem> {
    let declared = values(headers, "content-length");
    let Some(first) = declared.first() else {
        return Ok(None);
    };
    let malformed = || Problem::new(Code::Malformed, "the content length is not a number");
    if declared.iter().any(|other| other != first) || !first.iter().all(u8::is_ascii_digit) {
        return Err(malformed());
    }
    // More digits than fit are more bytes than we take.
    let text = std::str::from_utf8(first).map_err(|_| malformed())?;
    match text.parse::<u64>() {
        Ok(length) if length <= MAX_BODY_BYTES as u64 => Ok(Some(length)),
        _ if text.is_empty() => Err(malformed()),
        _ => Err(too_large()),
    }
}

/// The refusal of a body whose sender broke off.
pub fn broken_off() -> Problem {
    Problem::new(Code::Malformed, "the body broke off")
}

/// The refusal of a body that is too large, declared or found out.
pub fn too_large() -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("at most {MAX_BODY_BYTES} bytes are taken"),
    )
}
