//! The product pages: JSON and HTTP statuses on one side, use cases on the other. Open to everybody.

mod document;

use ::store::DbError;
use kernel::ProductId;
use serde::Serialize;
use utoipa::ToSchema;
use web::{Method, PageRequest, PathParams, Problem, Query, Request, Response, Route};

use crate::app::{self, Levels, LevelsError, Products, ShowError};
use crate::domain::{Filter, NamePart, Position, PriceRange, PriceRangeError, Sort, Stocked};

pub use document::document;

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// List products.
    List,
    /// Show one.
    Show,
}

/// Every route.
pub const ROUTES: &[Route<Endpoint>] = &[
    Route {
        method: Method::Get,
        pattern: "/products",
        endpoint: Endpoint::List,
    },
    Route {
        method: Method::Get,
        pattern: "/products/{id}",
        endpoint: Endpoint::Show,
    },
];

/// Everything `GET /products` understands.
const LIST_PARAMETERS: [&str; 7] = [
    "name", "category", "minPrice", "maxPrice", "sort", "limit", "cursor",
];

/// Answers a request. The store is opened only for requests that make sense.
pub fn handle<R: Products>(
    request: &Request,
    levels: &impl Levels,
    open: impl FnOnce() -> Result<R, DbError>,
) -> Response {
    let answer = || {
        let (endpoint, path) = web::find(ROUTES, request)?;
        match endpoint {
            Endpoint::List => list(request, levels, open),
            Endpoint::Show => show(request, &path, levels, open),
        }?
        // Prices and stock change at any moment, so that whoever keeps an answer asks before using it again.
        .header("cache-control", "no-cache")
        .conditional(request)
    };
    answer().into()
}

fn list<R: Products>(
    request: &Request,
    levels: &impl Levels,
    open: impl FnOnce() -> Result<R, DbError>,
) -> Result<Response, Problem> {
    let query = request.query()?;
    query.only(&LIST_PARAMETERS)?;
    let filter = filter(&query)?;
    let (sort_name, sort) = sort(&query)?;
    let wanted = PageRequest::parse(&query)?;
    let after = wanted
        .after
        .as_deref()
        .map(|cursor| position(cursor, sort_name).ok_or_else(foreign_cursor))
        .transpose()?;

    let store = open().map_err(ShowError::Store).map_err(problem)?;
    let found = app::list(&store, levels, &filter, sort, after.as_ref(), wanted.fetch()).map_err(problem)?;
    let page = wanted.page(found, |stocked| {
        cursor(&sort.position(&stocked.product), sort_name)
    });
    Ok(wanted.respond(request, &page.map(|stocked| ProductView::of(&stocked))))
}

fn show<R: Products>(
    request: &Request,
    path: &PathParams,
    levels: &impl Levels,
    open: impl FnOnce() -> Result<R, DbError>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let missing = || Problem::not_found("product");
    // A malformed id names nothing, like an id that was never given away.
    let id: ProductId = path.get("id").parse().map_err(|_| missing())?;
    let store = open().map_err(ShowError::Store).map_err(problem)?;
    let stocked = app::show(&store, levels, id)
        .map_err(problem)?
        .ok_or_else(missing)?;
    Ok(Response::json(200, &DetailView::of(&stocked)))
}

fn filter(query: &Query) -> Result<Filter, Problem> {
    let name = query.get("name").map(NamePart::try_new).transpose();
    let price = PriceRange::try_new(query.whole("minPrice")?, query.whole("maxPrice")?);
    Ok(Filter {
        name: name.map_err(|error| Problem::invalid_field("name", error))?,
        category: query.get("category").map(category).transpose()?,
        price: price.map_err(|error| Problem::invalid_field(price_field(error), error))?,
    })
}

/// A category's name is taken literally; only what can't be a name at all is refused.
fn category(text: &str) -> Result<String, Problem> {
    NamePart::try_new(text).map_err(|error| Problem::invalid_field("category", error))?;
    Ok(text.to_owned())
}

const fn price_field(error: PriceRangeError) -> &'static str {
    match error {
        PriceRangeError::Min | PriceRangeError::Empty => "minPrice",
        PriceRangeError::Max => "maxPrice",
    }
}

/// The order that was asked for, with the name it goes by.
fn sort(query: &Query) -> Result<(&'static str, Sort), Problem> {
    let wanted = query.get("sort").unwrap_or("id");
    let known = Sort::ALL.into_iter().find(|(name, _)| *name == wanted);
    known.ok_or_else(|| {
        let names = Sort::ALL.map(|(name, _)| name).join(", ");
        Problem::invalid_field("sort", format!("must be one of {names}"))
    })
}

/// `<sort>|<id>|<key>`: a cursor of one order means nothing in another.
fn cursor(position: &Position, sort_name: &str) -> String {
    match position {
        Position::Id(id) => format!("{sort_name}|{id}|"),
        Position::Price(minor, id) => format!("{sort_name}|{id}|{minor}"),
        Position::Name(name, id) => format!("{sort_name}|{id}|{name}"),
    }
}

fn position(cursor: &str, sort_name: &str) -> Option<Position> {
    let mut parts = cursor.splitn(3, '|');
    let (name, id, key) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    match name.trim_start_matches('-') {
        _ if name != sort_name => None,
        "price" => Some(Position::Price(key.parse().ok()?, id)),
        "name" => Some(Position::Name(key.to_owned(), id)),
        _ => Some(Position::Id(id)),
    }
}

fn foreign_cursor() -> Problem {
    Problem::invalid_field(
        "cursor",
        "is not one of ours for this sort; follow the Link header",
    )
}

/// What each way of not being able to show something is for the client.
fn problem(error: ShowError) -> Problem {
    match error {
        ShowError::Store(error) if error.retryable() => Problem::unavailable_because("product.http", &error),
        ShowError::Levels(LevelsError::Unavailable(story)) => {
            Problem::unavailable_because("product.http", &story)
        }
        ShowError::Levels(LevelsError::UnknownSku(_)) | ShowError::Store(_) => {
            Problem::defect("product.http", &error)
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Product)]
#[serde(rename_all = "camelCase")]
struct ProductView {
    id: u64,
    name: String,
    category: String,
    /// In won.
    price: i64,
    /// How many can be ordered now, all SKUs together.
    stock_quantity: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ProductDetail)]
#[serde(rename_all = "camelCase")]
struct DetailView {
    #[serde(flatten)]
    product: ProductView,
    #[schema(value_type = Vec<Object>, max_items = 0)]
    options: [(); 0],
    skus: Vec<SkuView>,
    #[schema(value_type = Vec<Object>, max_items = 0)]
    images: [(); 0],
}

#[derive(Serialize, ToSchema)]
#[schema(as = ProductSku)]
#[serde(rename_all = "camelCase")]
struct SkuView {
    id: u64,
    /// In won.
    price: i64,
    /// How many can be ordered now.
    stock_quantity: u32,
}

impl ProductView {
    fn of(stocked: &Stocked) -> Self {
        let product = &stocked.product;
        Self {
            id: product.id.get(),
            name: product.name.clone(),
            category: product.category.clone(),
            price: product.price.minor(),
            stock_quantity: stocked.stock_quantity(),
        }
    }
}

impl DetailView {
    fn of(stocked: &Stocked) -> Self {
        let price = stocked.product.price.minor();
        let sku = |&(id, free): &(kernel::SkuId, u32)| SkuView {
            id: id.get(),
            price,
            stock_quantity: free,
        };
        Self {
            product: ProductView::of(stocked),
            options: [],
            skus: stocked.skus.iter().map(sku).collect(),
            images: [],
        }
    }
}
