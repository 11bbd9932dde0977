//! What clients ask.

use std::ops::Range;
use std::sync::Arc;

use ::tests::Client;
use serde_json::Value;

/// A request as it goes over the wire, with at most one number in it that is drawn anew each time.
#[derive(Clone)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    number: Option<(usize, Range<u32>)>,
    expected: u16,
}

/// Which request of several comes next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Turn {
    /// One after the other.
    Cycle,
    /// The first one in so many of a hundred cases, otherwise the second.
    Percent(u32),
}

/// What one client asks over and over.
#[derive(Clone)]
pub(crate) struct Ask {
    address: Arc<str>,
    requests: Vec<Request>,
    turn: Turn,
    next: usize,
}

/// Stands in a path or a body where the number goes; as long as the numbers are.
pub(crate) const NUMBER: &str = "######";

impl Request {
    /// Reads a page.
    pub(crate) fn get(client: &Client, path: &str, expected: u16) -> Self {
        Self::new(client, "GET", path, "", expected)
    }

    /// Sends a JSON body.
    pub(crate) fn post(client: &Client, path: &str, body: &Value, expected: u16) -> Self {
        Self::new(client, "POST", path, &body.to_string(), expected)
    }

    /// Orders one piece of a product, by card.
    pub(crate) fn order(client: &Client, product: &str) -> Self {
        let body = format!(r#"{{"productId":{product},"quantity":1,"paymentMethod":"CARD"}}"#);
        Self::new(client, "POST", "/orders", &body, 201)
    }

    /// Puts one piece of a product into the cart.
    pub(crate) fn into_cart(client: &Client, product: &str) -> Self {
        let body = format!(r#"{{"productId":{product},"quantity":1}}"#);
        Self::new(client, "POST", "/cart/items", &body, 201)
    }

    /// Draws what stands for [`NUMBER`] from these, all of which have six digits.
    pub(crate) fn drawing(mut self, numbers: Range<u32>) -> Self {
        let mut places = self.bytes.windows(NUMBER.len());
        let place = places.position(|bytes| bytes == NUMBER.as_bytes());
        self.number = place.map(|place| (place, numbers));
        self
    }

    fn new(client: &Client, method: &str, path: &str, body: &str, expected: u16) -> Self {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", address(client));
        if let Some(token) = client.token() {
            text += &format!("authorization: Bearer {token}\r\n");
        }
        if method == "POST" {
            let length = body.len();
            text += &format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        }
        text += "\r\n";
        text += body;
        Self {
            bytes: text.into_bytes(),
            number: None,
            expected,
        }
    }

    /// What goes over the wire.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The status that is hoped for.
    pub(crate) fn expected(&self) -> u16 {
        self.expected
    }

    /// The request's first line.
    pub(crate) fn line(&self) -> String {
        let line = self.bytes.split(|byte| *byte == b'\r').next();
        String::from_utf8_lossy(line.unwrap_or_default()).into_owned()
    }

    /// Writes another number where one goes.
    pub(crate) fn draw(&mut self) {
        let Some((place, numbers)) = &self.number else {
            return;
        };
        let mut number = fastrand::u32(numbers.clone());
        for digit in self.bytes[*place..place + NUMBER.len()].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
}

impl Ask {
    /// The same again and again.
    pub(crate) fn one(client: &Client, request: Request) -> Self {
        Self::of(client, vec![request], Turn::Cycle)
    }

    /// Several in turn.
    pub(crate) fn of(client: &Client, requests: Vec<Request>, turn: Turn) -> Self {
        Self {
            address: address(client).into(),
            requests,
            turn,
            next: 0,
        }
    }

    /// Reads a page.
    pub(crate) fn get(client: &Client, path: &str, expected: u16) -> Self {
        Self::one(client, Request::get(client, path, expected))
    }

    /// Buys one piece of product 1.
    pub(crate) fn order(client: &Client) -> Self {
        Self::one(client, Request::order(client, "1"))
    }

    /// Where to.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Makes the next request ready, and says which it is.
    pub(crate) fn advance(&mut self) -> usize {
        let place = match self.turn {
            Turn::Cycle => self.next % self.requests.len(),
            Turn::Percent(first) => usize::from(fastrand::u32(0..100) >= first),
        };
        self.next = self.next.wrapping_add(1);
        self.requests[place].draw();
        place
    }

    /// The request at a place.
    pub(crate) fn request(&self, place: usize) -> &Request {
        &self.requests[place]
    }
}

fn address(client: &Client) -> String {
    client.url().trim_start_matches("http://").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_drawn_anew_and_keeps_the_announced_length_right() {
        let client = Client::at("http://127.0.0.1:1");
        let order = Request::order(&client, NUMBER).drawing(123_456..123_457);
        let mut ask = Ask::one(&client, order);
        ask.advance();
        let text = String::from_utf8(ask.request(0).bytes().to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            body,
            r#"{"productId":123456,"quantity":1,"paymentMethod":"CARD"}"#
        );
        assert!(
            head.contains(&format!("content-length: {}", body.len())),
            "{head}"
        );
        assert_eq!(ask.request(0).line(), "POST /orders HTTP/1.1");
    }

    #[test]
    fn requests_come_in_turn_or_by_their_share() {
        let client = Client::at("http://127.0.0.1:1");
        let pages = || ["/a", "/b"].map(|path| Request::get(&client, path, 200)).to_vec();
        let mut cycle = Ask::of(&client, pages(), Turn::Cycle);
        assert_eq!([0; 4].map(|_| cycle.advance()), [0, 1, 0, 1]);
        let mut shares = Ask::of(&client, pages(), Turn::Percent(90));
        let first = (0..10_000).filter(|_| shares.advance() == 0).count();
        assert!((8_700..9_300).contains(&first), "{first} of 10,000");
    }
}
