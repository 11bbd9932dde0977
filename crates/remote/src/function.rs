use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use web::{Code, Problem, Request, Response};

/// What all of these routes begin with. It is below `/internal`, and no door of the shop leads there.
pub const PREFIX: &str = "/internal/rpc/";

/// What an answer is called, so that nobody else's JSON is taken for one: an empty object means "done" here.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.bodega.rpc+json";

/// One function of a contract.
pub trait Function {
    /// What it is called in logs: `stock.reserve`.
    const NAME: &'static str;
    /// Where it is asked, by POST.
    const PATH: &'static str;
    /// What it is given.
    type Ask: Serialize + DeserializeOwned;
    /// What it gives.
    type Answer: Serialize + DeserializeOwned;
    /// Why it may say no.
    type Refused: Serialize + DeserializeOwned;
    /// Whether a no is the last word: the same call that arrives later, because it was still on its way, finds the no in the
    /// books, or can't do harm any more. Where it is not, a no says nothing about an earlier try that has not been heard of.
    const REMEMBERS_REFUSALS: bool;
}

/// The answer of a function that gives nothing back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

/// The refusals of a function that never says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code")]
pub enum NoRefusal {}

/// Why nothing was done, or why nobody knows whether it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure<R> {
    /// The service said no.
    Refused(R),
    /// There is no answer: it may or may not have been done. Carries a sentence.
    Unavailable(String),
}

impl<R> From<R> for Failure<R> {
    fn from(refused: R) -> Self {
        Self::Refused(refused)
    }
}

/// A refusal as it goes over the wire: problem details (RFC 9457) whose `code` and further members are the contract's case.
#[derive(Serialize)]
struct Refusal<R> {
    title: &'static str,
    status: u16,
    #[serde(flatten)]
    refused: R,
}

/// The status of every refusal. Which one it is says the `code`.
pub(crate) const REFUSED: u16 = 409;

/// Answers one call, whose body is read strictly: a caller that is newer than this service must learn that something it
/// said was not understood.
pub fn serve<F: Function>(
    request: &Request,
    answer: impl FnOnce(F::Ask) -> Result<F::Answer, Failure<F::Refused>>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    match answer(request.json()?) {
        Ok(answer) => document::<F>(200, MEDIA_TYPE, &answer),
        Err(Failure::Refused(refused)) => document::<F>(
            REFUSED,
            "application/problem+json",
            &Refusal {
                title: "The answer is no",
                status: REFUSED,
                refused,
            },
        ),
        Err(Failure::Unavailable(detail)) => {
            Err(Problem::new(Code::Unavailable, detail).header("retry-after", "1"))
        }
    }
}

fn document<F: Function>(status: u16, media_type: &str, body: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_vec(body).map_err(|error| Problem::defect(F::NAME, &error))?;
    Ok(Response::document(status, media_type, body))
}

/// Declares functions of one contract: a type without values for each. Each says whether its refusals are `remembered` or
/// `forgotten` ([`Function::REMEMBERS_REFUSALS`]), so that nobody adds one without a thought about it.
macro_rules! functions {
    (@ remembered) => { true };
    (@ forgotten) => { false };
    ($($(#[doc = $meaning:literal])+ $name:ident = $called:literal $path:literal: $ask:ty => $answer:ty, $refused:ty, $kept:tt;)*) => {
        $(
            $(#[doc = $meaning])+
            #[derive(Debug)]
            pub enum $name {}

            impl $crate::Function for $name {
                const NAME: &'static str = $called;
                const PATH: &'static str = $path;
                type Ask = $ask;
                type Answer = $answer;
                type Refused = $refused;
                const REMEMBERS_REFUSALS: bool = $crate::function::functions!(@ $kept);
            }
        )*

        /// The paths of all of them.
        pub const PATHS: &[&str] = &[$($path,)*];
    };
}

pub(crate) use functions;
