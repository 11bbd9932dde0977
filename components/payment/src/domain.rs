//! The rules of payments: one per order, refunds within what was captured.

mod charge;
mod confirmation;
mod look;
mod payment;
mod refund;
mod stuck;
mod void;

pub use charge::{Amount, Charge, ChargeRefused, ChargeStep, NotPositive, Taking};
pub use confirmation::{Confirmation, PaymentKey, PaymentKeyError};
pub use look::Look;
pub use payment::{Method, Payment, State, Till, VOIDED};
pub use refund::{
    BOOKED_ELSEWHERE, EXCEEDS_REMAINING, HOLD, KeyError, NewRefund, Refund, RefundKey, RefundRefused,
    RefundState, RefundStep, UNBOOKED, next_of_refund,
};
pub use stuck::{Kind, Stray, Stuck};
pub use void::{Void, VoidRefused, VoidStep};
