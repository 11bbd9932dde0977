//! [`Products`] in SQL. The statements are in `sql/`, each with what its outcomes mean.

use ::store::{Db, DbError, Migration, Row, RowError, Value, like_containing, params};
use kernel::{Currency, Money, ProductId, SkuId};

use crate::app::Products;
use crate::domain::{Detail, Filter, HOUSE, Item, Offer, Position, Product, Sort, SortBy};

/// The schema, step by step.
pub const MIGRATIONS: &[Migration] = ::store::migrations![
    "0001_create_category",
    "0002_create_product",
    "0003_create_sku",
    "0004_seed_products",
    "0005_create_product_seller",
];

/// The products of one database.
pub struct Store {
    db: Db,
}

impl Store {
    /// Takes a database that was opened with [`MIGRATIONS`].
    pub const fn new(db: Db) -> Self {
        Self { db }
    }
}

impl Products for Store {
    fn list(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<&Position>,
        count: u32,
    ) -> Result<Vec<Product>, DbError> {
        let mut params = vec![
            filter
                .name
                .as_ref()
                .map(|name| like_containing(name.folded()))
                .into(),
            filter.category.clone().into(),
            filter.price.min().into(),
            filter.price.max().into(),
            count.into(),
        ];
        params.extend(after.map(key).unwrap_or_default());
        let rows = self.db.read(&list_statement(sort, after.is_some()), &params)?;
        rows.iter()
            .map(|row| product(row).map_err(DbError::Row))
            .collect()
    }

    fn skus(&self, products: &[ProductId]) -> Result<Vec<(ProductId, SkuId)>, DbError> {
        let params: Vec<Value> = products.iter().map(|&id| id.into()).collect();
        let statement = include_str!("sql/skus.sql").replace("{products}", &places(1, params.len()));
        let rows = self.db.read(&statement, &params)?;
        let pair = |row: &Row| Ok((row.get("product_id")?, row.get("sku_id")?));
        rows.iter().map(|row| pair(row).map_err(DbError::Row)).collect()
    }

    fn find(&self, id: ProductId) -> Result<Option<Detail>, DbError> {
        let rows = self.db.read(include_str!("sql/find.sql"), params![id])?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let skus: Result<Vec<Option<SkuId>>, RowError> = rows.iter().map(|row| row.get("sku_id")).collect();
        Ok(Some(Detail {
            product: product(first)?,
            skus: skus?.into_iter().flatten().collect(),
        }))
    }

    fn offers(&self, items: &[Item]) -> Result<Vec<Offer>, DbError> {
        let mut params: Vec<Value> = items.iter().filter_map(|&item| sku_of(item)).collect();
        let named_skus = params.len();
        params.extend(items.iter().filter_map(|&item| product_of(item)));
        let statement = include_str!("sql/offers.sql")
            .replace("{skus}", &places(1, named_skus))
            .replace("{products}", &places(1 + named_skus, params.len() - named_skus));
        let rows = self.db.read(&statement, &params)?;
        rows.iter().map(|row| offer(row).map_err(DbError::Row)).collect()
    }
}

fn sku_of(item: Item) -> Option<Value> {
    match item {
        Item::Sku(sku) => Some(sku.into()),
        Item::Product(_) | Item::Nothing => None,
    }
}

fn product_of(item: Item) -> Option<Value> {
    match item {
        Item::Product(product) => Some(product.into()),
        Item::Sku(_) | Item::Nothing => None,
    }
}

/// `count` parameters beginning with `?first`, behind a number that is nobody's id, so that a list is
/// never empty, which not every database allows.
fn places(first: usize, count: usize) -> String {
    let places = (first..first + count).map(|place| format!(", ?{place}"));
    format!("0{}", places.collect::<String>())
}

/// The list in this order, from the beginning or behind the position in `?6` and, where it has two parts, `?7`.
fn list_statement(sort: Sort, has_position: bool) -> String {
    let (columns, position): (&[&str], &str) = match sort.by {
        SortBy::Id => (&["product.product_id"], "(?6)"),
        SortBy::Price => (&["product.price_minor", "product.product_id"], "(?6, ?7)"),
        SortBy::Name => (&["product.name_folded", "product.product_id"], "(?6, ?7)"),
    };
    let (direction, comparison) = if sort.descending {
        (" desc", "<")
    } else {
        ("", ">")
    };
    let order: Vec<String> = columns
        .iter()
        .map(|column| format!("{column}{direction}"))
        .collect();
    let behind = if has_position {
        format!("({}) {comparison} {position}", columns.join(", "))
    } else {
        "1 = 1".to_owned()
    };
    include_str!("sql/list.sql")
        .replace("{behind}", &behind)
        .replace("{order}", &order.join(", "))
}

fn key(position: &Position) -> Vec<Value> {
    match position {
        Position::Id(id) => vec![(*id).into()],
        Position::Price(minor, id) => vec![(*minor).into(), (*id).into()],
        Position::Name(name, id) => vec![name.clone().into(), (*id).into()],
    }
}

fn product(row: &Row) -> Result<Product, RowError> {
    let currency = row.parse("currency", Currency::parse)?;
    let price = Money::try_new(row.get("price_minor")?, currency);
    Ok(Product {
        id: row.get("product_id")?,
        name: row.get("name")?,
        category: row.get("category")?,
        price: price.map_err(|error| RowError::new("price_minor", error))?,
    })
}

fn offer(row: &Row) -> Result<Offer, RowError> {
    let seller: Option<String> = row.get("seller")?;
    Ok(Offer {
        sku: row.get("sku_id")?,
        product: product(row)?,
        seller: seller.unwrap_or_else(|| HOUSE.to_owned()),
    })
}
