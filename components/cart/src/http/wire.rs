//! The JSON of carts.

use kernel::{ProductId, Quantity, SkuId};
use serde::{Deserialize, Serialize};
use web::{FieldError, Problem, Request, Whole};

use crate::app::Wanted;
use crate::domain::Line;

/// The body of `POST /cart/items`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewItem {
    product_id: Option<Whole>,
    sku_id: Option<Whole>,
    quantity: Option<Whole>,
}

/// The body of `PATCH /cart/items/{productId}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewQuantity {
    quantity: Option<Whole>,
}

impl NewItem {
    /// What is asked for, or everything that is wrong with it.
    pub(super) fn parse(self) -> Result<Wanted, Problem> {
        let mut errors = Errors(Vec::new());
        let product = errors.required("productId", self.product_id, ProductId::try_from);
        let sku = self
            .sku_id
            .map(|sku| errors.checked("skuId", SkuId::try_from(sku.0)));
        let quantity = errors.required("quantity", self.quantity, Quantity::try_new);
        match (product, quantity) {
            (Some(product), Some(quantity)) if errors.0.is_empty() => Ok(Wanted {
                product,
                sku: sku.flatten(),
                quantity,
            }),
            _ => Err(Problem::invalid(errors.0)),
        }
    }
}

impl NewQuantity {
    /// The quantity; none for zero and less, which takes the line out.
    pub(super) fn parse(self) -> Result<Option<Quantity>, Problem> {
        match self.quantity {
            None => Err(Problem::invalid_field("quantity", "is missing")),
            Some(Whole(..=0)) => Ok(None),
            Some(Whole(pieces)) => Quantity::try_new(pieces)
                .map(Some)
                .map_err(|error| Problem::invalid_field("quantity", error)),
        }
    }
}

/// Everything that is wrong with a body.
struct Errors(Vec<FieldError>);

impl Errors {
    fn required<T, E: ToString>(
        &mut self,
        field: &str,
        number: Option<Whole>,
        parse: impl FnOnce(i64) -> Result<T, E>,
    ) -> Option<T> {
        match number {
            Some(Whole(number)) => self.checked(field, parse(number)),
            None => self.checked(field, Err("is missing")),
        }
    }

    fn checked<T, E: ToString>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        let error = match parsed {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        self.0.push(FieldError {
            field: field.to_owned(),
            message: error.to_string(),
        });
        None
    }
}

/// The client's `Idempotency-Key`: 1 to 255 visible ASCII characters, at most once.
pub(super) fn idempotency_key(request: &Request) -> Result<Option<&str>, Problem> {
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
    key.map(Some).ok_or_else(wrong)
}

/// A line as its owner sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineView {
    product_id: u64,
    sku_id: u64,
    quantity: u32,
}

impl LineView {
    pub(super) const fn of(line: &Line) -> Self {
        Self {
            product_id: line.product.get(),
            sku_id: line.sku.get(),
            quantity: line.quantity.get(),
        }
    }
}
