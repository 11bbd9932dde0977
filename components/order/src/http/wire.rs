//! The JSON that clients send.

use kernel::{Money, OrderId, ProductId, Quantity, SkuId};
use openapi::Id;
use serde::Deserialize;
use utoipa::ToSchema;
use web::{FieldError, Object, Problem, Request, Whole};

use super::shape::{methods_or_null, order_name};
use crate::domain::{Cart, Item, Method, Note, PaymentKey};

/// The body of `POST /orders`: one product, or a list of items.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewOrder {
    product_id: Option<Whole>,
    quantity: Option<Whole>,
    items: Option<Vec<Object<NewItem>>>,
    payment_method: Option<String>,
}

/// One of its items.
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

/// The body of `POST /orders/from-cart`; it may be missing.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewCartOrder {
    #[schema(schema_with = methods_or_null)]
    payment_method: Option<String>,
}

impl NewCartOrder {
    /// How it is paid: by card unless the client says otherwise.
    pub(super) fn parse(self) -> Result<Method, Problem> {
        let mut errors = Errors(Vec::new());
        let method = match self.payment_method {
            None => Some(Method::Card),
            Some(text) => errors.method(Some(&text)),
        };
        method.ok_or_else(|| Problem::invalid(errors.0))
    }
}

/// The body of a cancellation; it may be missing.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewCancellation)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCancel {
    /// Control characters are only taken among the blanks around the text, which are cut off.
    #[schema(
        max_length = 200,
        pattern = r"^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*[^\u0000-\u001f\u007f-\u009f]*[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$"
    )]
    reason: Option<String>,
}

impl NewCancel {
    /// What the client says about it.
    pub(super) fn parse(self) -> Result<Option<Note>, Problem> {
        let note = self.reason.as_deref().map(Note::parse).transpose();
        Ok(note
            .map_err(|error| Problem::invalid_field("reason", error))?
            .flatten())
    }
}

/// The body of `POST /admin/orders/{id}/retry`; it may be missing.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRetry {
    /// The attempt that was looked at: the order is tried again only if nobody did meanwhile.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 4294967295i64)]
    attempt: Option<Whole>,
}

impl NewRetry {
    /// The attempt that was looked at.
    pub(super) fn parse(self) -> Result<Option<u32>, Problem> {
        let attempt = self.attempt.map(|number| u32::try_from(number.0));
        let attempt = attempt.transpose().ok().filter(|number| *number != Some(0));
        attempt.ok_or_else(|| Problem::invalid_field("attempt", "must be the number of an attempt"))
    }
}

/// The body of `POST /payments/confirm`.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewConfirmation)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewConfirm {
    /// The gateway's name of the payment that was begun in its window.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 200, pattern = "^[!-~]{1,200}$")]
    payment_key: Option<String>,
    #[schema(value_type = Id, required = true)]
    order_id: Option<Whole>,
    /// What the customer was shown; it must be what is due.
    #[schema(value_type = openapi::Won, required = true)]
    amount: Option<Whole>,
}

impl NewConfirm {
    /// The payment's key, the order (none when no order can have this number) and the amount.
    pub(super) fn parse(self) -> Result<(PaymentKey, Option<OrderId>, i64), Problem> {
        let mut errors = Errors(Vec::new());
        let key = errors.payment_key("paymentKey", self.payment_key.as_deref());
        let order = errors.present("orderId", self.order_id);
        let amount = errors.amount("amount", self.amount);
        match (key, order, amount) {
            (Some(key), Some(order), Some(amount)) => Ok((key, OrderId::try_from(order.0).ok(), amount)),
            _ => Err(Problem::invalid(errors.0)),
        }
    }
}

/// What the payment gateway sends on its own. It may say more than is read here.
#[derive(Deserialize, ToSchema)]
#[schema(as = PaymentNotice)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hook {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 100)]
    event_type: Option<String>,
    #[serde(rename = "createdAt")]
    _created_at: Option<String>,
    #[schema(value_type = HookData, required = true)]
    data: Option<Object<HookData>>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PaymentNoticeData)]
#[serde(rename_all = "camelCase")]
struct HookData {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 200, pattern = "^[!-~]{1,200}$")]
    payment_key: Option<String>,
    #[schema(schema_with = order_name, required = true)]
    order_id: Option<OrderName>,
    #[schema(value_type = String, required = true, min_length = 1, max_length = 100)]
    status: Option<String>,
}

/// Some gateways know orders by numbers, some by texts.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number or a text")]
enum OrderName {
    Number(Whole),
    Text(String),
}

impl Hook {
    /// The order it is about; none when it is none of ours.
    pub(super) fn parse(self) -> Result<Option<OrderId>, Problem> {
        let mut errors = Errors(Vec::new());
        errors.word("eventType", self.event_type.as_deref());
        let Some(Object(data)) = self.data else {
            errors.add("data", "is missing");
            return Err(Problem::invalid(errors.0));
        };
        errors.payment_key("data.paymentKey", data.payment_key.as_deref());
        errors.word("data.status", data.status.as_deref());
        match errors.present("data.orderId", data.order_id) {
            Some(name) if errors.0.is_empty() => Ok(match name {
                OrderName::Number(number) => OrderId::try_from(number.0).ok(),
                OrderName::Text(text) => text.parse().ok(),
            }),
            Some(_) | None => Err(Problem::invalid(errors.0)),
        }
    }
}

/// The JSON body of a request that may come without one.
pub(super) fn optional<T: Default + serde::de::DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    Ok(request.optional_json()?.unwrap_or_default())
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

    fn present<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(field, "is missing");
        }
        value
    }

    fn amount(&mut self, field: &str, number: Option<Whole>) -> Option<i64> {
        let Whole(minor) = self.present(field, number)?;
        if (0..=Money::MAX_MINOR).contains(&minor) {
            return Some(minor);
        }
        self.add(field, format!("must be from 0 to {}", Money::MAX_MINOR));
        None
    }

    fn payment_key(&mut self, field: &str, text: Option<&str>) -> Option<PaymentKey> {
        let key = PaymentKey::try_new(self.present(field, text)?);
        key.map_err(|error| self.add(field, error)).ok()
    }

    /// A word such as a status: what it says does not matter here.
    fn word(&mut self, field: &str, text: Option<&str>) {
        let text = self.present(field, text);
        if text.is_some_and(|text| !(1..=100).contains(&text.chars().count())) {
            self.add(field, "must have 1 to 100 characters");
        }
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
