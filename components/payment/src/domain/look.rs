use kernel::{Instant, Millis, OrderId};

/// How long after the decision, and then after each look, the next one is due. The first wait is longer
/// than any request of ours lives; the others are for a gateway that was slow.
const WAITS: [Millis; 3] = [Millis(20_000), Millis(300_000), Millis(3_600_000)];

/// A look at the gateway, some time after an order was decided without the gateway's money: a charge may
/// have been on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whose money it would be.
    pub order: OrderId,
    /// The first, the second …, counted from 0.
    pub number: u32,
    /// When to look.
    pub due: Instant,
}

impl Look {
    /// The first look, for what was decided now.
    pub const fn first(order: OrderId, now: Instant) -> Self {
        Self {
            order,
            number: 0,
            due: now.after(WAITS[0]),
        }
    }

    /// The look after one that left nothing to do; none when that was the last.
    pub fn next(self, now: Instant) -> Option<Self> {
        let number = self.number.saturating_add(1);
        let wait = usize::try_from(number)
            .ok()
            .and_then(|number| WAITS.get(number))?;
        Some(Self {
            number,
            due: now.after(*wait),
            ..self
        })
    }

    /// The same look once more, since the gateway was silent.
    pub const fn again(self, now: Instant) -> Self {
        Self {
            due: now.after(WAITS[0]),
            ..self
        }
    }

    /// The same look once more, since the gateway keeps what it should give back: a person must look.
    pub const fn stuck(self, now: Instant) -> Self {
        Self {
            due: now.after(WAITS[1]),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_three_looks_each_later_than_the_one_before() {
        let second = |seconds: i64| Instant::from_micros(seconds * 1_000_000);
        let order = OrderId::try_new(1).unwrap();
        let first = Look::first(order, second(0));
        assert_eq!((first.number, first.due), (0, second(20)));
        let then = first.next(second(21)).unwrap();
        assert_eq!((then.number, then.due), (1, second(321)));
        assert_eq!(then.again(second(400)).due, second(420));
        assert_eq!(then.stuck(second(400)).due, second(700));
        let last = then.next(second(330)).unwrap();
        assert_eq!((last.number, last.due), (2, second(3_930)));
        assert_eq!(last.next(second(4_000)), None);
    }
}
