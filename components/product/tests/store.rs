//! What the product store promises, over a real database.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod shop;

use ::store::{DbError, Migration, params};
use kernel::Money;
use product::app::{self, Products, QuoteError};
use product::domain::{Filter, HOUSE, Item, NamePart, Offer, PriceRange, QuoteRefused, Sort, fold};
use product::store::{MIGRATIONS, Store};
use shop::{NoStock, RealStock, add, db, product, seeded, sku, varied};
use store_suite::{database, shape};

store_suite::also_on_postgres!();

const BY_ID: Sort = Sort::ALL[0].1;

/// The ids that pass a filter, by id.
fn ids(store: &Store, filter: &Filter) -> Vec<u64> {
    let found = store.list(filter, BY_ID, None, 100).unwrap();
    found.iter().map(|product| product.id.get()).collect()
}

fn named(text: &str) -> Filter {
    Filter {
        name: Some(NamePart::try_new(text).unwrap()),
        ..Filter::default()
    }
}

fn priced(min: Option<i64>, max: Option<i64>) -> Filter {
    Filter {
        price: PriceRange::try_new(min, max).unwrap(),
        ..Filter::default()
    }
}

#[test]
fn a_name_is_found_by_any_part_in_any_case() {
    let store = varied();
    for (part, expected) in [
        ("", &[1u64, 2, 3, 5, 6, 7, 8, 9] as &[u64]),
        ("상품", &[1, 2, 3]),
        ("트 상품 a", &[1]),
        ("t-shirt", &[5]),
        ("COTTON", &[5]),
        ("STRASSE", &[7, 8, 9]),
        ("straße", &[7, 8, 9]),
        ("hidden", &[]),
        ("상품A", &[]),
    ] {
        assert_eq!(ids(&store, &named(part)), expected, "{part:?}");
    }
}

#[test]
fn wildcards_in_a_name_are_plain_characters() {
    let store = varied();
    for (part, expected) in [
        ("100%", &[5u64] as &[u64]),
        ("0% C", &[5]),
        ("%", &[5]),
        ("_", &[6]),
        ("under_", &[6]),
        ("r%s", &[]),
        ("under%score", &[]),
        ("\\", &[]),
        ("'", &[]),
    ] {
        assert_eq!(ids(&store, &named(part)), expected, "{part:?}");
    }
    let longest = "\\".repeat(100);
    assert!(ids(&store, &named(&longest)).is_empty());
}

#[test]
fn filters_combine_with_and() {
    let store = varied();
    assert_eq!(
        ids(&store, &priced(Some(10_000), Some(25_000))),
        [1, 2, 5, 7, 8, 9]
    );
    assert_eq!(ids(&store, &priced(Some(25_001), None)), [6]);
    assert_eq!(ids(&store, &priced(None, Some(9_999))), [3]);
    let category = |name: &str| Filter {
        category: Some(name.to_owned()),
        ..Filter::default()
    };
    assert_eq!(ids(&store, &category("생활")), [2]);
    assert!(ids(&store, &category("생")).is_empty());
    let all = Filter {
        category: Some("전자".to_owned()),
        ..named("상품")
    };
    assert_eq!(ids(&store, &all), [1]);
    let none = Filter {
        price: PriceRange::try_new(None, Some(9_999)).unwrap(),
        ..all
    };
    assert!(ids(&store, &none).is_empty());
}

#[test]
fn pages_of_every_order_and_size_join_to_the_whole_list() {
    let store = varied();
    for (name, sort) in Sort::ALL {
        let whole = store.list(&Filter::default(), sort, None, 100).unwrap();
        assert_eq!(whole.len(), 8);
        let in_order = whole.windows(2).all(|pair| {
            let key = |index: usize| match name.trim_start_matches('-') {
                "price" => (pair[index].price.minor(), String::new(), pair[index].id),
                "name" => (0, fold(&pair[index].name), pair[index].id),
                _ => (0, String::new(), pair[index].id),
            };
            if sort.descending {
                key(0) > key(1)
            } else {
                key(0) < key(1)
            }
        });
        assert!(in_order, "{name}: {whole:?}");
        for size in 1..=3 {
            let mut joined = Vec::new();
            loop {
                let after = joined.last().map(|product| sort.position(product));
                let page = store
                    .list(&Filter::default(), sort, after.as_ref(), size)
                    .unwrap();
                if page.is_empty() {
                    break;
                }
                joined.extend(page);
            }
            assert_eq!(joined, whole, "{name} by {size}");
        }
    }
}

#[test]
fn a_list_goes_along_an_index() {
    // The words are SQLite's.
    if database::is_postgres() {
        return;
    }
    let plan = |behind: &str, order: &str| {
        let statement = include_str!("../src/sql/list.sql")
            .replace("{behind}", behind)
            .replace("{order}", order);
        let nothing: Option<i64> = None;
        let params = params![nothing, nothing, nothing, nothing, 10i64, 1i64, 1i64];
        let rows = db()
            .read(&format!("explain query plan {statement}"), params)
            .unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail").unwrap()).collect();
        steps.join("\n")
    };
    let by_price = plan(
        "(product.price_minor, product.product_id) > (?6, ?7)",
        "product.price_minor, product.product_id",
    );
    expect_test::expect![[r#"
        SEARCH product USING INDEX product_by_price ((price_minor,product_id)>(?,?))
        SEARCH category USING INDEX sqlite_autoindex_category_1 (category_id=?)"#]]
    .assert_eq(&by_price);
    let by_name = plan(
        "(product.name_folded, product.product_id) < (?6, ?7)",
        "product.name_folded desc, product.product_id desc",
    );
    expect_test::expect![[r#"
        SEARCH product USING INDEX product_by_name ((name_folded,product_id)<(?,?))
        SEARCH category USING INDEX sqlite_autoindex_category_1 (category_id=?)"#]]
    .assert_eq(&by_name);
}

fn quote(store: &Store, items: &[Item]) -> Result<Vec<(u64, u64, i64)>, QuoteRefused> {
    match app::quote(store, items) {
        Err(QuoteError::Refused(refused)) => Err(refused),
        other => {
            let of = |offer: &Offer| {
                let product = &offer.product;
                (product.id.get(), offer.sku.get(), product.price.minor())
            };
            Ok(other.unwrap().iter().map(of).collect())
        }
    }
}

#[test]
fn quotes_follow_the_items_and_hide_what_is_not_for_sale() {
    let store = varied();
    let items = [
        Item::Sku(sku(3)),
        Item::Product(product(1)),
        Item::Sku(sku(52)),
        Item::Sku(sku(3)),
    ];
    let quoted = vec![(3, 3, 5_000), (1, 1, 10_000), (5, 52, 10_000), (3, 3, 5_000)];
    assert_eq!(quote(&store, &items), Ok(quoted));
    let refused = |item| quote(&store, &[Item::Product(product(1)), item]);
    assert_eq!(
        refused(Item::Product(product(5))),
        Err(QuoteRefused::SkuRequired(1))
    );
    for unknown in [
        Item::Product(product(4)),
        Item::Sku(sku(4)),
        Item::Product(product(6)),
        Item::Product(product(99)),
        Item::Sku(sku(99)),
        Item::Nothing,
    ] {
        assert_eq!(refused(unknown), Err(QuoteRefused::Unknown(1)), "{unknown:?}");
    }
    assert_eq!(quote(&store, &[]), Err(QuoteRefused::NoItem));
    assert_eq!(
        quote(&store, &[Item::Sku(sku(1)); 100]).map(|quotes| quotes.len()),
        Ok(100)
    );
    assert_eq!(
        quote(&store, &[Item::Sku(sku(1)); 101]),
        Err(QuoteRefused::TooMany)
    );
}

#[test]
fn a_quote_names_who_sells() {
    let db = db();
    add(&db, 4, "by the shop", 1, "ON_SALE", &[4]).unwrap();
    add(&db, 5, "by somebody", 1, "ON_SALE", &[51, 52]).unwrap();
    db.transaction(|tx| tx.execute("insert into product_seller values (5, '책방')", params![]))
        .unwrap();
    let items = [
        Item::Sku(sku(52)),
        Item::Product(product(1)),
        Item::Product(product(4)),
    ];
    let offers = app::quote(&Store::new(db), &items).unwrap();
    let sellers: Vec<_> = offers.iter().map(|offer| offer.seller.as_str()).collect();
    assert_eq!(sellers, ["책방", HOUSE, HOUSE]);
}

#[test]
fn every_seeded_product_is_sold_by_the_shop() {
    let rows = db()
        .read("select seller from product_seller order by product_id", params![])
        .unwrap();
    let sellers: Vec<String> = rows.iter().map(|row| row.get("seller").unwrap()).collect();
    assert_eq!(sellers, [HOUSE; 3]);
}

#[test]
fn a_hundred_products_are_shown_with_more_skus_than_one_answer_holds() {
    let db = db();
    for number in 4..=100 {
        add(
            &db,
            number,
            "many",
            1,
            "ON_SALE",
            &[1_000 + number, 2_000 + number],
        )
        .unwrap();
    }
    let stock = RealStock::with(&[(1_004, 3), (2_100, 4)]);
    let store = Store::new(db);
    let shown = app::list(&store, &stock, &Filter::default(), BY_ID, None, 100).unwrap();
    let quantity = |index: usize| shown[index].stock_quantity();
    assert_eq!(
        (shown.len(), quantity(0), quantity(3), quantity(98), quantity(99)),
        (100, 100, 3, 0, 4)
    );
}

#[test]
fn a_product_without_skus_needs_no_stock_of_its_own() {
    let stock = RealStock::new();
    let shown = app::show(&varied(), &stock, product(6)).unwrap().unwrap();
    assert_eq!((shown.stock_quantity(), shown.skus), (0, vec![]));
    assert!(app::show(&varied(), &stock, product(4)).unwrap().is_none());
    assert!(app::show(&varied(), &NoStock, product(1)).is_err());
}

#[test]
fn the_tables_themselves_refuse_what_cannot_be() {
    let refused = |statement: &str| match db()
        .transaction(|tx| tx.execute(statement, params![]))
        .unwrap_err()
    {
        DbError::Check(name) | DbError::Conflict(name) => name,
        other => format!("{other:?}"),
    };
    let seen = [
        refused("insert into category values (9, '전자')"),
        refused("insert into category values (1, 'x')"),
        refused("insert into product values (1, 'x', 'x', 1, 1, 'KRW', 'ON_SALE')"),
        refused("insert into product values (9, '', '', 1, 1, 'KRW', 'ON_SALE')"),
        refused("insert into product values (9, 'x', 'x', 1, 0, 'KRW', 'ON_SALE')"),
        refused("insert into product values (9, 'x', 'x', 1, 9007199254740992, 'KRW', 'ON_SALE')"),
        refused("insert into product values (9, 'x', 'x', 1, 1, 'USD', 'ON_SALE')"),
        refused("insert into product values (9, 'x', 'x', 1, 1, 'KRW', 'LOST')"),
        refused("insert into product values (9, 'x', 'x', 9, 1, 'KRW', 'ON_SALE')"),
        refused("insert into sku values (1, 1)"),
        refused("insert into sku values (9, 9)"),
        refused("insert into product_seller values (1, 'x')"),
        refused("insert into product_seller values (9, 'x')"),
        refused("update product_seller set seller = ''"),
    ];
    expect_test::expect![[r#"
        category.name
        category.category_id
        product.product_id
        product_name
        product_price
        product_price
        product_currency
        product_status
        ForeignKey
        sku.sku_id
        ForeignKey
        product_seller.product_id
        ForeignKey
        product_seller_name"#]]
    .assert_eq(&seen.join("\n"));
    assert!(add(&db(), 9, &"가".repeat(100), Money::MAX_MINOR, "ON_SALE", &[]).is_ok());
    assert!(add(&db(), 9, &"가".repeat(101), 1, "ON_SALE", &[]).is_err());
}

#[test]
fn every_stored_name_is_folded_as_the_program_folds() {
    let rows = db()
        .read("select name, name_folded from product", params![])
        .unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let name: String = row.get("name").unwrap();
        assert_eq!(row.get("name_folded"), Ok(fold(&name)));
    }
}

#[test]
fn a_database_migrated_step_by_step_equals_a_fresh_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("product.db");
    for count in 1..=MIGRATIONS.len() {
        drop(database::open(&path, &MIGRATIONS[..count]).unwrap());
    }
    let stepwise = database::open(&path, MIGRATIONS).unwrap();
    assert_eq!(shape(&stepwise), shape(&db()));
    assert_eq!(
        ids(&Store::new(stepwise), &Filter::default()),
        ids(&seeded(), &Filter::default())
    );
}

#[test]
fn the_last_migration_can_run_twice() {
    let last = MIGRATIONS.last().unwrap();
    let twice = Migration {
        number: last.number + 1,
        ..*last
    };
    let list: Vec<_> = MIGRATIONS.iter().copied().chain([twice]).collect();
    let store = Store::new(database::fresh(&list).unwrap());
    assert_eq!(ids(&store, &Filter::default()), [1, 2, 3]);
}
