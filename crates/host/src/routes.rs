//! What the application calls its paths.
//!
//! A path holds numbers of orders and customers, so neither a metric nor a span may have it as a name. The application
//! says which paths there are, as `/orders/{id}`, in its OpenAPI document; the host asks for it once it serves, and
//! only when somebody looks at figures or traces.

use crate::app::Shared;
use crate::inside;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The name of every path that the application does not name, or has not named yet.
pub(crate) const UNKNOWN: &str = "other";

/// Where applications have the document.
const DOCUMENT: &str = "/openapi.json";

/// How often the application is asked, and how long in between: one that has no document has none later on.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_secs(1);

/// The application's paths.
#[derive(Debug)]
pub(crate) struct Paths(Vec<Template>);

#[derive(Debug)]
struct Template {
    text: String,
    /// Each segment; none for one that stands for any.
    segments: Vec<Option<String>>,
}

/// What we read of an OpenAPI document.
#[derive(Deserialize)]
struct Document {
    paths: BTreeMap<String, serde::de::IgnoredAny>,
}

impl Paths {
    fn read(document: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(document)?;
        let mut templates: Vec<Template> = document.paths.into_keys().map(Template::new).collect();
        // A path of its own goes before one that stands for any, segment by segment.
        templates.sort_by_key(|template| template.segments.iter().map(Option::is_none).collect::<Vec<_>>());
        Ok(Self(templates))
    }

    /// The application's name for a path.
    pub(crate) fn template(&self, path: &str) -> &str {
        let found = self.0.iter().find(|template| template.fits(path));
        found.map_or(UNKNOWN, |template| &template.text)
    }
}

impl Template {
    fn new(text: String) -> Self {
        let segment = |segment: &str| (!segment.starts_with('{')).then(|| segment.to_owned());
        Self {
            segments: text.split('/').map(segment).collect(),
            text,
        }
    }

    fn fits(&self, path: &str) -> bool {
        let mut given = path.split('/');
        let all = self.segments.iter().all(|wanted| match (wanted, given.next()) {
            (Some(wanted), Some(given)) => wanted == given,
            (None, Some(given)) => !given.is_empty(),
            (_, None) => false,
        });
        all && given.next().is_none()
    }
}

/// Asks the application what it calls its paths, if anybody wants to know.
pub(crate) fn learn(shared: &Arc<Shared>) {
    if shared.tracing.is_some() || shared.metrics.is_some() {
        tokio::spawn(ask(Arc::downgrade(shared)));
    }
}

async fn ask(shared: Weak<Shared>) {
    for _ in 0..ATTEMPTS {
        // A server that is gone asks nobody any more.
        let Some(shared) = shared.upgrade() else { return };
        match inside::get(&shared, DOCUMENT, None).await {
            Ok(document) => match Paths::read(&document) {
                Ok(paths) => return drop(shared.paths.set(paths)),
                Err(error) => {
                    return tracing::info!(%error, "the document of the API cannot be read: no path has a name");
                }
            },
            Err(story) => tracing::debug!(story, "no document of the API yet"),
        }
        drop(shared);
        tokio::time::sleep(PAUSE).await;
    }
    tracing::info!("the application has no {DOCUMENT}: figures and traces have no names for its paths");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_its_own_goes_before_one_that_stands_for_any() {
        let document = br#"{"openapi":"3.1.0","paths":{
            "/orders":{}, "/orders/{id}":{}, "/orders/me":{}, "/orders/{id}/cancel":{}, "/a/{b}/c":{}, "/a/{b}/{c}":{}}}"#;
        let paths = Paths::read(document).expect("a document");
        for (path, expected) in [
            ("/orders", "/orders"),
            ("/orders/17", "/orders/{id}"),
            ("/orders/me", "/orders/me"),
            ("/orders/17/cancel", "/orders/{id}/cancel"),
            ("/a/1/c", "/a/{b}/c"),
            ("/a/1/d", "/a/{b}/{c}"),
            ("/orders/", UNKNOWN),
            ("/orders/1/2", UNKNOWN),
            ("/", UNKNOWN),
            ("", UNKNOWN),
        ] {
            assert_eq!(paths.template(path), expected, "{path}");
        }
        assert!(Paths::read(b"[]").is_err());
    }
}
