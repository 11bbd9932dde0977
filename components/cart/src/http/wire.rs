//! The JSON of carts.

use kernel::{ProductId, Quantity, SkuId};
use serde::{Deserialize, Serialize};
use web::{FieldError, Object, Problem, Whole};

use crate::app::Wanted;
use crate::domain::{Adjusted, Line, MAX_LINES, Merged, Refused};

/// The body of `POST /cart/items`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewItem {
    product_id: Option<Whole>,
    sku_id: Option<Whole>,
    quantity: Option<Whole>,
}

/// The body of `POST /cart/merge`: what the client kept of a guest's cart.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMerge {
    items: Option<Vec<Object<NewItem>>>,
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
        let wanted = errors.wanted("", self);
        wanted.ok_or_else(|| Problem::invalid(errors.0))
    }
}

impl NewMerge {
    /// What is to come in, or everything that is wrong with it.
    pub(super) fn parse(self) -> Result<Vec<Wanted>, Problem> {
        let Some(items) = self.items else {
            return Err(Problem::invalid_field("items", "is missing"));
        };
        if !(1..=MAX_LINES as usize).contains(&items.len()) {
            let why = format!("must be 1 to {MAX_LINES} lines");
            return Err(Problem::invalid_field("items", why));
        }
        let mut errors = Errors(Vec::new());
        let mut wanted = |(index, Object(item))| errors.wanted(&format!("items[{index}]."), item);
        // Every item is looked at, also behind one that is wrong.
        let parsed: Vec<Option<Wanted>> = items.into_iter().enumerate().map(&mut wanted).collect();
        let parsed: Option<Vec<Wanted>> = parsed.into_iter().collect();
        parsed.ok_or_else(|| Problem::invalid(errors.0))
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
    /// An item whose fields are called `prefix` and their name.
    fn wanted(&mut self, prefix: &str, item: NewItem) -> Option<Wanted> {
        let name = |field: &str| format!("{prefix}{field}");
        let product = self.required(&name("productId"), item.product_id, ProductId::try_from);
        let sku = match item.sku_id {
            Some(Whole(sku)) => self.checked(&name("skuId"), SkuId::try_from(sku)).map(Some),
            None => Some(None),
        };
        let quantity = self.required(&name("quantity"), item.quantity, Quantity::try_new);
        Some(Wanted {
            product: product?,
            sku: sku?,
            quantity: quantity?,
        })
    }

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

/// The cart after a merge, and what did not come in as it was asked for.
#[derive(Serialize)]
pub(super) struct MergedView {
    items: Vec<LineView>,
    adjusted: Vec<AdjustedView>,
}

impl MergedView {
    pub(super) fn of(merged: &Merged) -> Self {
        Self {
            items: merged.lines.iter().map(LineView::of).collect(),
            adjusted: merged.adjusted.iter().map(AdjustedView::of).collect(),
        }
    }
}

/// What a guest asked for, and how much of it came in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AdjustedView {
    product_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku_id: Option<u64>,
    asked: u32,
    quantity: u32,
    reason: &'static str,
}

impl AdjustedView {
    fn of(adjusted: &Adjusted) -> Self {
        Self {
            product_id: adjusted.asked.product.get(),
            sku_id: adjusted.asked.sku.map(SkuId::get),
            asked: adjusted.asked.pieces,
            quantity: adjusted.came_in,
            reason: reason(adjusted.reason),
        }
    }
}

/// The word for a client's program.
const fn reason(refused: Refused) -> &'static str {
    match refused {
        Refused::UnknownProduct => "UNKNOWN_PRODUCT",
        Refused::UnknownSku => "UNKNOWN_SKU",
        Refused::SkuRequired => "SKU_REQUIRED",
        Refused::NotInCart => "NOT_IN_CART",
        Refused::TooMany => "TOO_MANY",
        Refused::Full => "CART_FULL",
        Refused::OutOfStock { .. } => "OUT_OF_STOCK",
    }
}
