//! The JSON of carts.

use kernel::{ProductId, Quantity, SkuId};
use openapi::{Id, one_of};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{FieldError, Object, Problem, Whole};

use crate::app::Wanted;
use crate::domain::{Adjusted, Line, MAX_LINES, Merged, Refused};

/// So many pieces to put in: the body of `POST /cart/items`, and an item of a merge.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewCartLine)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewItem {
    #[schema(value_type = Id, required = true)]
    product_id: Option<Whole>,
    #[schema(value_type = Option<Id>)]
    sku_id: Option<Whole>,
    #[schema(value_type = openapi::Quantity, required = true)]
    quantity: Option<Whole>,
}

/// The body of `POST /cart/merge`: what the client kept of a guest's cart.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewCartMerge)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMerge {
    #[schema(value_type = Vec<NewItem>, required = true, min_items = 1, max_items = 100)]
    items: Option<Vec<Object<NewItem>>>,
}

/// The body of `PATCH /cart/items/{productId}`.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewCartQuantity)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewQuantity {
    /// 0 or less takes the line out.
    #[schema(value_type = i64, required = true, minimum = -9223372036854775808i64, maximum = 1000000i64)]
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
#[derive(Serialize, ToSchema)]
#[schema(as = CartLine)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineView {
    #[schema(value_type = Id)]
    product_id: u64,
    #[schema(value_type = Id)]
    sku_id: u64,
    #[schema(value_type = openapi::Quantity)]
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
#[derive(Serialize, ToSchema)]
#[schema(as = MergedCart)]
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
#[derive(Serialize, ToSchema)]
#[schema(as = AdjustedCartLine)]
#[serde(rename_all = "camelCase")]
struct AdjustedView {
    #[schema(value_type = Id)]
    product_id: u64,
    /// It is left out when nobody can say which kind was meant.
    #[schema(value_type = Id, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    sku_id: Option<u64>,
    /// How many pieces were asked for.
    #[schema(value_type = i64, minimum = 1, maximum = 4294967295i64)]
    asked: u32,
    /// How many of them came in.
    #[schema(value_type = i64, minimum = 0, maximum = 1000000)]
    quantity: u32,
    #[schema(schema_with = reasons)]
    reason: &'static str,
}

/// Why pieces of a guest's cart can have been left out.
const REASONS: [Refused; 6] = [
    Refused::OutOfStock { free: 0 },
    Refused::TooMany,
    Refused::Full,
    Refused::UnknownProduct,
    Refused::UnknownSku,
    Refused::SkuRequired,
];

fn reasons() -> utoipa::openapi::schema::Object {
    one_of(REASONS.map(reason))
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
