//! The JSON of orders.

use kernel::{ProductId, Quantity, SkuId};
use serde::{Deserialize, Serialize};
use web::{FieldError, Object, Problem, Request, Whole};

use crate::domain::{Cart, Failure, Item, Line, Method, Order, State, order_number};

/// The body of `POST /orders`: one product, or a list of items.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewOrder {
    product_id: Option<Whole>,
    quantity: Option<Whole>,
    items: Option<Vec<Object<NewItem>>>,
    payment_method: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewItem {
    product_id: Option<Whole>,
    sku_id: Option<Whole>,
    quantity: Option<Whole>,
}

impl NewOrder {
    /// What is asked for, or everything that is wrong with it.
    pub(super) fn parse(self) -> Result<(Cart, Method), Problem> {
        let mut errors = Errors(Vec::new());
        let method = errors.method(self.payment_method.as_deref());
        let items = match (self.items, self.product_id, self.quantity) {
            (Some(items), None, None) => errors.items(items.into_iter().map(|Object(item)| item).collect()),
            (None, product_id, quantity) => errors.items_at(
                "",
                vec![NewItem {
                    product_id,
                    sku_id: None,
                    quantity,
                }],
            ),
            (Some(_), _, _) => {
                errors.add("items", "can't stand beside productId and quantity");
                Vec::new()
            }
        };
        if !errors.0.is_empty() {
            return Err(Problem::invalid(errors.0));
        }
        let cart = Cart::try_new(items).map_err(|error| Problem::invalid_field("items", error))?;
        let method = method.ok_or_else(|| Problem::invalid_field("paymentMethod", "is missing"))?;
        Ok((cart, method))
    }
}

/// Everything that is wrong with a body.
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, field: impl Into<String>, message: impl ToString) {
        self.0.push(FieldError {
            field: field.into(),
            message: message.to_string(),
        });
    }

    fn method(&mut self, text: Option<&str>) -> Option<Method> {
        let method = text.and_then(Method::parse);
        match (text, method) {
            (None, _) => self.add("paymentMethod", "is missing"),
            (Some(_), None) => self.add("paymentMethod", "must be CARD, POINT, CASH or PG"),
            (Some(_), Some(_)) => {}
        }
        method
    }

    fn items(&mut self, items: Vec<NewItem>) -> Vec<(Item, Quantity)> {
        let place = |index: usize| format!("items[{index}].");
        let parsed = items
            .into_iter()
            .enumerate()
            .map(|(index, item)| self.items_at(&place(index), vec![item]));
        parsed.collect::<Vec<_>>().concat()
    }

    fn items_at(&mut self, prefix: &str, items: Vec<NewItem>) -> Vec<(Item, Quantity)> {
        let parsed = items.into_iter().filter_map(|item| {
            let quantity = self.quantity(&format!("{prefix}quantity"), item.quantity);
            let named = self.item(prefix, item.product_id, item.sku_id);
            named.zip(quantity)
        });
        parsed.collect()
    }

    fn quantity(&mut self, field: &str, pieces: Option<Whole>) -> Option<Quantity> {
        match pieces.map(|pieces| Quantity::try_new(pieces.0)) {
            Some(Ok(quantity)) => Some(quantity),
            Some(Err(error)) => {
                self.add(field, error);
                None
            }
            None => {
                self.add(field, "is missing");
                None
            }
        }
    }

    fn item(&mut self, prefix: &str, product: Option<Whole>, sku: Option<Whole>) -> Option<Item> {
        let item = match (product, sku) {
            (Some(id), None) => ProductId::try_from(id.0)
                .map(Item::Product)
                .map_err(|error| ("productId", error)),
            (None, Some(id)) => SkuId::try_from(id.0)
                .map(Item::Sku)
                .map_err(|error| ("skuId", error)),
            (None, None) => {
                self.add(format!("{prefix}productId"), "is missing");
                return None;
            }
            (Some(_), Some(_)) => {
                self.add(format!("{prefix}skuId"), "can't stand beside productId");
                return None;
            }
        };
        item.map_err(|(field, error)| self.add(format!("{prefix}{field}"), error))
            .ok()
    }
}

/// The client's `Idempotency-Key`: 1 to 255 visible ASCII characters, at most once.
pub(super) fn idempotency_key(request: &Request) -> Result<Option<String>, Problem> {
    if !request.has_header("idempotency-key") {
        return Ok(None);
    }
    let key = request
        .header("idempotency-key")
        .map(str::trim)
        .filter(|key| (1..=255).contains(&key.len()));
    let wrong = || {
        Problem::invalid_field(
            "Idempotency-Key",
            "must be 1 to 255 visible ASCII characters, once",
        )
    };
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}

/// An order as its owner sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderView {
    id: u64,
    order_number: String,
    user_id: u64,
    product_id: Option<u64>,
    quantity: Option<u32>,
    items: Vec<ItemView>,
    currency: &'static str,
    total_amount: i64,
    discount_amount: i64,
    payment_amount: i64,
    payment_method: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    created_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemView {
    product_id: u64,
    sku_id: u64,
    name: String,
    unit_price: i64,
    quantity: u32,
    amount: i64,
}

impl OrderView {
    /// `productId` and `quantity` are the first line's, for clients that know no lines.
    pub(super) fn of(order: &Order) -> Self {
        let first = order.lines.first();
        let failure = match &order.state {
            State::Failed { failure, .. } => Some(Failure::text(failure)),
            State::Pending | State::Paid { .. } => None,
        };
        Self {
            id: order.id.get(),
            order_number: order_number(order.id),
            user_id: order.user.get(),
            product_id: first.map(|line| line.product.get()),
            quantity: first.map(|line| line.quantity.get()),
            items: order.lines.iter().map(ItemView::of).collect(),
            currency: order.totals.total.currency().code(),
            total_amount: order.totals.total.minor(),
            discount_amount: order.totals.discount.minor(),
            payment_amount: order.totals.due.minor(),
            payment_method: order.method.text(),
            status: order.state.text(),
            failure_reason: failure,
            created_at: order.created_at.rfc3339(),
        }
    }
}

impl ItemView {
    fn of(line: &Line) -> Self {
        Self {
            product_id: line.product.get(),
            sku_id: line.sku.get(),
            name: line.name.clone(),
            unit_price: line.unit_price.minor(),
            quantity: line.quantity.get(),
            amount: line.unit_price.minor() * i64::from(line.quantity.get()),
        }
    }
}
