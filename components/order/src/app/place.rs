use kernel::{Instant, OrderId, UserId};

use super::drive::Course;
use super::placement::lines;
use super::{App, CartPlacement, Ended, Inserted, KeyUse, PlaceError, Placement};
use crate::domain::{Cart, Item, Key, Line, Method, Order, State, Task, Totals, Work};

/// How often a new id is tried before giving up; two in a row meet once in 67 million.
const ID_ATTEMPTS: u32 = 4;

/// How many orders of one customer may wait for a payment: each holds goods that nobody else can buy.
const MOST_WAITING: u32 = 10;

impl App<'_> {
    /// Writes an order of these items down and drives it to its end, or to where it waits for its payment.
    pub fn place(&self, placement: &Placement) -> Result<Ended, PlaceError> {
        let key = self.key(placement.user, placement.key.as_deref(), placement.command());
        if let Some(ended) = self.repeated(key.as_ref())? {
            return Ok(ended);
        }
        let lines = match self.quoted(&placement.cart) {
            Ok(lines) => lines,
            Err(why) => return self.refused(key.as_ref(), why),
        };
        let wanted = Wanted {
            user: placement.user,
            method: placement.method,
            from_cart: false,
            key,
        };
        self.write(wanted, lines)
    }

    /// The same for everything in the customer's cart, which is emptied once the order is PAID.
    pub fn place_cart(&self, placement: &CartPlacement) -> Result<Ended, PlaceError> {
        let key = self.key(placement.user, placement.key.as_deref(), placement.command());
        if let Some(ended) = self.repeated(key.as_ref())? {
            return Ok(ended);
        }
        let lines = match self.in_cart(placement.user) {
            Ok(lines) => lines,
            Err(why) => return self.refused(key.as_ref(), why),
        };
        let wanted = Wanted {
            user: placement.user,
            method: placement.method,
            from_cart: true,
            key,
        };
        self.write(wanted, lines)
    }

    pub(super) fn key(&self, user: UserId, key: Option<&str>, command: String) -> Option<KeyUse> {
        let key = key.map(str::to_owned);
        key.map(|name| KeyUse {
            key: Key { user, name },
            command,
        })
    }

    /// What others say was asked after the key was looked up. If the same command has been carried out in between,
    /// which empties a cart for instance, it has its answer.
    fn refused(&self, key: Option<&KeyUse>, why: PlaceError) -> Result<Ended, PlaceError> {
        self.repeated(key)?.ok_or(why)
    }

    fn in_cart(&self, user: UserId) -> Result<Vec<Line>, PlaceError> {
        let held = self.carts.lines(user);
        let held = held.map_err(|error| PlaceError::Unavailable(error.0))?;
        let items = held.iter().map(|line| (Item::Sku(line.sku), line.quantity));
        let cart = Cart::try_new(items.collect()).map_err(|_| PlaceError::EmptyCart)?;
        self.quoted(&cart).map_err(|error| match error {
            PlaceError::UnknownItem(place) | PlaceError::SkuRequired(place) => {
                PlaceError::CartOutdated(place)
            }
            other => other,
        })
    }

    fn quoted(&self, cart: &Cart) -> Result<Vec<Line>, PlaceError> {
        let items: Vec<Item> = cart.items().iter().map(|(item, _)| *item).collect();
        lines(cart, self.catalog.quote(&items)?)
    }

    fn write(&self, wanted: Wanted, lines: Vec<Line>) -> Result<Ended, PlaceError> {
        let totals = Totals::of(&lines)?;
        let work = Work {
            task: Task::Place {
                pay_until: self.pay_until(wanted.method)?,
            },
            attempt: 1,
            lease: self.lease(self.now),
            from_cart: wanted.from_cart,
            key: wanted.key.as_ref().map(|used| used.key.clone()),
            stuck: None,
        };
        let mut order = Order {
            id: OrderId::generate(self.now, (self.random)()),
            user: wanted.user,
            lines,
            totals,
            method: wanted.method,
            state: State::Pending { pay_until: None },
            created_at: self.now,
        };
        let key = wanted.key.as_ref();
        for _ in 0..ID_ATTEMPTS {
            let inserted = self.ledger.insert(&order, &work, key, MOST_WAITING)?;
            if inserted == Inserted::Done {
                return Ok(self.answer(Course::forward(order, work, self.now)));
            }
            // The order that is in the way may be the one that this very command has made.
            if let Some(ended) = self.repeated(key)? {
                return Ok(ended);
            }
            match inserted {
                Inserted::CartUnderWay => return Err(PlaceError::CartUnderWay),
                Inserted::TooManyWaiting => return Err(PlaceError::TooManyWaiting(MOST_WAITING)),
                Inserted::Done | Inserted::Taken => {}
            }
            order.id = OrderId::generate(self.now, (self.random)());
        }
        Err(PlaceError::Unavailable("no free order id".to_owned()))
    }

    /// An order that is paid in the gateway's window waits for it; all others are paid at once.
    fn pay_until(&self, method: Method) -> Result<Option<Instant>, PlaceError> {
        match method {
            Method::Card | Method::Point | Method::Cash => Ok(None),
            Method::Pg => {
                let hold = (self.hold)().map_err(PlaceError::Setting)?;
                Ok(Some(hold.from(self.now)))
            }
        }
    }
}

/// An order that is to be written down, but for its lines.
struct Wanted {
    user: UserId,
    method: Method,
    from_cart: bool,
    key: Option<KeyUse>,
}
