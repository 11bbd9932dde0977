//! The use cases: ask what can be bought, ask the domain, save.

use std::collections::{BTreeMap, BTreeSet};

use ::store::DbError;
use kernel::{Instant, OrderId, Outcome, ProductId, Quantity, SkuId, UserId};

use crate::domain::{Arrival, Asked, Line, Merged, Offer, Refused, add_up, bought, choose, pick, set};

/// What the use cases need from the store. Every change is one transaction.
pub trait Carts {
    /// A customer's lines, by product and SKU.
    fn lines(&self, user: UserId) -> Result<Vec<Line>, DbError>;

    /// What a customer's key was used for before.
    fn find_key(&self, user: UserId, key: &str) -> Result<Option<KeyUse>, DbError>;

    /// Puts `line.quantity` pieces more into the cart, of which `free` are free, and remembers the key.
    fn add(
        &self,
        user: UserId,
        line: Line,
        free: u32,
        key: Option<&Key>,
        now: Instant,
    ) -> Result<Added, DbError>;

    /// Puts as much of a guest's cart into the cart as fits, and remembers with the key what `render` makes
    /// of it. None: the key was used, or the cart was changed, in between; nothing was changed.
    fn merge(
        &self,
        user: UserId,
        arrival: &Arrival,
        key: &Key,
        render: Render<'_>,
        now: Instant,
    ) -> Result<Option<String>, DbError>;

    /// Sets a line's quantity. False: the line is not there.
    fn set(&self, user: UserId, line: Line) -> Result<bool, DbError>;

    /// Takes one SKU of a product out, or all of them. False: there was none.
    fn remove(&self, user: UserId, product: ProductId, sku: Option<SkuId>) -> Result<bool, DbError>;

    /// Empties the cart.
    fn clear(&self, user: UserId) -> Result<(), DbError>;

    /// Takes out what an order bought, each SKU once. False: it was taken before; nothing was changed.
    fn take(
        &self,
        order: OrderId,
        user: UserId,
        bought: &[(ProductId, SkuId, u32)],
        now: Instant,
    ) -> Result<bool, DbError>;
}

/// What the use cases need from the products.
pub trait Offers {
    /// All SKUs of a product, with what is free. None: there is no such product, or it is not for sale.
    fn find(&self, product: ProductId) -> Result<Option<Vec<Offer>>, OffersError>;
}

/// The products did not answer, or not with anything that can be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the products did not answer: {0}")]
pub struct OffersError(pub String);

/// What a customer wants to have in the cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The product.
    pub product: ProductId,
    /// Which kind of it; needed when there are several.
    pub sku: Option<SkuId>,
    /// How many pieces more.
    pub quantity: Quantity,
}

/// A client's `Idempotency-Key`, and what it asked for with it in one canonical text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The client's key: 1 to 255 visible ASCII characters.
    pub key: String,
    /// What was asked for.
    pub command: String,
}

/// What a key did before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// What was asked for.
    pub command: String,
    /// What was answered.
    pub answer: KeyAnswer,
}

/// What was answered to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAnswer {
    /// Pieces were put in: the line as it was then.
    Added(Line),
    /// A guest's cart was merged: the answer as it was sent.
    Merged(String),
}

/// Makes the answer to a merge. The HTTP layer knows how; it is kept, and sent again byte for byte.
pub type Render<'a> = &'a dyn Fn(&Merged) -> String;

/// What became of pieces that were put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// They are in the cart: the line as it is now.
    Done(Line),
    /// The key was used before; nothing was changed.
    KeyTaken,
    /// They don't fit; nothing was changed.
    Refused(Refused),
}

/// Why a cart stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum CartError {
    /// The business said no.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The key was used for something else.
    #[error("the key was used with another body")]
    KeyReused,
    /// Nobody knows what can be bought.
    #[error(transparent)]
    Offers(#[from] OffersError),
    /// The store did not answer, or not with anything that can be.
    #[error("could not reach the cart store")]
    Store(#[from] DbError),
}

impl Wanted {
    /// Two with the same text ask for the same.
    fn command(&self) -> String {
        text(&self.asked())
    }

    const fn asked(&self) -> Asked {
        Asked {
            product: self.product,
            sku: self.sku,
            pieces: self.quantity.get(),
        }
    }
}

/// Two with the same text ask for the same, and for something else than any text of one product.
fn merge_command(asked: &[Asked]) -> String {
    let items: Vec<String> = asked.iter().map(text).collect();
    format!("merge {}", items.join(", "))
}

fn text(asked: &Asked) -> String {
    let sku = asked.sku.map(|sku| format!(" sku {sku}")).unwrap_or_default();
    format!("product {}{sku} x{}", asked.product, asked.pieces)
}

/// A customer's lines, by product and SKU.
pub fn lines(store: &impl Carts, user: UserId) -> Result<Vec<Line>, DbError> {
    store.lines(user)
}

/// Puts pieces into the cart, to those that are there, and answers the line as it is now. With the same key
/// it happens once, and the first answer comes again.
pub fn add(
    store: &impl Carts,
    offers: &impl Offers,
    user: UserId,
    wanted: Wanted,
    key: Option<&str>,
    now: Instant,
) -> Result<Line, CartError> {
    let key = key.map(|key| Key {
        key: key.to_owned(),
        command: wanted.command(),
    });
    // At most twice: who finds the key taken finds next what it was used for.
    loop {
        if let Some(key) = &key
            && let Some(before) = store.find_key(user, &key.key)?
        {
            return match before.answer {
                KeyAnswer::Added(line) if before.command == key.command => Ok(line),
                KeyAnswer::Added(_) | KeyAnswer::Merged(_) => Err(CartError::KeyReused),
            };
        }
        let offers = offers.find(wanted.product)?.ok_or(Refused::UnknownProduct)?;
        let offer = choose(wanted.sku, &offers)?;
        let line = Line {
            product: wanted.product,
            sku: offer.sku,
            quantity: wanted.quantity,
        };
        match store.add(user, line, offer.free, key.as_ref(), now)? {
            Added::Done(line) => return Ok(line),
            Added::Refused(refused) => return Err(refused.into()),
            Added::KeyTaken => {}
        }
    }
}

/// Merges the cart that a guest filled before logging in, as far as it fits, and answers what `render` makes
/// of it. With the same key it happens once, and the first answer comes again.
pub fn merge(
    store: &impl Carts,
    offers: &impl Offers,
    user: UserId,
    items: &[Wanted],
    key: &str,
    render: Render<'_>,
    now: Instant,
) -> Result<String, CartError> {
    let asked = add_up(items.iter().map(Wanted::asked));
    let key = Key {
        key: key.to_owned(),
        command: merge_command(&asked),
    };
    // Whoever is overtaken finds the key's answer next, or the cart as it is by then.
    loop {
        if let Some(before) = store.find_key(user, &key.key)? {
            return match before.answer {
                KeyAnswer::Merged(answer) if before.command == key.command => Ok(answer),
                KeyAnswer::Added(_) | KeyAnswer::Merged(_) => Err(CartError::KeyReused),
            };
        }
        let arrival = Arrival::new(&asked, &find_all(offers, &asked)?);
        if let Some(answer) = store.merge(user, &arrival, &key, render, now)? {
            return Ok(answer);
        }
    }
}

/// All SKUs of every product that there is; each product is asked for once.
fn find_all(offers: &impl Offers, asked: &[Asked]) -> Result<BTreeMap<ProductId, Vec<Offer>>, OffersError> {
    let products: BTreeSet<ProductId> = asked.iter().map(|asked| asked.product).collect();
    let find = |product| Ok(offers.find(product)?.map(|found| (product, found)));
    products
        .into_iter()
        .map(find)
        .filter_map(Result::transpose)
        .collect()
}

/// Sets how many pieces of a product are in the cart; `None` takes the line out. Answers the line as it is
/// now, if there still is one.
pub fn change(
    store: &impl Carts,
    offers: &impl Offers,
    user: UserId,
    product: ProductId,
    sku: Option<SkuId>,
    quantity: Option<Quantity>,
) -> Result<Option<Line>, CartError> {
    let line = pick(&store.lines(user)?, product, sku)?;
    let (is_there, line) = match quantity {
        None => (store.remove(user, product, Some(line.sku))?, None),
        Some(quantity) => {
            let offers = offers.find(product)?.ok_or(Refused::UnknownProduct)?;
            let line = set(line, quantity, choose(Some(line.sku), &offers)?)?;
            (store.set(user, line)?, Some(line))
        }
    };
    // Somebody may have taken it out in between.
    is_there.then_some(line).ok_or(Refused::NotInCart.into())
}

/// Takes a product out of the cart: one SKU of it, or all. It may be gone already.
pub fn remove(
    store: &impl Carts,
    user: UserId,
    product: ProductId,
    sku: Option<SkuId>,
) -> Result<(), DbError> {
    store.remove(user, product, sku).map(drop)
}

/// Empties the cart.
pub fn clear(store: &impl Carts, user: UserId) -> Result<(), DbError> {
    store.clear(user)
}

/// Takes out what `order` bought, once. A line loses as many pieces as were bought; what was put in
/// meanwhile stays.
pub fn take(
    store: &impl Carts,
    order: OrderId,
    user: UserId,
    lines: &[Line],
    now: Instant,
) -> Result<Outcome<()>, DbError> {
    if store.take(order, user, &bought(lines), now)? {
        Ok(Outcome::Done(()))
    } else {
        Ok(Outcome::AlreadyDone(()))
    }
}
