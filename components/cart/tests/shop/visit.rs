//! A customer's browser, from request to reply.

use std::path::PathBuf;
use store_suite::database;

use cart::app::Offers;
use cart::http::handle;
use cart::store::{MIGRATIONS, Store};
use tempfile::TempDir;
use web::{IDENTITY_HEADER, Identity, IdentityKey, Method, Request, Response, Role};

use super::{NOW, Shop, user};

pub(crate) fn key() -> IdentityKey {
    IdentityKey::from_base64("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap()
}

/// A request of customer 42.
pub(crate) fn ask(method: Method, target: &str) -> Request {
    let identity = Identity {
        user: user(42),
        role: Role::User,
    };
    Request::new(method, target).with_header(IDENTITY_HEADER, key().sign(identity, NOW))
}

pub(crate) fn send(method: Method, target: &str, body: &str) -> Request {
    let request = ask(method, target).with_header("content-type", "application/json");
    request.with_body(body)
}

pub(crate) fn post(body: &str) -> Request {
    send(Method::Post, "/cart/items", body)
}

/// A merge of a guest's cart.
pub(crate) fn merge(key: &str, body: &str) -> Request {
    send(Method::Post, "/cart/merge", body).with_header("idempotency-key", key)
}

pub(crate) fn patch(id: &str, body: &str) -> Request {
    send(Method::Patch, &format!("/cart/items/{id}"), body)
}

/// A customer's browser, and what was said in it.
pub(crate) struct Visit {
    folder: TempDir,
    pub(crate) story: String,
}

impl Visit {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            story: String::new(),
        }
    }

    /// Where the carts are.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("cart.db")
    }

    pub(crate) fn answer(&self, request: &Request, offers: &impl Offers) -> Response {
        handle(request, &key(), offers, NOW, || {
            database::open(&self.path(), MIGRATIONS).map(Store::new)
        })
    }

    /// Asks and notes the status and the body, or of a problem its code and detail.
    pub(crate) fn see(&mut self, what: &str, request: &Request) {
        let response = self.answer(request, &Shop);
        self.note(what, &response);
    }

    pub(crate) fn note(&mut self, what: &str, response: &Response) {
        let mut said = String::from_utf8(response.body().to_vec()).unwrap();
        if response.status() >= 400 {
            let body: serde_json::Value = serde_json::from_str(&said).unwrap();
            said = format!("{} {}", body["error"], body["detail"]);
        }
        let line = format!("{what}: {} {said}", response.status());
        self.story += line.trim_end();
        self.story += "\n";
    }
}
