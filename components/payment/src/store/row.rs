//! Rows and what they say.

use kernel::{Currency, Money};
use store::{Row, RowError};

use crate::app::WithRefunds;
use crate::domain::{
    Amount, Kind, Look, Method, Payment, PaymentKey, Refund, RefundKey, RefundState, State, Stuck, Till,
};

/// A payment, and the refund that was joined to it.
pub(super) fn with_refund(row: &Row) -> Result<(Payment, Option<Refund>), RowError> {
    let payment = payment(row)?;
    let refund = refund(row, &payment)?;
    Ok((payment, refund))
}

/// A refund that is under way, and who holds its money.
pub(super) fn due_refund(row: &Row) -> Result<(Refund, Till), RowError> {
    match with_refund(row)? {
        (
            Payment {
                state: State::Captured { till, .. },
                ..
            },
            Some(refund),
        ) => Ok((refund, till)),
        _ => Err(RowError::new(
            "refund_state",
            "a refund of what was never captured",
        )),
    }
}

/// Payments, each with the refunds that were joined to it. Rows of one payment stand together.
pub(super) fn with_refunds(rows: &[Row]) -> Result<Vec<WithRefunds>, RowError> {
    let mut list: Vec<WithRefunds> = Vec::new();
    for row in rows {
        let (payment, refund) = with_refund(row)?;
        match list.last_mut() {
            Some((last, refunds)) if last.order == payment.order => refunds.extend(refund),
            _ => list.push((payment, refund.into_iter().collect())),
        }
    }
    Ok(list)
}

/// A look that is due.
pub(super) fn look(row: &Row) -> Result<Look, RowError> {
    Ok(Look {
        order: row.get("order_id")?,
        number: row.get("look")?,
        due: row.get("due_at")?,
    })
}

/// Money that the gateway keeps.
pub(super) fn stuck(row: &Row) -> Result<Stuck, RowError> {
    let currency = row.parse("currency", Currency::parse)?;
    let amount = Amount::try_new(money(row, "amount_minor", currency)?);
    Ok(Stuck {
        order: row.get("order_id")?,
        kind: row.parse("kind", Kind::parse)?,
        key: row.get("stuck_key")?,
        amount: amount.map_err(|error| RowError::new("amount_minor", error))?,
        code: row.get("code")?,
        since: row.get("since_at")?,
    })
}

/// A payment.
pub(super) fn payment(row: &Row) -> Result<Payment, RowError> {
    let currency = row.parse("currency", Currency::parse)?;
    let method = row.parse("method", Method::parse)?;
    let money = |column| money(row, column, currency);
    let text: String = row.get("state")?;
    let state = match text.as_str() {
        "CAPTURED" => State::Captured {
            till: till(row, method)?,
            refunded: money("refunded_minor")?,
            refunding: money("refunding_minor")?,
        },
        "FAILED" => State::Failed {
            code: row.get("failure_code")?,
        },
        other => return Err(RowError::new("state", format!("unexpected {other:?}"))),
    };
    Ok(Payment {
        id: row.get("payment_id")?,
        order: row.get("order_id")?,
        user: row.get("user_id")?,
        method,
        amount: money("amount_minor")?,
        window_key: window_key(row)?,
        state,
        at: row.get("decided_at")?,
    })
}

fn window_key(row: &Row) -> Result<Option<PaymentKey>, RowError> {
    let text: Option<String> = row.get("window_key")?;
    let key = text.map(|text| PaymentKey::try_new(&text)).transpose();
    key.map_err(|error| RowError::new("window_key", error))
}

fn till(row: &Row, method: Method) -> Result<Till, RowError> {
    match method {
        Method::Cash => Ok(Till::Cash),
        Method::Card | Method::Pg => Ok(Till::Gateway {
            payment_key: row.get("gateway_key")?,
        }),
        Method::Point => Err(RowError::new("method", "points are not captured yet")),
    }
}

fn refund(row: &Row, payment: &Payment) -> Result<Option<Refund>, RowError> {
    let Some(key) = row.get::<Option<String>>("refund_key")? else {
        return Ok(None);
    };
    let amount = money(row, "refund_minor", payment.amount.currency())?;
    let text: String = row.get("refund_state")?;
    let state = match text.as_str() {
        "REQUESTED" => RefundState::Requested,
        "DONE" => RefundState::Done {
            at: row.get("refund_decided_at")?,
        },
        "REFUSED" => RefundState::Refused {
            code: row.get("refusal_code")?,
            at: row.get("refund_decided_at")?,
        },
        other => return Err(RowError::new("refund_state", format!("unexpected {other:?}"))),
    };
    Ok(Some(Refund {
        order: payment.order,
        key: RefundKey::stored(key).map_err(|error| RowError::new("refund_key", error))?,
        amount: Amount::try_new(amount).map_err(|error| RowError::new("refund_minor", error))?,
        reason: row.get("reason")?,
        state,
        requested_at: row.get("requested_at")?,
    }))
}

fn money(row: &Row, column: &str, currency: Currency) -> Result<Money, RowError> {
    Money::try_new(row.get(column)?, currency).map_err(|error| RowError::new(column, error))
}
