//! `shop:stock/stock`. What each call promises stands in its WIT.

use serde::{Deserialize, Serialize};

use crate::Done;
use crate::function::functions;

functions! {
    /// `reserve`
    Reserve = "stock.reserve" "/internal/rpc/stock/reserve": ReserveAsk => Done, ReserveRefused;
    /// `commit`
    Commit = "stock.commit" "/internal/rpc/stock/commit": OrderAsk => Done, CommitRefused;
    /// `commit-all`
    CommitAll = "stock.commit-all" "/internal/rpc/stock/commit-all": CommitAllAsk => CommitAllAnswer, crate::NoRefusal;
    /// `release`
    Release = "stock.release" "/internal/rpc/stock/release": OrderAsk => Done, ReleaseRefused;
    /// `take-back`
    TakeBack = "stock.take-back" "/internal/rpc/stock/take-back": OrderAsk => Done, TakeBackRefused;
    /// `level`
    Level = "stock.level" "/internal/rpc/stock/level": LevelAsk => LevelAnswer, LevelRefused;
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
