//! What this door says of itself in the API's document, and how the document begins.

use openapi::{Access, Document, Operation, Parameter, words};
use utoipa::ToSchema;
use web::{Code, Method};

use crate::metrics;

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
    .with(problems())
    .with(problem())
    .with(counted())
}

/// That the shop runs.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Liveness {
    #[schema(pattern = "^UP$")]
    status: String,
}

/// How the shop is, and each of its components.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Readiness {
    /// DEGRADED: something is down that does not keep this replica from selling.
    status: WholeState,
    components: Vec<ComponentState>,
}

/// How a component is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct ComponentState {
    name: String,
    status: ComponentStatus,
    /// Whether it gets requests (closed), has a rest (open) or gets one to see how it is (half-open).
    #[schema(required = false)]
    breaker: BreakerState,
}

#[derive(ToSchema)]
#[schema(as = ReadinessState, rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "only its schema is looked at")]
enum WholeState {
    Up,
    Degraded,
    Down,
}

#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "only its schema is looked at")]
enum ComponentStatus {
    Up,
    Down,
}

#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is looked at")]
enum BreakerState {
    Closed,
    Open,
    HalfOpen,
    Unknown,
}

/// One kind of problem.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct ProblemKind {
    /// The `type` in problem documents.
    r#type: String,
    title: String,
    /// The HTTP status it comes with.
    status: u16,
    /// The kind as a word, `error` in problem documents.
    error: String,
    meaning: String,
}

fn open(path: &'static str, name: &str, summary: &'static str) -> Operation {
    Operation::new(Access::Open, Method::Get, path, name, summary)
}

fn alive() -> Operation {
    open("/health/live", "getLiveness", "Ask whether the shop runs").answers::<Liveness>(200, "It runs.")
}

fn ready() -> Operation {
    open("/health/ready", "getReadiness", "Ask whether the shop can work")
        .about(
            "Every component is asked something cheap that needs its database. The status code is about what a sale \
             needs and this replica has itself; everything else that is down is named, and does not decide.",
        )
        .answers::<Readiness>(503, "Something that a sale needs does not answer.")
        .answers::<Readiness>(200, "This replica can sell.")
}

fn contract() -> Operation {
    open("/openapi.json", "getDocument", "Read this document")
        .about("OpenAPI 3.1, put together from what each component says of itself.")
        .answers_any(200, "The document.")
        .cached()
}

fn problems() -> Operation {
    open("/problems", "listProblems", "Read what can go wrong")
        .about("Every `type` of a problem document; a page for people, JSON for programs, as `Accept` says.")
        .answers_text(200, "Every kind of problem.", "text/html")
        .answers_all::<ProblemKind>(200, "Every kind of problem.")
        .cached()
}

fn problem() -> Operation {
    let names: Vec<String> = Code::ALL.iter().map(|code| code.slug()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    open("/problems/{name}", "getProblem", "Read what a problem means")
        .parameter(Parameter::path("name", "The end of its `type`.", words(&names)).example("conflict"))
        .answers_text(200, "The problem.", "text/html")
        .answers::<ProblemKind>(200, "The problem.")
        .cached()
}

fn counted() -> Operation {
    let name = "getMetrics";
    Operation::new(
        Access::Internal,
        Method::Get,
        metrics::PATH,
        name,
        "Read what the door has counted",
    )
    .about(
        "The text format of Prometheus: breakers, failures of components, refusals by class, and what the \
         domains count of their business.",
    )
    .answers_text(200, "The figures.", "text/plain")
}
