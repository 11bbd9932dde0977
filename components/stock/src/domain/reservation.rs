use kernel::{Instant, OrderId, Outcome, SkuId};

use super::{Lines, LinesError, Shortage};

/// Goods set aside for one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    order: OrderId,
    /// None, when the order was released before anything had been reserved for it.
    lines: Option<Lines>,
    state: State,
}

/// Where a reservation stands. It goes one way, and nothing leaves the last two but this: what was sold can
/// be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The goods are held until then; from that moment on they are anybody's.
    Reserved {
        /// The first moment at which the goods are not held any more.
        until: Instant,
    },
    /// The goods are sold.
    Committed {
        /// Since when.
        at: Instant,
    },
    /// The goods were sold and came back into the house.
    TakenBack {
        /// Since when.
        at: Instant,
    },
    /// The goods were given back before they were sold.
    Released {
        /// Since when.
        at: Instant,
    },
}

/// Why goods were not reserved: the first case that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReserveRefused {
    /// Nobody could reserve such lines.
    #[error(transparent)]
    Lines(#[from] LinesError),
    /// The hold would have ended before it began.
    #[error("the reservation would end in the past")]
    UntilPassed,
    /// The order reserved other lines before.
    #[error("the order reserved other lines before")]
    DiffersFromExisting,
    /// The order's reservation was released, or expired, or its goods were taken back.
    #[error("the order's reservation has ended")]
    Ended,
    /// There is no such SKU.
    #[error("there is no SKU {0}")]
    UnknownSku(SkuId),
    /// Fewer are free than asked for.
    #[error("only {} of SKU {} are free", .0.free, .0.sku)]
    Insufficient(Shortage),
}

/// Why goods were not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitRefused {
    /// The order never reserved anything.
    #[error("the order never reserved anything")]
    UnknownOrder,
    /// The goods were given back before.
    #[error("the order's reservation was released")]
    Released,
    /// Its time had passed, and too few of its goods are free by now.
    #[error("the order's reservation has expired and its goods are taken")]
    Expired,
}

/// Why sold goods were not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TakeBackRefused {
    /// They were never sold.
    #[error("the order's goods were never sold")]
    NotCommitted,
}

/// Why goods were not released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseRefused {
    /// They are sold.
    #[error("the order's goods were committed")]
    Committed,
}

impl Reservation {
    /// Sets `lines` aside for `order`; whether there is enough is for the store to say.
    pub fn try_new(
        order: OrderId,
        lines: Lines,
        until: Instant,
        now: Instant,
    ) -> Result<Self, ReserveRefused> {
        if until <= now {
            return Err(ReserveRefused::UntilPassed);
        }
        Ok(Self {
            order,
            lines: Some(lines),
            state: State::Reserved { until },
        })
    }

    /// Remembers that `order` was released before anything was reserved for it, so that a `reserve` which
    /// is still on its way finds its end already there.
    pub const fn tombstone(order: OrderId, now: Instant) -> Self {
        Self {
            order,
            lines: None,
            state: State::Released { at: now },
        }
    }

    /// A reservation as it was stored.
    pub const fn restore(order: OrderId, lines: Option<Lines>, state: State) -> Self {
        Self { order, lines, state }
    }

    /// For whom.
    pub const fn order(&self) -> OrderId {
        self.order
    }

    /// What.
    pub const fn lines(&self) -> Option<&Lines> {
        self.lines.as_ref()
    }

    /// Where it stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// What a `reserve` is told when its order has this reservation already. The expiry that counts is
    /// the first call's.
    pub fn repeat(&self, lines: &Lines, now: Instant) -> Result<(), ReserveRefused> {
        let Some(mine) = &self.lines else {
            return Err(ReserveRefused::Ended);
        };
        if !mine.same_as(lines) {
            return Err(ReserveRefused::DiffersFromExisting);
        }
        match self.state {
            State::Reserved { until } if until <= now => Err(ReserveRefused::Ended),
            State::Released { .. } | State::TakenBack { .. } => Err(ReserveRefused::Ended),
            State::Reserved { .. } | State::Committed { .. } => Ok(()),
        }
    }

    /// Turns reserved goods into sold goods. After the hold's time that is for the store to allow: it looks
    /// whether the goods are somebody else's by now.
    pub fn commit(self, now: Instant) -> Result<Outcome<Self>, CommitRefused> {
        match self.state {
            State::Committed { .. } | State::TakenBack { .. } => Ok(Outcome::AlreadyDone(self)),
            State::Released { .. } if self.lines.is_none() => Err(CommitRefused::UnknownOrder),
            State::Released { .. } => Err(CommitRefused::Released),
            State::Reserved { .. } => Ok(Outcome::Done(self.with(State::Committed { at: now }))),
        }
    }

    /// Gives reserved goods back. An expired reservation is released like any other.
    pub fn release(self, now: Instant) -> Result<Outcome<Self>, ReleaseRefused> {
        match self.state {
            State::Released { .. } => Ok(Outcome::AlreadyDone(self)),
            State::Committed { .. } | State::TakenBack { .. } => Err(ReleaseRefused::Committed),
            State::Reserved { .. } => Ok(Outcome::Done(self.with(State::Released { at: now }))),
        }
    }

    /// Takes sold goods back into the house.
    pub fn take_back(self, now: Instant) -> Result<Outcome<Self>, TakeBackRefused> {
        match self.state {
            // Only for the test that proves this guard is needed.
            State::TakenBack { .. } if cfg!(feature = "mutant-release-twice") => {
                Ok(Outcome::Done(self.with(State::TakenBack { at: now })))
            }
            State::TakenBack { .. } => Ok(Outcome::AlreadyDone(self)),
            State::Reserved { .. } | State::Released { .. } => Err(TakeBackRefused::NotCommitted),
            State::Committed { .. } => Ok(Outcome::Done(self.with(State::TakenBack { at: now }))),
        }
    }

    fn with(self, state: State) -> Self {
        Self { state, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(100);
    const LATER: Instant = Instant::from_micros(101);
    const EARLIER: Instant = Instant::from_micros(50);

    fn order() -> OrderId {
        OrderId::try_new(7).unwrap()
    }

    fn lines(pieces: u32) -> Lines {
        Lines::try_new(&[(SkuId::try_new(1).unwrap(), pieces)]).unwrap()
    }

    fn with(state: State) -> Reservation {
        Reservation::restore(order(), Some(lines(2)), state)
    }

    /// Every state a reservation can be found in at [`NOW`].
    fn states() -> [(&'static str, Reservation); 6] {
        [
            ("live", with(State::Reserved { until: LATER })),
            ("expired", with(State::Reserved { until: NOW })),
            ("committed", with(State::Committed { at: EARLIER })),
            ("taken back", with(State::TakenBack { at: EARLIER })),
            ("released", with(State::Released { at: EARLIER })),
            ("tombstone", Reservation::tombstone(order(), EARLIER)),
        ]
    }

    fn table<T>(answer: impl Fn(Reservation) -> T) -> Vec<(&'static str, T)> {
        states()
            .into_iter()
            .map(|(name, reservation)| (name, answer(reservation)))
            .collect()
    }

    #[test]
    fn reserve_again_with_the_same_lines_in_every_state() {
        let expected = [
            ("live", Ok(())),
            ("expired", Err(ReserveRefused::Ended)),
            ("committed", Ok(())),
            ("taken back", Err(ReserveRefused::Ended)),
            ("released", Err(ReserveRefused::Ended)),
            ("tombstone", Err(ReserveRefused::Ended)),
        ];
        assert_eq!(table(|reservation| reservation.repeat(&lines(2), NOW)), expected);
    }

    #[test]
    fn reserve_again_with_other_lines_in_every_state() {
        let expected = [
            ("live", Err(ReserveRefused::DiffersFromExisting)),
            ("expired", Err(ReserveRefused::DiffersFromExisting)),
            ("committed", Err(ReserveRefused::DiffersFromExisting)),
            ("taken back", Err(ReserveRefused::DiffersFromExisting)),
            ("released", Err(ReserveRefused::DiffersFromExisting)),
            ("tombstone", Err(ReserveRefused::Ended)),
        ];
        assert_eq!(table(|reservation| reservation.repeat(&lines(3), NOW)), expected);
    }

    #[test]
    fn commit_in_every_state() {
        let expected = [
            ("live", Ok(Outcome::Done(with(State::Committed { at: NOW })))),
            ("expired", Ok(Outcome::Done(with(State::Committed { at: NOW })))),
            (
                "committed",
                Ok(Outcome::AlreadyDone(with(State::Committed { at: EARLIER }))),
            ),
            (
                "taken back",
                Ok(Outcome::AlreadyDone(with(State::TakenBack { at: EARLIER }))),
            ),
            ("released", Err(CommitRefused::Released)),
            ("tombstone", Err(CommitRefused::UnknownOrder)),
        ];
        assert_eq!(table(|reservation| reservation.commit(NOW)), expected);
    }

    #[test]
    fn release_in_every_state() {
        let released = |at| with(State::Released { at });
        let expected = [
            ("live", Ok(Outcome::Done(released(NOW)))),
            ("expired", Ok(Outcome::Done(released(NOW)))),
            ("committed", Err(ReleaseRefused::Committed)),
            ("taken back", Err(ReleaseRefused::Committed)),
            ("released", Ok(Outcome::AlreadyDone(released(EARLIER)))),
            (
                "tombstone",
                Ok(Outcome::AlreadyDone(Reservation::tombstone(order(), EARLIER))),
            ),
        ];
        assert_eq!(table(|reservation| reservation.release(NOW)), expected);
    }

    #[test]
    fn take_back_in_every_state() {
        let taken_back = |at| with(State::TakenBack { at });
        let expected = [
            ("live", Err(TakeBackRefused::NotCommitted)),
            ("expired", Err(TakeBackRefused::NotCommitted)),
            ("committed", Ok(Outcome::Done(taken_back(NOW)))),
            ("taken back", Ok(Outcome::AlreadyDone(taken_back(EARLIER)))),
            ("released", Err(TakeBackRefused::NotCommitted)),
            ("tombstone", Err(TakeBackRefused::NotCommitted)),
        ];
        assert_eq!(table(|reservation| reservation.take_back(NOW)), expected);
    }

    #[test]
    fn a_hold_must_end_after_it_begins() {
        let reserve = |until| Reservation::try_new(order(), lines(1), until, NOW);
        assert_eq!(reserve(NOW), Err(ReserveRefused::UntilPassed));
        assert_eq!(reserve(EARLIER), Err(ReserveRefused::UntilPassed));
        assert_eq!(reserve(LATER).unwrap().state(), State::Reserved { until: LATER });
    }
}
