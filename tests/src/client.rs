//! Who asks a shop, and what it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The way to a shop's processes: each request goes to the next one of those that are open.
///
/// All clients of a shop share it, so they find a process that was started again.
#[derive(Debug, Default)]
pub(crate) struct Door {
    open: RwLock<Vec<(usize, String)>>,
    turn: AtomicUsize,
}

impl Door {
    /// Leads to the process in this place, `http://127.0.0.1:1234`, instead of to the one that was there.
    pub(crate) fn open(&self, place: usize, url: &str) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(other, _)| *other != place);
        open.push((place, url.to_owned()));
    }

    /// Leads there no more.
    pub(crate) fn close(&self, place: usize) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(other, _)| *other != place);
    }

    /// The process in this place.
    pub(crate) fn url(&self, place: usize) -> Option<String> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let found = open.iter().find(|(other, _)| *other == place);
        found.map(|(_, url)| url.clone())
    }

    /// Who gets the next request; empty when nobody does.
    fn next(&self) -> String {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let next = turn.checked_rem(open.len()).and_then(|place| open.get(place));
        next.map(|(_, url)| url.clone()).unwrap_or_default()
    }
}

/// What the shop answered.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The response's headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body; `null` when it is empty or not JSON.
    pub json: Value,
    /// The body as it came.
    pub text: String,
}

/// Somebody who talks to the shop, with or without a token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    door: Arc<Door>,
    token: Option<String>,
}

impl Client {
    /// Somebody who talks to the shop at this address, `http://127.0.0.1:1234`.
    pub fn at(url: &str) -> Self {
        let door = Door::default();
        door.open(0, url);
        Self::before(Arc::new(door))
    }

    /// Somebody before the door of a shop.
    pub(crate) fn before(door: Arc<Door>) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .build();
        Self {
            http: http.expect("a client without TLS can be built"),
            door,
            token: None,
        }
    }

    /// The same client with this access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The access token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Where the shop is: `http://127.0.0.1:1234`. Of several processes, the one whose turn it is.
    pub fn url(&self) -> String {
        self.door.next()
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Reply> {
        self.send(self.request(reqwest::Method::GET, path)).await
    }

    /// PATCH of a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send(self.request(reqwest::Method::PATCH, path).json(body))
            .await
    }

    /// POST of a JSON body under an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Result<Reply> {
        let request = self.request(reqwest::Method::POST, path).json(body);
        self.send(request.header("idempotency-key", key)).await
    }

    /// Starts a two-step order of so many pieces of one product; it waits for its payment.
    pub async fn reserve(&self, product: u64, quantity: u64) -> Result<Reply> {
        let body = json!({"productId": product, "quantity": quantity, "paymentMethod": "PG"});
        self.post("/orders", &body).await
    }

    /// Confirms a two-step order's payment.
    pub async fn confirm(&self, order: u64, key: &str, amount: i64) -> Result<Reply> {
        let body = json!({"paymentKey": key, "orderId": order, "amount": amount});
        self.post("/payments/confirm", &body).await
    }

    /// Cancels an order.
    pub async fn cancel(&self, order: u64) -> Result<Reply> {
        self.patch(&format!("/orders/{order}/cancel"), &json!({})).await
    }

    /// POST of a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send(self.request(reqwest::Method::POST, path).json(body))
            .await
    }

    /// A request to change before it is sent with [`Client::send`].
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.door.next()));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Reply> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Reply {
            status,
            headers,
            json,
            text,
        })
    }

    /// Orders so many pieces of one product, paid by card.
    pub async fn order(&self, product: u64, quantity: u64) -> Result<Reply> {
        let body = json!({"productId": product, "quantity": quantity, "paymentMethod": "CARD"});
        self.post("/orders", &body).await
    }

    /// How many pieces of a product its page says there are.
    pub async fn stock(&self, product: u64) -> Result<u64> {
        let page = self.get(&format!("/products/{product}")).await?;
        page.json["stockQuantity"]
            .as_u64()
            .with_context(|| format!("no stock on {page:?}"))
    }
}
