//! What a client is told, now and whenever it asks again under the same key.

use kernel::OrderId;

use crate::domain::{Failure, Order};

/// An answer to a client, ready to be sent: it is kept, and sent again byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided<'a> {
    /// An order was placed: it is paid, or waits for its payment.
    Placed {
        /// The order.
        order: &'a Order,
        /// Whether it was made of a cart.
        from_cart: bool,
    },
    /// An order that waited was paid.
    Confirmed(&'a Order),
    /// A paid order was taken back.
    Cancelled(&'a Order),
    /// The order failed: nothing of it is held or charged.
    Failed(&'a Failure),
}

/// Makes the answer of what a command came to. The HTTP layer knows how; recovery uses it too.
pub type Render<'a> = &'a dyn Fn(&Decided<'_>) -> Reply;

/// How a command ended for the one who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It is decided, now or earlier.
    Decided(Reply),
    /// It is not: something did not answer. It is on disk, and recovery will decide it.
    Open(OrderId),
    /// It is not, and a person has to look: what had to be given back was refused.
    Stuck(OrderId),
    /// The same command is being carried out at this moment.
    Running(OrderId),
}
