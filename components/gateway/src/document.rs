//! What this door says of itself in the API's document, and how the document begins.

use openapi::{Access, Document, Operation};
use utoipa::ToSchema;
use web::{Code, Method};

/// The beginning of the document; its commands are run by a test as they stand here.
const GUIDE: &str = include_str!("guide.md");

/// The document of this component; `openapi.json` keeps its text.
pub fn document() -> Document {
    Document::new(
        "gateway",
        "How the shop is, and what can be asked of it.",
        env!("CARGO_PKG_VERSION"),
    )
    .opening("Bodega", GUIDE)
    .with(alive())
    .with(ready())
    .with(contract())
}

/// How the shop is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Health {
    #[schema(pattern = "^UP$")]
    status: String,
}

fn alive() -> Operation {
    let name = "getLiveness";
    Operation::new(
        Access::Open,
        Method::Get,
        "/health/live",
        name,
        "Ask whether the shop runs",
    )
    .answers::<Health>(200, "It runs.")
}

fn ready() -> Operation {
    let name = "getReadiness";
    Operation::new(
        Access::Open,
        Method::Get,
        "/health/ready",
        name,
        "Ask whether the shop can work",
    )
    .about("Every component is asked something cheap that needs its database.")
    .answers::<Health>(200, "Every component answers.")
    .refuses(Code::Unavailable, "A component does not answer.")
}

fn contract() -> Operation {
    let name = "getDocument";
    Operation::new(
        Access::Open,
        Method::Get,
        "/openapi.json",
        name,
        "Read this document",
    )
    .about("OpenAPI 3.1, put together from what each component says of itself.")
    .answers_any(200, "The document.")
}
