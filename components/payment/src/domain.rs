//! The rules of payments: one per order, refunds within what was captured.

mod charge;
mod confirmation;
mod look;
mod payment;
mod refund;
mod void;

pub use charge::{Amount, Charge, ChargeRefused, ChargeStep, NotPositive, Taking};
pub use confirmation::{Confirmation, PaymentKey, PaymentKeyError};
pub use look::Look;
pub use payment::{Method, Payment, State, Till, VOIDED};
pub use refund::{
    KeyError, NewRefund, Refund, RefundKey, RefundRefused, RefundState, RefundStep, next_of_refund,
};
pub use void::{Void, VoidRefused, VoidStep};
