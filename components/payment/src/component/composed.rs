//! The gateway this component was composed with.

use kernel::{Money, OrderId};

use super::api::shop::payment_gateway::gateway as pg;
use super::api::shop::types::context::CallContext;
use super::wire::{money_from_wire, money_to_wire, order_to_wire};
use crate::app::{Approval, ApproveError, CancelError, Entry, Gateway};

/// The gateway, asked in the context of one call.
pub(super) struct Composed {
    pub(super) ctx: CallContext,
}

impl Gateway for Composed {
    fn approve(&self, order: OrderId, amount: Money) -> Result<Approval, ApproveError> {
        approval(pg::approve(
            &self.ctx,
            order_to_wire(order),
            &money_to_wire(amount),
        ))
    }

    fn confirm(&self, order: OrderId, payment_key: &str, amount: Money) -> Result<Approval, ApproveError> {
        let amount = money_to_wire(amount);
        approval(pg::confirm(&self.ctx, order_to_wire(order), payment_key, &amount))
    }

    fn cancel(
        &self,
        payment_key: &str,
        cancel_key: &str,
        amount: Money,
        reason: &str,
    ) -> Result<(), CancelError> {
        let amount = money_to_wire(amount);
        pg::cancel(&self.ctx, payment_key, cancel_key, &amount, reason).map_err(|error| match error {
            pg::CancelError::UnknownPayment => CancelError::UnknownPayment,
            pg::CancelError::DiffersFromExisting => CancelError::DiffersFromExisting,
            pg::CancelError::ExceedsRemaining(_) => CancelError::ExceedsRemaining,
            pg::CancelError::Refused(code) => CancelError::Refused(code),
            pg::CancelError::Unavailable(why) => CancelError::Unavailable(why),
        })
    }

    fn find(&self, order: OrderId) -> Result<Option<Entry>, String> {
        match pg::find(&self.ctx, order_to_wire(order)) {
            Ok(None) => Ok(None),
            Ok(Some(entry)) => Ok(Some(Entry {
                cancelled: money_from_wire(&entry.cancelled)?,
                approval: approved(entry.approval)?,
            })),
            Err(pg::FindError::Unavailable(why)) => Err(why),
        }
    }
}

fn approval(answer: Result<pg::Approval, pg::ApproveError>) -> Result<Approval, ApproveError> {
    match answer {
        Ok(approval) => approved(approval).map_err(ApproveError::Unavailable),
        Err(pg::ApproveError::Refused(code)) => Err(ApproveError::Refused(code)),
        Err(pg::ApproveError::DiffersFromExisting) => Err(ApproveError::DiffersFromExisting),
        Err(pg::ApproveError::Unavailable(why)) => Err(ApproveError::Unavailable(why)),
    }
}

fn approved(approval: pg::Approval) -> Result<Approval, String> {
    Ok(Approval {
        amount: money_from_wire(&approval.amount)?,
        payment_key: approval.payment_key,
    })
}
