//! What a payment gateway decides, and the rules by which a test makes it misbehave.

mod entry;
mod rule;

pub use entry::{Approval, ApproveRefused, CancelRefused, CancelStep, Entry, PaymentKey, Verdict};
pub use rule::{Deed, Rule, RuleError, Rules, Verb};
