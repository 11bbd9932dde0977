//! The application's own page of figures, asked for inside the process.

use crate::app::Shared;
use crate::inside;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Who asks sooner than that gets the same answer: counting is work for the application's databases.
const FRESH: Duration = Duration::from_secs(2);

/// Where the page is, and what it said last.
pub(super) struct Application {
    path: String,
    key: String,
    last: Mutex<Option<(Instant, String)>>,
}

impl Application {
    pub(super) fn new(path: String, key: String) -> Self {
        Self {
            path,
            key,
            last: Mutex::new(None),
        }
    }

    /// What the page says; nothing when it does not answer, since the host's own figures are worth having then.
    /// Those who ask at the same time wait for one answer.
    pub(super) async fn figures(&self, shared: &Arc<Shared>) -> String {
        let mut last = self.last.lock().await;
        if let Some((at, text)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            tracing::trace!(age = ?at.elapsed(), "the same figures again");
            return text.clone();
        }
        let text = match inside::get(shared, &self.path, Some(&self.key)).await {
            Ok(body) => String::from_utf8_lossy(&body).into_owned(),
            Err(story) => {
                tracing::warn!(story, "the application shows no figures");
                return String::new();
            }
        };
        *last = Some((Instant::now(), text.clone()));
        text
    }
}
