//! Serves the files: `/api-docs` is the page, everything it needs is below.

mod accept_encoding;
mod document;

use web::{ETag, Method, Problem, Request, Response, Route, find};

use crate::files::{Coding, FILES, File, Kind};

pub use document::document;

/// Nothing but our own files runs, styles or is asked, no page may frame this one, and no form leaves it. The
/// stylesheet of Swagger UI has its icons in it, as `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Answers a request.
pub fn handle(request: &Request) -> Response {
    answer(request).into()
}

fn answer(request: &Request) -> Result<Response, Problem> {
    let (file, _) = find(&routes(), request)?;
    request.query()?.only(parameters(file.kind))?;
    let coding = coding(file, request);
    // HEAD gets no body in the end, so none is unpacked for it.
    let body = match request.method() {
        Method::Head => Vec::new(),
        _ => file.bytes(coding),
    };
    let response = headers(Response::document(200, file.media_type, body), file);
    let response = match coding {
        Coding::Identity => response,
        Coding::Gzip => response.header("content-encoding", "gzip"),
    };
    response.conditional_on(request, tag(file, coding))
}

/// Every route: one for each file.
pub fn routes() -> Vec<Route<&'static File>> {
    let route = |file: &'static File| Route {
        method: Method::Get,
        pattern: file.path,
        endpoint: file,
    };
    FILES.iter().map(route).collect()
}

/// The page asks for its files with `?v=` and their hash, which only tells one version from the next: there is
/// one of each here, whatever is asked for.
const fn parameters(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Page => &[],
        Kind::Asset => &["v"],
    }
}

fn coding(file: &File, request: &Request) -> Coding {
    let accepted = request.header("accept-encoding").unwrap_or("");
    if file.codings().contains(&Coding::Gzip) && accept_encoding::prefers_gzip(accepted) {
        Coding::Gzip
    } else {
        Coding::Identity
    }
}

/// A strong tag stands for bytes, so each coding has its own (RFC 9110 §8.8.3.3).
fn tag(file: &File, coding: Coding) -> ETag {
    match coding {
        Coding::Identity => ETag::known(file.hash),
        Coding::Gzip => ETag::known(&format!("{}-gzip", file.hash)),
    }
}

/// What 200 and 304 say alike; a page that was kept gets today's policy with a 304 as well.
fn headers(response: Response, file: &File) -> Response {
    let response = response
        .header("cache-control", cache_control(file.kind))
        .header("content-security-policy", POLICY);
    if file.codings().len() > 1 {
        response.header("vary", "Accept-Encoding")
    } else {
        response
    }
}

const fn cache_control(kind: Kind) -> &'static str {
    match kind {
        // It names the versions of all the others.
        Kind::Page => "no-cache",
        Kind::Asset => "public, max-age=3600",
    }
}
