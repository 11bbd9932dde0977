//! Payments: charge and refund, once.
