use kernel::{OrderId, UserId};

use crate::domain::{Amount, Charge, Method, Taking};

/// The gateway's name of a payment that the customer began in its window: 1 to 200 visible ASCII
/// characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentKey(String);

/// The key is empty, too long, or has other characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the payment key must have 1 to {} visible ASCII characters",
    PaymentKey::MAX_LENGTH
)]
pub struct PaymentKeyError;

impl PaymentKey {
    /// The longest key.
    pub const MAX_LENGTH: usize = 200;

    /// Takes a key that a window could have given.
    pub fn try_new(text: &str) -> Result<Self, PaymentKeyError> {
        let fits = (1..=Self::MAX_LENGTH).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PaymentKeyError)
        }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The command: take this for that order, from what the user began to pay in the gateway's window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// What for; an order is paid once.
    pub order: OrderId,
    /// Whose money it is.
    pub user: UserId,
    /// How much.
    pub amount: Amount,
    /// What the gateway calls it.
    pub key: PaymentKey,
}

impl Confirmation {
    /// Takes it under its key.
    pub fn taking(&self) -> Taking {
        Taking {
            charge: Charge {
                order: self.order,
                user: self.user,
                amount: self.amount,
                method: Method::Pg,
            },
            window_key: Some(self.key.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::payment::tests::{captured, failed, won};
    use crate::domain::{ChargeStep, Payment, State, VOIDED};
    use expect_test::expect;

    fn confirmation(user: u64, amount: i64, key: &str) -> Confirmation {
        Confirmation {
            order: OrderId::try_new(1).unwrap(),
            user: UserId::try_new(user).unwrap(),
            amount: Amount::try_new(won(amount)).unwrap(),
            key: PaymentKey::try_new(key).unwrap(),
        }
    }

    fn begun(payment: Payment) -> Payment {
        Payment {
            method: Method::Pg,
            window_key: PaymentKey::try_new("k1").ok(),
            ..payment
        }
    }

    #[test]
    fn every_state_answers_every_confirmation() {
        let voided = Payment {
            method: Method::Pg,
            state: State::Failed {
                code: VOIDED.to_owned(),
            },
            ..failed()
        };
        let states = [
            ("nothing", None),
            ("captured", Some(begun(captured(0, 0)))),
            ("refunded", Some(begun(captured(100, 0)))),
            ("failed", Some(begun(failed()))),
            ("voided", Some(voided)),
            ("by card", Some(captured(0, 0))),
        ];
        let confirmations = [
            ("k1", confirmation(2, 100, "k1")),
            ("k2", confirmation(2, 100, "k2")),
            ("other amount", confirmation(2, 101, "k1")),
            ("other user", confirmation(3, 100, "k1")),
        ];
        let plain = confirmation(2, 100, "k1").taking().charge.taking();
        let mut table = String::new();
        for (state, existing) in &states {
            let mut line = |name: &str, taking: &Taking| {
                let answer = match taking.next(existing.clone()) {
                    Ok(ChargeStep::AlreadyDone(payment)) => format!("first answer, {}", payment.status()),
                    Ok(step) => format!("{step:?}"),
                    Err(refused) => refused.to_string(),
                };
                table.push_str(&format!("{state} + {name}: {answer}\n"));
            };
            for (name, confirmation) in &confirmations {
                line(name, &confirmation.taking());
            }
            line("plain charge", &plain);
        }
        expect![[r#"
            nothing + k1: Confirm(PaymentKey("k1"))
            nothing + k2: Confirm(PaymentKey("k2"))
            nothing + other amount: Confirm(PaymentKey("k1"))
            nothing + other user: Confirm(PaymentKey("k1"))
            nothing + plain charge: the method is not offered
            captured + k1: first answer, CAPTURED
            captured + k2: the order was charged with other arguments
            captured + other amount: the order was charged with other arguments
            captured + other user: the order was charged with other arguments
            captured + plain charge: the method is not offered
            refunded + k1: first answer, REFUNDED
            refunded + k2: the order was charged with other arguments
            refunded + other amount: the order was charged with other arguments
            refunded + other user: the order was charged with other arguments
            refunded + plain charge: the method is not offered
            failed + k1: the gateway refused: REJECT_CARD_PAYMENT
            failed + k2: the order was charged with other arguments
            failed + other amount: the order was charged with other arguments
            failed + other user: the order was charged with other arguments
            failed + plain charge: the method is not offered
            voided + k1: the gateway refused: VOIDED
            voided + k2: the gateway refused: VOIDED
            voided + other amount: the order was charged with other arguments
            voided + other user: the order was charged with other arguments
            voided + plain charge: the method is not offered
            by card + k1: the order was charged with other arguments
            by card + k2: the order was charged with other arguments
            by card + other amount: the order was charged with other arguments
            by card + other user: the order was charged with other arguments
            by card + plain charge: the order was charged with other arguments
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn a_key_is_visible_and_not_too_long() {
        let longest = "k".repeat(200);
        for text in ["k", "tviva20261121/x~", &longest] {
            assert_eq!(PaymentKey::try_new(text).unwrap().as_str(), text);
        }
        let too_long = "k".repeat(201);
        for text in ["", " ", "a b", "a\n", "키", &too_long] {
            assert_eq!(PaymentKey::try_new(text), Err(PaymentKeyError), "{text:?}");
        }
    }
}
