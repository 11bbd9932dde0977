//! `shop:stock/stock`. What each call promises stands in its WIT.

use serde::{Deserialize, Serialize};

use crate::Done;
use crate::function::functions;

functions! {
    /// `reserve`. What is refused leaves no row: goods that come back meanwhile are reserved by a try that was on its way.
    Reserve = "stock.reserve" "/internal/rpc/stock/reserve": ReserveAsk => Done, ReserveRefused, forgotten;
    /// `commit`. A try that comes late can sell only what is still reserved, and whoever heard a no lets go of that: by
    /// `release`, which no `commit` undoes.
    Commit = "stock.commit" "/internal/rpc/stock/commit": OrderAsk => Done, CommitRefused, remembered;
    /// `commit-all`
    CommitAll = "stock.commit-all" "/internal/rpc/stock/commit-all": CommitAllAsk => CommitAllAnswer, crate::NoRefusal, remembered;
    /// `release`. What is sold is never released.
    Release = "stock.release" "/internal/rpc/stock/release": OrderAsk => Done, ReleaseRefused, remembered;
    /// `take-back`. Whoever heard that nothing was sold releases, and what is released is never sold, so never taken back.
    TakeBack = "stock.take-back" "/internal/rpc/stock/take-back": OrderAsk => Done, TakeBackRefused, remembered;
    /// `level`. It changes nothing.
    Level = "stock.level" "/internal/rpc/stock/level": LevelAsk => LevelAnswer, LevelRefused, remembered;
}

/// An order is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderAsk {
    /// Which one.
    pub order: u64,
}

/// Goods are to be set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReserveAsk {
    /// For which order.
    pub order: u64,
    /// Which goods.
    pub lines: Vec<Line>,
    /// Until when, in microseconds since 1970.
    pub until: i64,
}

/// So many pieces of one SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// What.
    pub sku: u64,
    /// How many.
    pub quantity: u32,
}

/// Many orders' goods are to be sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitAllAsk {
    /// Whose.
    pub orders: Vec<u64>,
}

/// One answer for each order, in the order they were asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitAllAnswer {
    /// The answers.
    pub answers: Vec<Committed>,
}

/// What became of one order's goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Committed {
    /// They are sold.
    Done,
    /// They are not.
    Refused {
        /// Why.
        refusal: CommitRefused,
    },
    /// Nobody knows.
    Unavailable {
        /// Why.
        detail: String,
    },
}

/// Levels are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LevelAsk {
    /// Of these.
    pub skus: Vec<u64>,
}

/// The levels, in the order asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LevelAnswer {
    /// The levels.
    pub levels: Vec<StockLevel>,
}

/// How many pieces there are of one SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockLevel {
    /// Which SKU.
    pub sku: u64,
    /// Pieces in the house.
    pub on_hand: u32,
    /// Pieces held.
    pub reserved: u32,
}

/// `reserve-error`, but for `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ReserveRefused {
    /// `invalid`
    Invalid {
        /// What is.
        detail: String,
    },
    /// `differs-from-existing`
    DiffersFromExisting,
    /// `ended`
    Ended,
    /// `unknown-sku`
    UnknownSku {
        /// Which.
        sku: u64,
    },
    /// `insufficient`
    Insufficient {
        /// Of which SKU there is too little.
        sku: u64,
        /// How many pieces are free.
        free: u32,
    },
}

/// `commit-error`, but for `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum CommitRefused {
    /// `unknown-order`
    UnknownOrder,
    /// `released`
    Released,
    /// `expired`
    Expired,
}

/// `release-error`, but for `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ReleaseRefused {
    /// `committed`
    Committed,
}

/// `take-back-error`, but for `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum TakeBackRefused {
    /// `not-committed`
    NotCommitted,
}

/// `level-error`, but for `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum LevelRefused {
    /// `unknown-sku`
    UnknownSku {
        /// Which.
        sku: u64,
    },
}
