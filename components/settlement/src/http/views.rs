//! What clients read.

use kernel::MoneyError;
use relay::inbox::DeadLetter;
use serde::Serialize;
use web::Problem;

use crate::domain::{Day, Dimension, Mismatch, Month, MovementKind, Report, Sum, Zone};

/// `GET /settlements/daily`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DayView {
    pub(super) settlement_date: String,
    #[serde(flatten)]
    sum: SumView,
}

/// `GET /settlements/monthly`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MonthView {
    pub(super) year_month: String,
    #[serde(flatten)]
    sum: SumView,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SumView {
    total_amount: i64,
    payment_count: i64,
    refund_amount: i64,
    refund_count: i64,
    net_amount: i64,
}

/// `GET /settlements/sellers` and `/settlements/categories`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShareView {
    #[serde(skip_serializing_if = "Option::is_none")]
    seller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    total_amount: i64,
    payment_count: i64,
    refund_amount: i64,
    net_amount: i64,
}

/// `GET /admin/settlements/reconciliation`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    totals: TotalsView,
    pending: u64,
    mismatch_count: u64,
    mismatches: Vec<MismatchView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TotalsView {
    payments: i64,
    ledger: i64,
    difference: i64,
}

/// What does not agree, or did not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MismatchView<'a> {
    kind: &'static str,
    order_id: u64,
    movement: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_key: Option<&'a str>,
    expected_amount: i64,
    ledger_amount: i64,
    occurred_at: String,
    settlement_date: Option<String>,
}

/// `GET /admin/settlements/dead-letters`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LetterView {
    pub(super) id: u64,
    received_at: String,
    producer: Option<String>,
    event_id: Option<String>,
    topic: Option<String>,
    position: Option<u64>,
    payload: String,
    payload_bytes: u64,
    error: String,
    replayed_at: Option<String>,
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
            movement: match movement.kind {
                MovementKind::Payment => "PAYMENT",
                MovementKind::Refund => "REFUND",
            },
            refund_key: movement.refund_key(),
            expected_amount: mismatch.expected().minor(),
            ledger_amount: mismatch.found().minor(),
            occurred_at: movement.at.rfc3339(),
            settlement_date: zone.day(movement.at).ok().map(|day| day.to_string()),
        }
    }
}

impl LetterView {
    pub(super) fn of(letter: DeadLetter) -> Self {
        let origin = letter.event;
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
            replayed_at: letter.replayed_at.map(kernel::Instant::rfc3339),
        }
    }
}
