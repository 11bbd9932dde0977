//! What goes into the log about one call.

use super::api::shop::types::context::CallContext;
use crate::app::Trouble;

/// One call, as the log knows it.
pub(super) struct Said {
    operation: &'static str,
    subject: String,
}

impl Said {
    /// A call about one order.
    pub(super) fn new(operation: &'static str, ctx: &CallContext, order: u64) -> Self {
        let subject = format!("request {} order {order}", ctx.request_id);
        Self { operation, subject }
    }

    /// A call about no order in particular.
    pub(super) fn of_all(operation: &'static str, ctx: &CallContext) -> Self {
        let subject = format!("request {}", ctx.request_id);
        Self { operation, subject }
    }

    /// The answer was no.
    pub(super) fn refusal(&self, refused: &dyn std::fmt::Display) {
        web::log::info(self.operation, &format!("{}: {refused}", self.subject));
    }

    /// Somebody must look at this.
    pub(super) fn alarm(&self, what: &str) {
        web::log::error(self.operation, &format!("{}: {what}", self.subject));
    }

    /// Logs the whole story and answers what the caller may know.
    pub(super) fn trouble(&self, trouble: &Trouble) -> String {
        let line = format!("{}: {trouble}", self.subject);
        let defect = matches!(trouble, Trouble::Store(error) if !error.retryable());
        if defect {
            web::log::error(self.operation, &line);
        } else {
            web::log::warn(self.operation, &line);
        }
        trouble.excuse().to_owned()
    }
}
