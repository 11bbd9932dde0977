use kernel::{Instant, OrderId};

/// Why a count changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The SKU was taken into the house for the first time.
    Initial,
    /// Pieces were set aside for an order.
    Reserve,
    /// Reserved pieces were sold and left the house.
    Commit,
    /// Reserved pieces were given back.
    Release,
    /// Sold pieces came back.
    Return,
    /// Somebody corrected the count by hand.
    Manual,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Initial,
        Self::Reserve,
        Self::Commit,
        Self::Release,
        Self::Return,
        Self::Manual,
    ];

    /// As databases and clients read it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Initial => "INITIAL",
            Self::Reserve => "RESERVE",
            Self::Commit => "COMMIT",
            Self::Release => "RELEASE",
            Self::Return => "RETURN",
            Self::Manual => "MANUAL",
        }
    }

    /// The kind of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.text() == text)
    }
}

/// One line of a SKU's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its place in the SKU's history: 1, 2, 3 … without a gap.
    pub number: u32,
    /// Why.
    pub kind: Kind,
    /// On whose behalf; none for the first count and for corrections.
    pub order: Option<OrderId>,
    /// How many pieces; negative only when a correction took some away.
    pub quantity: i64,
    /// Pieces in the house afterwards.
    pub on_hand: u32,
    /// Pieces held afterwards.
    pub reserved: u32,
    /// When.
    pub at: Instant,
}

impl Change {
    /// Pieces that could still be reserved afterwards.
    pub const fn free(&self) -> u32 {
        self.on_hand.saturating_sub(self.reserved)
    }
}
