//! What the API's document says about these pages.

use openapi::{Access, Document, Operation, Parameter, field, json, words};
use utoipa::openapi::Object;
use web::{Code, Method};

use super::admin::{DismissBody, DismissedView, ReplayedView, ReprocessBody};
use super::views::{DayView, LetterView, MismatchView, MonthView, ReportView, ShareView, movement_word};
use super::{DAYS, MONTHS, NAMES};
use crate::domain::{MismatchKind, MovementKind};

/// The years of the calendar, 0001 to 9999, and the months.
const YEAR_MONTH: &str = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(0[1-9]|1[0-2])";

/// The document of this component; `openapi.json` keeps its text.
pub fn document() -> Document {
    Document::new(
        "settlement",
        "What was taken and given back, and its sums.",
        env!("CARGO_PKG_VERSION"),
    )
    .with(daily())
    .with(monthly())
    .with(shares(
        "/settlements/sellers",
        "listSellerShares",
        "List sums by seller",
    ))
    .with(shares(
        "/settlements/categories",
        "listCategoryShares",
        "List sums by category",
    ))
    .with(reconcile())
    .with(reprocess())
    .with(dead_letters())
    .with(replay())
    .with(dismiss())
}

/// A page that is open, unless the shop's variables say otherwise.
fn page(path: &'static str, name: &'static str, summary: &'static str) -> Operation {
    let closed = "Only where the shop runs with `settlements_auth_required`";
    Operation::new(Access::Open, Method::Get, path, name, summary)
        .refuses(
            Code::Unauthorized,
            &format!("{closed}: there is no valid access token."),
        )
        .refuses(
            Code::Forbidden,
            &format!("{closed}: the token's role is not ADMIN."),
        )
}

fn daily() -> Operation {
    page(
        "/settlements/daily",
        "getDailySettlements",
        "Show sums by day",
    )
    .about("With `date` that one day; without it a list, the newest day first. Days are those of the shop's time zone.")
    .parameter(date("The one day."))
    .answers_one_or_all::<DayView>(200, "The day, or one page of the days on which something moved.")
    .paged(DAYS)
    .refuses(Code::NotFound, "Nothing moved on this day.")
    .refuses(Code::Unprocessable, "`date` asks for one day, `limit` or `cursor` for a list.")
}

fn monthly() -> Operation {
    page(
        "/settlements/monthly",
        "getMonthlySettlements",
        "Show sums by month",
    )
    .about("With `yearMonth` that one month; without it a list, the newest month first, which may still run.")
    .parameter(year_month("The one month."))
    .answers_one_or_all::<MonthView>(
        200,
        "The month, or one page of the months in which something moved.",
    )
    .paged(MONTHS)
    .refuses(Code::NotFound, "Nothing moved in this month.")
    .refuses(
        Code::Unprocessable,
        "`yearMonth` asks for one month, `limit` or `cursor` for a list.",
    )
}

fn shares(path: &'static str, name: &'static str, summary: &'static str) -> Operation {
    page(path, name, summary)
        .about("Of a day or of a month: one of `date` and `yearMonth` must be given.")
        .parameter(date("The day."))
        .parameter(year_month("The month."))
        .answers_all::<ShareView>(200, "One page of the sums, by name.")
        .paged(NAMES)
        .refuses(
            Code::Unprocessable,
            "Neither `date` nor `yearMonth` is given, or both are.",
        )
}

fn reconcile() -> Operation {
    Operation::new(
        Access::Admin,
        Method::Get,
        "/admin/settlements/reconciliation",
        "getReconciliation",
        "Compare the ledger with the payments",
    )
    .about("What happened in the last 10 seconds and only one side knows is pending: it counts on neither.")
    .parameter(date("Only what moved on this day."))
    .answers::<ReportView<'_>>(200, "What does not agree, and both totals.")
}

fn reprocess() -> Operation {
    Operation::new(
        Access::Admin,
        Method::Post,
        "/admin/settlements/reconciliation/reprocess",
        "reprocessOrder",
        "Put an order's ledger right",
    )
    .about("Repeating is harmless: what agrees stays as it is.")
    .body::<ReprocessBody>(&[("order", json!({"orderId": 444_910_796_800_001_u64}))])
    .answers_all::<MismatchView<'_>>(200, "What was put right; empty when nothing was wrong.")
}

fn dead_letters() -> Operation {
    Operation::new(
        Access::Admin,
        Method::Get,
        "/admin/settlements/dead-letters",
        "listDeadLetters",
        "List what could not be taken in",
    )
    .about("The newest first. What is no event of ours has no `producer`, `eventId`, `topic` and `position`.")
    .lists::<LetterView>("One page of what was put aside.")
}

fn replay() -> Operation {
    Operation::new(
        Access::Admin,
        Method::Post,
        "/admin/settlements/dead-letters/{id}/replay",
        "replayDeadLetter",
        "Take in what was put aside",
    )
    .about("It is taken in once, whoever asks how often.")
    .id("id", "The dead letter's id.")
    .answers::<ReplayedView>(200, "It is in the ledger now.")
    .refuses(Code::Conflict, "It was replayed before.")
    .refuses(Code::Unprocessable, "It still can't be taken in.")
}

fn dismiss() -> Operation {
    Operation::new(
        Access::Admin,
        Method::Post,
        "/admin/settlements/dead-letters/{id}/dismiss",
        "dismissDeadLetter",
        "Put up with what was put aside",
    )
    .about(
        "For what nobody can mend. It is not counted any more and stays in the list, with who dismissed it. Repeating is \
         harmless: the first time counts. It can be replayed all the same.",
    )
    .id("id", "The dead letter's id.")
    .body::<DismissBody>(&[("nobody's message", json!({"reason": "우리 메시지가 아님"}))])
    .answers::<DismissedView>(200, "It is dismissed; who asks again sees who did it first.")
    .refuses(Code::Conflict, "It was replayed before.")
}

fn date(about: &str) -> Parameter {
    let pattern = format!("^{YEAR_MONTH}-(0[1-9]|[12][0-9]|3[01])$");
    let schema = json!({"type": "string", "format": "date", "pattern": pattern});
    Parameter::query("date", about, schema)
}

fn year_month(about: &str) -> Parameter {
    let schema = json!({"type": "string", "pattern": format!("^{YEAR_MONTH}$")});
    Parameter::query("yearMonth", about, schema)
}

pub(super) fn date_field() -> Object {
    field(json!({"type": "string", "format": "date"}))
}

pub(super) fn year_month_field() -> Object {
    field(json!({"type": "string", "pattern": format!("^{YEAR_MONTH}$")}))
}

pub(super) fn kind_field() -> Object {
    field(words(&MismatchKind::ALL.map(MismatchKind::text)))
}

pub(super) fn movement_field() -> Object {
    field(words(
        &[MovementKind::Payment, MovementKind::Refund].map(movement_word),
    ))
}
