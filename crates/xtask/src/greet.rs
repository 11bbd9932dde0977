//! What a newcomer sees once the shop serves: where it is, what it sells, what to try.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

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

/// One request without a client library; HTTP/1.0 keeps the answer free of chunks.
fn get(address: &str, path: &str) -> Result<String> {
    let resolved = address
        .to_socket_addrs()?
        .next()
        .context("the address leads nowhere")?;
    let mut stream = TcpStream::connect_timeout(&resolved, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("the answer has no end of its head")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        bail!("{path} answered {status}");
    }
    Ok(body.to_owned())
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
