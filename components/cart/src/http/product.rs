//! What the product component answers to `GET /products/{id}`, as far as a cart needs it.

use kernel::{ProductId, SkuId};
use serde::Deserialize;

use crate::app::OffersError;
use crate::domain::Offer;

#[derive(Deserialize)]
struct Product {
    skus: Vec<Sku>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sku {
    id: u64,
    stock_quantity: u32,
}

/// Where a product is found.
pub fn target(product: ProductId) -> String {
    format!("/products/{product}")
}

/// All SKUs of the product in an answer; none when there is no such product.
pub fn offers(status: u16, body: &[u8]) -> Result<Option<Vec<Offer>>, OffersError> {
    match status {
        200 => {}
        404 => return Ok(None),
        other => return Err(OffersError(format!("status {other}"))),
    }
    let product: Product = serde_json::from_slice(body).map_err(broken)?;
    let offer = |sku: Sku| {
        let free = sku.stock_quantity;
        SkuId::try_new(sku.id).map(|sku| Offer { sku, free })
    };
    let offers: Result<_, _> = product.skus.into_iter().map(offer).collect();
    offers.map(Some).map_err(broken)
}

fn broken(error: impl std::fmt::Display) -> OffersError {
    OffersError(format!("a product that can't be: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_offers_or_nothing_or_an_outage() {
        let read = |status, body: &str| offers(status, body.as_bytes());
        let shirt = r#"{"id":5,"name":"셔츠","category":"의류","price":10000,"stockQuantity":8,"options":[],"skus":[{"id":51,"price":10000,"stockQuantity":7},{"id":52,"price":10000,"stockQuantity":1}],"images":[]}"#;
        let offer = |number, free| Offer {
            sku: SkuId::try_new(number).unwrap(),
            free,
        };
        assert_eq!(read(200, shirt), Ok(Some(vec![offer(51, 7), offer(52, 1)])));
        assert_eq!(read(200, r#"{"skus":[]}"#), Ok(Some(vec![])));
        assert_eq!(read(404, "{}"), Ok(None));
        for (status, body) in [
            (503, "{}"),
            (500, shirt),
            (302, ""),
            (200, ""),
            (200, "[]"),
            (200, r#"{"skus":[{"id":0,"stockQuantity":1}]}"#),
            (200, r#"{"skus":[{"id":1,"stockQuantity":-1}]}"#),
        ] {
            assert!(read(status, body).is_err(), "{status} {body}");
        }
    }
}
