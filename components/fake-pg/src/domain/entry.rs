use kernel::{Money, OrderId};

/// The gateway's name of a payment: its own, or the one it gave the customer's window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentKey(String);

/// What our own names begin with; no window gets one of them.
const OWN: &str = "fake-pg-";

/// The longest key of a window.
const MAX_KEY: usize = 200;

impl PaymentKey {
    /// Our own name of an order's payment: the same order always gets the same one.
    pub fn of(order: OrderId) -> Self {
        Self(format!("{OWN}{order}"))
    }

    /// The name of a payment that a customer began in the window: 1 to 200 visible ASCII characters.
    pub fn of_window(text: &str) -> Option<Self> {
        let fits = (1..=MAX_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        (fits && !text.starts_with(OWN)).then(|| Self(text.to_owned()))
    }

    /// The order that one of our own names was given for; none for any other name.
    pub fn order(text: &str) -> Option<OrderId> {
        text.strip_prefix(OWN)?.parse().ok()
    }

    /// Whether the customer began this payment in the window.
    pub fn is_of_window(&self) -> bool {
        !self.0.starts_with(OWN)
    }

    /// As it is handed out.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Money that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// What the payment is called here.
    pub key: PaymentKey,
    /// How much was taken.
    pub amount: Money,
    /// How much of it was given back.
    pub cancelled: Money,
}

/// What was decided about an order, once and for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The money was taken.
    Approved(Approval),
    /// No money was taken.
    Refused {
        /// Why, such as `REJECT_CARD_PAYMENT`.
        code: String,
    },
}

/// The gateway's record of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose payment it is.
    pub order: OrderId,
    /// What the payment is called here.
    pub key: PaymentKey,
    /// How much was asked for.
    pub asked: Money,
    /// What was decided.
    pub verdict: Verdict,
}

/// Why no money was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApproveRefused {
    /// A rule said no, or there is no such payment to confirm; carries the code.
    #[error("refused: {0}")]
    Refused(String),
    /// The order was approved before with another amount, or under another key.
    #[error("the order was approved with another amount or key")]
    DiffersFromExisting,
}

/// Why no money was given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CancelRefused {
    /// No money was ever taken under this key.
    #[error("there is no such payment")]
    UnknownPayment,
    /// The cancel key was used before with another amount.
    #[error("the cancel key was used with another amount")]
    DiffersFromExisting,
    /// More than is left; carries what is left.
    #[error("more than is left")]
    ExceedsRemaining(Money),
    /// A rule said no; carries its code.
    #[error("refused: {0}")]
    Refused(String),
}

/// What a cancellation that is not refused still needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelStep {
    /// Nothing: it was done before.
    AlreadyDone,
    /// To be written down.
    Record,
}

impl Entry {
    /// Takes the money.
    pub fn approved(order: OrderId, key: PaymentKey, asked: Money) -> Self {
        let approval = Approval {
            key: key.clone(),
            amount: asked,
            cancelled: Money::zero(asked.currency()),
        };
        Self {
            order,
            key,
            asked,
            verdict: Verdict::Approved(approval),
        }
    }

    /// Takes no money.
    pub const fn refused(order: OrderId, key: PaymentKey, asked: Money, code: String) -> Self {
        Self {
            order,
            key,
            asked,
            verdict: Verdict::Refused { code },
        }
    }

    /// The answer to whoever asks for `amount` under `key`, the first time or again.
    pub fn answer(self, key: &PaymentKey, amount: Money) -> Result<Approval, ApproveRefused> {
        match self.verdict {
            Verdict::Refused { code } => Err(ApproveRefused::Refused(code)),
            Verdict::Approved(approval) if approval.amount != amount || approval.key != *key => {
                Err(ApproveRefused::DiffersFromExisting)
            }
            Verdict::Approved(approval) => Ok(approval),
        }
    }

    /// The money that was taken, if any was.
    pub fn approval(self) -> Option<Approval> {
        match self.verdict {
            Verdict::Approved(approval) => Some(approval),
            Verdict::Refused { .. } => None,
        }
    }
}

impl Approval {
    /// What can still be given back.
    pub fn remaining(&self) -> Money {
        self.amount
            .checked_sub(self.cancelled)
            .expect("what was given back is a part of what was taken")
    }

    /// Whether `amount` can be given back, when `earlier` was given back under the same cancel key.
    pub fn cancel(&self, earlier: Option<Money>, amount: Money) -> Result<CancelStep, CancelRefused> {
        let remaining = self.remaining();
        match earlier {
            Some(earlier) if earlier == amount => Ok(CancelStep::AlreadyDone),
            Some(_) => Err(CancelRefused::DiffersFromExisting),
            None if amount.currency() != remaining.currency() || amount.minor() > remaining.minor() => {
                Err(CancelRefused::ExceedsRemaining(remaining))
            }
            None => Ok(CancelStep::Record),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use kernel::Currency;

    fn won(minor: i64) -> Money {
        Money::try_new(minor, Currency::Krw).unwrap()
    }

    fn order() -> OrderId {
        OrderId::try_new(7).unwrap()
    }

    #[test]
    fn our_own_names_lead_back_to_their_order() {
        assert_eq!(PaymentKey::order(PaymentKey::of(order()).as_str()), Some(order()));
        for text in [
            "",
            "7",
            "fake-pg-",
            "fake-pg-0",
            "fake-pg-07",
            "fake-pg-7 ",
            "toss-7",
        ] {
            assert_eq!(PaymentKey::order(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_window_has_any_name_but_ours() {
        let longest = "k".repeat(200);
        for text in ["k", "tgen_20261121:a/b;c", &longest] {
            let key = PaymentKey::of_window(text).unwrap();
            assert!(key.is_of_window() && key.as_str() == text, "{text}");
        }
        let too_long = "k".repeat(201);
        for text in ["", "a b", "a\n", "키", "fake-pg-7", "fake-pg-x", &too_long] {
            assert_eq!(PaymentKey::of_window(text), None, "{text:?}");
        }
        assert!(!PaymentKey::of(order()).is_of_window());
    }

    fn window() -> PaymentKey {
        PaymentKey::of_window("window").unwrap()
    }

    fn answers(entry: &Entry, key: &PaymentKey, amount: i64, expected: &Expect) {
        expected.assert_eq(&match entry.clone().answer(key, won(amount)) {
            Ok(approval) => format!("{} {}", approval.key.as_str(), approval.amount.minor()),
            Err(refused) => refused.to_string(),
        });
    }

    #[test]
    fn a_repetition_gets_the_first_answer() {
        let own = PaymentKey::of(order());
        let differs = expect!["the order was approved with another amount or key"];
        let approved = Entry::approved(order(), own.clone(), won(100));
        answers(&approved, &own, 100, &expect!["fake-pg-7 100"]);
        answers(&approved, &own, 101, &differs);
        answers(&approved, &window(), 100, &differs);
        let confirmed = Entry::approved(order(), window(), won(100));
        answers(&confirmed, &window(), 100, &expect!["window 100"]);
        answers(&confirmed, &window(), 101, &differs);
        answers(&confirmed, &own, 100, &differs);
        let refused = Entry::refused(order(), own.clone(), won(100), "NO".to_owned());
        for (key, amount) in [(&own, 100), (&own, 101), (&window(), 100)] {
            answers(&refused, key, amount, &expect!["refused: NO"]);
        }
    }

    #[test]
    fn a_cancellation_is_a_repetition_or_differs_or_exceeds_or_is_new() {
        let mut approval = Entry::approved(order(), window(), won(100)).approval().unwrap();
        approval.cancelled = won(60);
        assert_eq!(
            approval.cancel(Some(won(60)), won(60)),
            Ok(CancelStep::AlreadyDone)
        );
        assert_eq!(
            approval.cancel(Some(won(60)), won(10)),
            Err(CancelRefused::DiffersFromExisting)
        );
        assert_eq!(
            approval.cancel(None, won(41)),
            Err(CancelRefused::ExceedsRemaining(won(40)))
        );
        assert_eq!(approval.cancel(None, won(40)), Ok(CancelStep::Record));
    }
}
