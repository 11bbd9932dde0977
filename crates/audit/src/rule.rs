use crate::Invariant;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $word:literal of $invariant:ident),* $(,)?) => {
        /// One thing that is checked for an invariant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[$doc])* $name),*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// A word that stays the same, for programs.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word),*
                }
            }

            /// What does not hold when it is broken.
            pub const fn invariant(self) -> Invariant {
                match self {
                    $(Self::$name => Invariant::$invariant),*
                }
            }
        }
    };
}

rules! {
    /// The pieces of PAID orders are out of the house by the history, each once, and no others.
    LeavesOnce = "leaves-once" of Stock,
    /// The goods of a PAID order are sold, or wait for the job that lets them go.
    PaidIsSold = "paid-is-sold" of Stock,
    /// Goods that are sold and not taken back belong to a PAID order.
    SoldIsPaid = "sold-is-paid" of Stock,
    /// Goods are held only for orders that wait for their payment, or are PAID and wait for the job.
    HeldIsWaitedFor = "held-is-waited-for" of Stock,
    /// For an order that waits for its payment goods are held.
    WaitedForIsHeld = "waited-for-is-held" of Stock,
    /// On hand is what the history adds up to.
    HistoryAddsUp = "history-adds-up" of Stock,
    /// No more is held than is on hand.
    NotOversold = "not-oversold" of Stock,
    /// A PAID order's money was captured, and is kept but for what admins gave back.
    PaidIsCaptured = "paid-is-captured" of Paid,
    /// Money is kept for PAID orders only.
    KeptForPaid = "kept-for-paid" of Charges,
    /// No more is given back than was captured.
    WithinCapture = "within-capture" of Refunds,
    /// The refunded sum of a payment is that of its refunds that are done.
    RefundedIsSum = "refunded-is-sum" of Refunds,
    /// The promised sum of a payment is that of its refunds that are under way.
    PromisedIsSum = "promised-is-sum" of Refunds,
    /// The ledger has what was captured.
    CapturedIsEntered = "captured-is-entered" of Settlement,
    /// The ledger has what was given back.
    RefundedIsEntered = "refunded-is-entered" of Settlement,
    /// An entry has two sides of one sum.
    Balances = "balances" of Settlement,
    /// The sums of a day are those of the ledger.
    DaysAreSums = "days-are-sums" of Settlement,
    /// The lines of an order add up to its total.
    LinesAreTotal = "lines-are-total" of Lines,
    /// There is an event that tells of an order's state.
    StateIsTold = "state-is-told" of Events,
    /// An event that was acknowledged stands at its position, in the outbox and applied in the inbox.
    AppliedOnce = "applied-once" of Events,
    /// Where nothing is under way, every event has its position.
    HasPosition = "has-position" of Events,
    /// An order is decided, or waits for its payment.
    IsDecided = "is-decided" of Sagas,
    /// Nothing is left to do for an order but to wait, or to let its goods go, and no person has to look.
    IsAtItsEnd = "is-at-its-end" of Sagas,
    /// An order stops waiting when its time to pay has run out.
    Expires = "expires" of Sagas,
    /// What was promised is given back, or is not promised any more.
    PromiseKept = "promise-kept" of Sagas,
    /// The gateway holds what we say it does.
    GatewayAgrees = "gateway-agrees" of Acknowledged,
    /// What a consumer has heard its producer still knows.
    HeardIsSent = "heard-is-sent" of Acknowledged,
    /// An account's role, status and grade are the last that the log tells of.
    IsLogged = "is-logged" of AdminLog,
}
