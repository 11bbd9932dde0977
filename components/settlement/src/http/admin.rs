//! What only admins see and do.

use kernel::{Instant, OrderId, UserId};
use relay::inbox::{Dismissal, Dismissed};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Code, PathParams, Problem, Request, Response, Whole};

use super::views::{LetterView, MismatchView, ReportView};
use super::{Books, bad_cursor, date, list, store_problem};
use crate::app::{self, Book, Replayed, Uncompared};
use crate::domain::Zone;

/// How many dead letters a list has when nobody says.
const LETTERS: u32 = 20;

#[derive(Deserialize, ToSchema)]
#[schema(as = ReprocessOrder)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReprocessBody {
    #[schema(schema_with = openapi::id_field)]
    order_id: Whole,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReplayedDeadLetter)]
pub(super) struct ReplayedView {
    #[schema(schema_with = openapi::id_field)]
    id: u64,
    #[schema(schema_with = replayed_field)]
    status: &'static str,
}

/// What became of it, in words.
pub(super) const REPLAYED: &str = "REPLAYED";
pub(super) const DISMISSED: &str = "DISMISSED";

/// The longest reason why something is dismissed, in characters.
const MAX_REASON_CHARS: usize = 500;

#[derive(Deserialize, ToSchema)]
#[schema(as = DismissDeadLetter)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DismissBody {
    /// Why nothing needs to be done about it. Line breaks and tabs are taken, other control characters are not.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
    )]
    reason: String,
}

impl DismissBody {
    fn parse(self) -> Result<String, Problem> {
        let refuse = |why: String| Err(Problem::invalid_field("reason", why));
        if self.reason.is_empty() || self.reason.chars().count() > MAX_REASON_CHARS {
            return refuse(format!("must have 1 to {MAX_REASON_CHARS} characters"));
        }
        // Some of them no database takes, and none does a person any good.
        let controls = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
        if self.reason.chars().any(controls) {
            return refuse("must have no control characters but line breaks and tabs".to_owned());
        }
        Ok(self.reason)
    }
}

/// As it was dismissed the first time.
#[derive(Serialize, ToSchema)]
#[schema(as = DismissedDeadLetter)]
#[serde(rename_all = "camelCase")]
pub(super) struct DismissedView {
    #[schema(schema_with = openapi::id_field)]
    id: u64,
    #[schema(schema_with = dismissed_field)]
    status: &'static str,
    #[schema(schema_with = openapi::moment_field)]
    dismissed_at: String,
    /// The admin's account.
    #[schema(schema_with = openapi::id_field)]
    dismissed_by: u64,
    dismissed_reason: String,
}

fn dismissed_field() -> utoipa::openapi::Object {
    openapi::field(openapi::words(&[DISMISSED]))
}

fn replayed_field() -> utoipa::openapi::Object {
    openapi::field(openapi::words(&[REPLAYED]))
}

pub(super) fn reconcile<S: Books, B: Book>(
    request: &Request,
    zone: &Zone,
    book: &B,
    now: Instant,
    open: impl FnOnce() -> Result<S, Problem>,
) -> Result<Response, Problem> {
    let query = request.query()?;
    query.only(&["date"])?;
    let day = query.get("date").map(|_| date(&query)).transpose()?;
    let report = app::reconcile(&open()?, book, day.map(|day| (day, zone)), now);
    let report = report.map_err(uncompared)?;
    Ok(Response::json(200, &ReportView::of(&report, day, zone)?))
}

pub(super) fn reprocess<S: Books, B: Book>(
    request: &Request,
    zone: &Zone,
    book: &B,
    now: Instant,
    open: impl FnOnce() -> Result<S, Problem>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let body: ReprocessBody = request.json()?;
    let order = OrderId::try_from(body.order_id.0);
    let order = order.map_err(|error| Problem::invalid_field("orderId", error))?;
    let put_right = app::reprocess(&open()?, book, order, now).map_err(uncompared)?;
    let views: Vec<_> = put_right.iter().map(|one| MismatchView::of(one, zone)).collect();
    Ok(Response::json(200, &views))
}

fn uncompared(why: Uncompared) -> Problem {
    match why {
        Uncompared::Book(_) => Problem::unavailable_because("settlement.reconcile", &why),
        Uncompared::Ledger(error) => store_problem(error),
        Uncompared::Money(_) => Problem::defect("settlement.reconcile", &why),
    }
}

pub(super) fn dead_letters<S: Books>(
    request: &Request,
    open: impl FnOnce() -> Result<S, Problem>,
) -> Result<Response, Problem> {
    let (wanted, after) = list(&request.query()?, &[], LETTERS)?;
    let before = after
        .map(|key| key.parse().map_err(|_| bad_cursor()))
        .transpose()?;
    let letters = open()?
        .dead_letters(before, wanted.fetch())
        .map_err(store_problem)?;
    let page = wanted
        .page(letters, |letter| letter.id.to_string())
        .map(LetterView::of);
    Ok(wanted.respond(request, &page))
}

pub(super) fn replay<S: Books>(
    request: &Request,
    path: &PathParams,
    now: Instant,
    open: impl FnOnce() -> Result<S, Problem>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let missing = || Problem::not_found("dead letter");
    // A malformed number names nothing, like one that was never given.
    let id = number(path.get("id")).ok_or_else(missing)?;
    match app::replay(&open()?, id, now).map_err(store_problem)? {
        Replayed::Done => {
            let status = REPLAYED;
            Ok(Response::json(200, &ReplayedView { id, status }))
        }
        Replayed::Before => Err(Problem::new(Code::Conflict, "it was replayed before")),
        Replayed::Refused(why) => Err(Problem::new(
            Code::Unprocessable,
            format!("it still can't be taken in: {why}"),
        )),
        Replayed::Unknown => Err(missing()),
    }
}

pub(super) fn dismiss<S: Books>(
    request: &Request,
    path: &PathParams,
    (by, at): (UserId, Instant),
    open: impl FnOnce() -> Result<S, Problem>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let body: DismissBody = request.json()?;
    let reason = body.parse()?;
    let missing = || Problem::not_found("dead letter");
    let id = number(path.get("id")).ok_or_else(missing)?;
    let dismissal = Dismissal { at, by, reason };
    match open()?.dismiss(id, &dismissal).map_err(store_problem)? {
        Dismissed::Done(first) => {
            let view = DismissedView {
                id,
                status: DISMISSED,
                dismissed_at: first.at.rfc3339(),
                dismissed_by: first.by.get(),
                dismissed_reason: first.reason,
            };
            Ok(Response::json(200, &view))
        }
        Dismissed::Replayed => Err(Problem::new(Code::Conflict, "it was replayed before")),
        Dismissed::Unknown => Err(missing()),
    }
}

/// The number that all of `text` spells, as we spell it: no sign, no leading zero.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
