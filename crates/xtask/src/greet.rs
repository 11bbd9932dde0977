//! What a newcomer sees once the shop serves: where it is, what it sells, what to try.

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::http;

/// A first start compiles the components; after this long something else is wrong, and the host says what.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until the shop at `address`, run by `process`, lists its products, and prints them.
pub(crate) fn greet(address: &str, process: u32) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE && Path::new("/proc").join(process.to_string()).exists() {
        if let Ok(body) = get(address, "/products") {
            std::io::stdout().write_all(greeting(address, &body)?.as_bytes())?;
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn greeting(address: &str, body: &str) -> Result<String> {
    let products: Vec<Value> = serde_json::from_str(body).context("the list of products is not JSON")?;
    let mut text = format!("\nBodega serves at http://{address}\n\n");
    for product in &products {
        let shown = |name: &str| match &product[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let (id, name, price) = (shown("id"), shown("name"), shown("price"));
        text += &format!(
            "  {id:>4}  {name}  {price} KRW  {} in stock\n",
            shown("stockQuantity")
        );
    }
    text += &format!("\nTry:\n  curl -s http://{address}/products/1\n\n");
    Ok(text)
}

fn get(address: &str, path: &str) -> Result<String> {
    let answer = http::get(address, path)?;
    if answer.status != 200 {
        bail!("{path} answered {}", answer.status);
    }
    Ok(answer.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_names_the_place_the_products_and_one_thing_to_try() {
        let body = r#"[{"id":1,"name":"테스트 상품 A","category":"전자","price":10000,"stockQuantity":100}]"#;
        let text = greeting("127.0.0.1:3000", body).unwrap();
        assert_eq!(
            text,
            "\nBodega serves at http://127.0.0.1:3000\n\n     1  테스트 상품 A  10000 KRW  100 in stock\n\n\
             Try:\n  curl -s http://127.0.0.1:3000/products/1\n\n"
        );
        assert!(greeting("127.0.0.1:3000", "<html>").is_err());
    }
}
