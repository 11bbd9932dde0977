//! The rules of payments: one per order, refunds within what was captured.

mod charge;
mod payment;
mod refund;

pub use charge::{Amount, Charge, ChargeRefused, ChargeStep, NotPositive};
pub use payment::{Method, Payment, State, Till};
pub use refund::{
    KeyError, NewRefund, Refund, RefundKey, RefundRefused, RefundState, RefundStep, next_of_refund,
};
