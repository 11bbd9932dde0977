use serde::Deserialize;
use web::Code;

use crate::function::{MEDIA_TYPE, REFUSED};
use crate::{Failure, Function};

/// The media type of problem details (RFC 9457).
const PROBLEM: &str = "application/problem+json";

/// What a service answered, as it came off the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// What a reply means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading<A, R> {
    /// The service decided: repeating the call would bring the same.
    Decided(Result<A, R>),
    /// The service runs and says that it can't answer now.
    Unavailable {
        /// Its own sentence about it.
        detail: String,
        /// How long it asks to be left alone.
        wait_ms: Option<u32>,
    },
    /// Something else answered in its place, or the answer makes no sense: it may be better next time.
    Nonsense {
        /// What came.
        story: String,
        /// How long whoever answered asks to be left alone.
        wait_ms: Option<u32>,
        /// The service's own code wrote it, so it runs: a defect is no outage, and nobody can have the service shut for all
        /// others by repeating the one call that it fails at.
        runs: bool,
    },
    /// The two sides do not fit: the key, the address or the version. Repeating will not help; a person must look.
    Misfit(String),
}

impl<A, R> Reading<A, R> {
    /// The answer for whoever asked, when nothing more is tried.
    pub fn into_answer(self) -> Result<A, Failure<R>> {
        match self {
            Self::Decided(decided) => decided.map_err(Failure::Refused),
            Self::Unavailable { detail, .. } => Err(Failure::Unavailable(detail)),
            Self::Nonsense { story, .. } | Self::Misfit(story) => Err(Failure::Unavailable(story)),
        }
    }
}

/// Understands a reply. Only what this crate's own [`crate::serve`] writes is an answer or a refusal.
pub fn read<F: Function>(reply: &Reply) -> Reading<F::Answer, F::Refused> {
    let is_problem = reply.is_of(PROBLEM);
    match reply.status {
        200 if reply.is_of(MEDIA_TYPE) => match serde_json::from_slice(&reply.body) {
            Ok(answer) => Reading::Decided(Ok(answer)),
            Err(error) => reply.unreadable("an answer", &error),
        },
        REFUSED if is_problem => match serde_json::from_slice(&reply.body) {
            Ok(refused) => Reading::Decided(Err(refused)),
            Err(error) => reply.unreadable("a refusal", &error),
        },
        503 if is_problem => reply.unavailable(),
        400 | 401 | 403 | 404 | 405 | 413 | 415 if is_problem => {
            Reading::Misfit(format!("it answered {}", reply.status))
        }
        status => reply.nonsense(&format!("it answered {status}")),
    }
}

/// What of a problem says who wrote it, and the member that people read.
#[derive(Deserialize)]
struct Told {
    error: String,
    detail: String,
}

impl Reply {
    fn is_of(&self, media_type: &str) -> bool {
        let own = self.content_type.as_deref().unwrap_or_default();
        let own = own.split(';').next().unwrap_or_default();
        own.trim().eq_ignore_ascii_case(media_type)
    }

    /// Who runs the service says 503 too when it has no room for a request, and its document is a problem as well. Only the
    /// service's own word shows that it was reached.
    fn unavailable<A, R>(&self) -> Reading<A, R> {
        match serde_json::from_slice(&self.body) {
            Ok(Told { error, detail }) if error == Code::Unavailable.text() => Reading::Unavailable {
                detail,
                wait_ms: self.wait_ms(),
            },
            Ok(_) | Err(_) => self.nonsense("it answered 503, and not in its own words"),
        }
    }

    /// The service has decided, but said so in words of another version: asking again would bring the same words. What only
    /// has no end was lost on the way.
    fn unreadable<A, R>(&self, what: &str, error: &serde_json::Error) -> Reading<A, R> {
        let story = format!("{what} that can't be read: {error}");
        match error.is_eof() {
            true => self.nonsense(&story),
            false => Reading::Misfit(story),
        }
    }

    /// Seconds, as every service here says it. A date (RFC 9110 §10.2.3) is not read, as if nothing was said.
    fn wait_ms(&self) -> Option<u32> {
        let seconds: u32 = self.retry_after.as_deref()?.trim().parse().ok()?;
        Some(seconds.saturating_mul(1_000))
    }

    fn nonsense<A, R>(&self, story: &str) -> Reading<A, R> {
        Reading::Nonsense {
            story: story.to_owned(),
            wait_ms: self.wait_ms(),
            runs: self.status == 500 && self.is_of(PROBLEM),
        }
    }
}
