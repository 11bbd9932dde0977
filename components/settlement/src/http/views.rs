//! What clients read.

use kernel::MoneyError;
use relay::inbox::DeadLetter;
use serde::Serialize;
use utoipa::ToSchema;
use web::Problem;

use super::admin::{DISMISSED, REPLAYED};
use super::document::{date_field, kind_field, movement_field, year_month_field};
use crate::domain::{Day, Dimension, Mismatch, Month, MovementKind, Report, Sum, Zone};

/// What moved on one day.
#[derive(Serialize, ToSchema)]
#[schema(as = DailySettlement)]
#[serde(rename_all = "camelCase")]
pub(super) struct DayView {
    #[schema(schema_with = date_field)]
    pub(super) settlement_date: String,
    #[serde(flatten)]
    sum: SumView,
}

/// What moved in one month.
#[derive(Serialize, ToSchema)]
#[schema(as = MonthlySettlement)]
#[serde(rename_all = "camelCase")]
pub(super) struct MonthView {
    #[schema(schema_with = year_month_field)]
    pub(super) year_month: String,
    #[serde(flatten)]
    sum: SumView,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SettlementSum)]
#[serde(rename_all = "camelCase")]
struct SumView {
    #[schema(schema_with = openapi::won_field)]
    total_amount: i64,
    #[schema(minimum = 0)]
    payment_count: i64,
    #[schema(schema_with = openapi::won_field)]
    refund_amount: i64,
    #[schema(minimum = 0)]
    refund_count: i64,
    #[schema(schema_with = openapi::won_field)]
    net_amount: i64,
}

/// What moved for one seller, or in one category.
#[derive(Serialize, ToSchema)]
#[schema(as = SettlementShare)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShareView {
    /// In the list of sellers.
    #[schema(value_type = String, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    seller: Option<String>,
    /// In the list of categories.
    #[schema(value_type = String, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[schema(schema_with = openapi::won_field)]
    total_amount: i64,
    #[schema(minimum = 0)]
    payment_count: i64,
    #[schema(schema_with = openapi::won_field)]
    refund_amount: i64,
    #[schema(schema_with = openapi::won_field)]
    net_amount: i64,
}

/// What ledger and payments say, side by side.
#[derive(Serialize, ToSchema)]
#[schema(as = Reconciliation)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportView<'a> {
    #[schema(schema_with = date_field, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    totals: TotalsView,
    /// Movements so young that only one side may know them yet.
    pending: u64,
    mismatch_count: u64,
    /// The first 1,000 of them.
    #[schema(max_items = 1000)]
    mismatches: Vec<MismatchView<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationTotals)]
#[serde(rename_all = "camelCase")]
struct TotalsView {
    #[schema(schema_with = openapi::won_field)]
    payments: i64,
    #[schema(schema_with = openapi::won_field)]
    ledger: i64,
    #[schema(schema_with = openapi::won_field)]
    difference: i64,
}

/// What does not agree, or did not.
#[derive(Serialize, ToSchema)]
#[schema(as = Mismatch)]
#[serde(rename_all = "camelCase")]
pub(super) struct MismatchView<'a> {
    #[schema(schema_with = kind_field)]
    kind: &'static str,
    #[schema(schema_with = openapi::id_field)]
    order_id: u64,
    #[schema(schema_with = movement_field)]
    movement: &'static str,
    /// Which of the order's refunds.
    #[schema(value_type = String, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_key: Option<&'a str>,
    #[schema(schema_with = openapi::won_field)]
    expected_amount: i64,
    #[schema(schema_with = openapi::won_field)]
    ledger_amount: i64,
    #[schema(schema_with = openapi::moment_field)]
    occurred_at: String,
    #[schema(required = true, format = Date)]
    settlement_date: Option<String>,
}

/// Something from the bus that could not be taken in.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
#[serde(rename_all = "camelCase")]
pub(super) struct LetterView {
    #[schema(schema_with = openapi::id_field)]
    pub(super) id: u64,
    #[schema(schema_with = openapi::moment_field)]
    received_at: String,
    #[schema(required = true)]
    producer: Option<String>,
    #[schema(required = true)]
    event_id: Option<String>,
    #[schema(required = true)]
    topic: Option<String>,
    #[schema(required = true)]
    position: Option<u64>,
    /// The first 2 KiB of it.
    payload: String,
    /// How many bytes are kept of it.
    payload_bytes: u64,
    /// Why it was put aside.
    error: String,
    /// It waits for a person until it is replayed or dismissed; one that was dismissed and replayed after all is
    /// replayed.
    #[schema(schema_with = letter_status_field)]
    status: &'static str,
    #[schema(required = true, format = DateTime)]
    replayed_at: Option<String>,
    #[schema(required = true, format = DateTime)]
    dismissed_at: Option<String>,
    /// The admin's account.
    #[schema(required = true)]
    dismissed_by: Option<u64>,
    #[schema(required = true)]
    dismissed_reason: Option<String>,
}

/// What is neither replayed nor dismissed.
const WAITING: &str = "WAITING";

fn letter_status_field() -> utoipa::openapi::Object {
    openapi::field(openapi::words(&[WAITING, REPLAYED, DISMISSED]))
}

/// Sums that do not fit into a number are a defect: what is stored is checked.
fn defect(error: MoneyError) -> Problem {
    Problem::defect("settlement.http", &error)
}

impl SumView {
    fn of(sum: &Sum) -> Result<Self, Problem> {
        Ok(Self {
            total_amount: sum.total.minor(),
            payment_count: sum.payments,
            refund_amount: sum.refunded.minor(),
            refund_count: sum.refunds,
            net_amount: sum.net().map_err(defect)?.minor(),
        })
    }
}

impl DayView {
    pub(super) fn of(day: Day, sum: &Sum) -> Result<Self, Problem> {
        let (settlement_date, sum) = (day.to_string(), SumView::of(sum)?);
        Ok(Self { settlement_date, sum })
    }
}

impl MonthView {
    pub(super) fn of(month: Month, sum: &Sum) -> Result<Self, Problem> {
        let (year_month, sum) = (month.to_string(), SumView::of(sum)?);
        Ok(Self { year_month, sum })
    }
}

impl ShareView {
    pub(super) fn of(dimension: Dimension, name: String, sum: &Sum) -> Result<Self, Problem> {
        let (seller, category) = match dimension {
            Dimension::Seller => (Some(name), None),
            Dimension::Category => (None, Some(name)),
        };
        Ok(Self {
            seller,
            category,
            total_amount: sum.total.minor(),
            payment_count: sum.payments,
            refund_amount: sum.refunded.minor(),
            net_amount: sum.net().map_err(defect)?.minor(),
        })
    }

    pub(super) fn name(&self) -> String {
        self.seller
            .as_ref()
            .or(self.category.as_ref())
            .cloned()
            .unwrap_or_default()
    }
}

impl<'a> ReportView<'a> {
    pub(super) fn of(report: &'a Report, date: Option<Day>, zone: &Zone) -> Result<Self, Problem> {
        Ok(Self {
            date: date.map(|day| day.to_string()),
            totals: TotalsView {
                payments: report.payments.minor(),
                ledger: report.ledger.minor(),
                difference: report.difference().map_err(defect)?.minor(),
            },
            pending: report.pending,
            mismatch_count: report.found,
            mismatches: report
                .mismatches
                .iter()
                .map(|one| MismatchView::of(one, zone))
                .collect(),
        })
    }
}

impl<'a> MismatchView<'a> {
    pub(super) fn of(mismatch: &'a Mismatch, zone: &Zone) -> Self {
        let movement = mismatch.movement();
        Self {
            kind: mismatch.kind().text(),
            order_id: movement.order.get(),
            movement: movement_word(movement.kind),
            refund_key: movement.refund_key(),
            expected_amount: mismatch.expected().minor(),
            ledger_amount: mismatch.found().minor(),
            occurred_at: movement.at.rfc3339(),
            settlement_date: zone.day(movement.at).ok().map(|day| day.to_string()),
        }
    }
}

/// As admins read it.
pub(super) const fn movement_word(kind: MovementKind) -> &'static str {
    match kind {
        MovementKind::Payment => "PAYMENT",
        MovementKind::Refund => "REFUND",
    }
}

impl LetterView {
    pub(super) fn of(letter: DeadLetter) -> Self {
        let origin = letter.event;
        let status = match (letter.replayed_at, &letter.dismissal) {
            (Some(_), _) => REPLAYED,
            (None, Some(_)) => DISMISSED,
            (None, None) => WAITING,
        };
        Self {
            id: letter.id,
            received_at: letter.received_at.rfc3339(),
            position: origin.as_ref().map(|origin| origin.position),
            topic: origin.as_ref().map(|origin| origin.topic.clone()),
            event_id: origin.as_ref().map(|origin| origin.event_id.clone()),
            producer: origin.map(|origin| origin.producer),
            payload: letter.payload,
            payload_bytes: letter.payload_bytes,
            error: letter.error,
            status,
            replayed_at: letter.replayed_at.map(kernel::Instant::rfc3339),
            dismissed_at: letter.dismissal.as_ref().map(|dismissal| dismissal.at.rfc3339()),
            dismissed_by: letter.dismissal.as_ref().map(|dismissal| dismissal.by.get()),
            dismissed_reason: letter.dismissal.map(|dismissal| dismissal.reason),
        }
    }
}
