use serde::Deserialize;

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
            Err(error) => reply.nonsense(&format!("an answer that can't be read: {error}")),
        },
        REFUSED if is_problem => match serde_json::from_slice(&reply.body) {
            Ok(refused) => Reading::Decided(Err(refused)),
            // The service said no, but in words of another version.
            Err(error) => Reading::Misfit(format!("a refusal that can't be read: {error}")),
        },
        503 if is_problem => Reading::Unavailable {
            detail: reply.detail().unwrap_or_else(|| "it is not available".to_owned()),
            wait_ms: reply.wait_ms(),
        },
        400 | 401 | 403 | 404 | 405 | 413 | 415 if is_problem => {
            Reading::Misfit(format!("it answered {}", reply.status))
        }
        status => reply.nonsense(&format!("it answered {status}")),
    }
}

/// The member of a problem that people read.
#[derive(Deserialize)]
struct Detail {
    detail: String,
}

impl Reply {
    fn is_of(&self, media_type: &str) -> bool {
        let own = self.content_type.as_deref().unwrap_or_default();
        let own = own.split(';').next().unwrap_or_default();
        own.trim().eq_ignore_ascii_case(media_type)
    }

    fn detail(&self) -> Option<String> {
        let problem: Detail = serde_json::from_slice(&self.body).ok()?;
        Some(problem.detail)
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
