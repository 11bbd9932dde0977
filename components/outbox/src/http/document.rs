//! What the API's document says about the one route.

use openapi::{Access, Document, Operation};
use web::Method;

use super::RunView;

/// The document of this component; `openapi.json` keeps its text.
pub fn document() -> Document {
    let run = Operation::new(
        Access::Internal,
        Method::Post,
        "/internal/jobs/run",
        "runJobs",
        "Run the jobs once",
    )
    .about(
        "Finishes what crashes and outages left behind, and publishes events. For places without a clock; \
         running twice at once is harmless. A body is not looked at.",
    )
    .answers::<RunView>(200, "What was done, and what failed and will be tried again.");
    Document::new(
        "outbox",
        "What goes on without anybody asking.",
        env!("CARGO_PKG_VERSION"),
    )
    .with(run)
}
