//! The shop of these tests: the routes over a database in memory, a store of marks and cheap hashes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use store_suite::database;

use account::app::{App, Chance, MarkUnwritten, Marks};
use account::domain::{DUMMY_HASH, HashError, Hashing, SALT_BYTES};
use account::http::{answer, route_of};
use account::store::{MIGRATIONS, SqlAccounts};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::{Instant, UserId};
use serde_json::{Value, json};
use store::{Db, params};
use token::Keys;
use web::{
    CREDENTIAL_HEADER, IDENTITY_HEADER, Identity, IdentityKey, InternalKey, Method, Request, Response, Role,
};

pub(crate) const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);

/// Counts instead of hashing: what takes time is how often it is called.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) hashed: Cell<u32>,
    pub(crate) verified: Cell<u32>,
}

impl Hashing for Counting {
    fn hash(&self, password: &str, _: [u8; SALT_BYTES]) -> Result<String, HashError> {
        self.hashed.set(self.hashed.get() + 1);
        Ok(format!("new:{password}"))
    }

    fn verify(&self, password: &str, hash: &str) -> Result<bool, HashError> {
        self.verified.set(self.verified.get() + 1);
        Ok(hash != DUMMY_HASH && hash.split_once(':').is_some_and(|(_, text)| text == password))
    }

    fn is_outdated(&self, hash: &str) -> bool {
        !hash.starts_with("new:")
    }
}

/// The marks, written by a clock that is a microsecond further every time; or by none, when it is broken.
pub(crate) struct Written {
    pub(crate) marks: RefCell<BTreeMap<UserId, Vec<Instant>>>,
    pub(crate) clock: Cell<Instant>,
    /// How many more are written before the store breaks.
    pub(crate) left: Cell<u32>,
    pub(crate) complete: Cell<bool>,
}

impl Marks for Written {
    fn kill(&self, user: UserId) -> Result<(), MarkUnwritten> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or(MarkUnwritten("it is gone".to_owned()))?);
        self.clock
            .set(Instant::from_micros(self.clock.get().micros() + 1));
        self.marks
            .borrow_mut()
            .entry(user)
            .or_default()
            .push(self.clock.get());
        Ok(())
    }

    fn restore(&self, user: UserId, until: Instant) -> Result<(), MarkUnwritten> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or(MarkUnwritten("it is gone".to_owned()))?);
        self.marks.borrow_mut().entry(user).or_default().push(until);
        Ok(())
    }

    fn complete(&self) -> Result<(), MarkUnwritten> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or(MarkUnwritten("it is gone".to_owned()))?);
        self.complete.set(true);
        Ok(())
    }
}

pub(crate) struct Shop {
    pub(crate) accounts: SqlAccounts,
    pub(crate) marks: Written,
    pub(crate) hashing: Counting,
    pub(crate) keys: Keys,
    pub(crate) identities: IdentityKey,
    pub(crate) now: Cell<Instant>,
    pub(crate) calls: Cell<u8>,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::over(database::fresh(MIGRATIONS).unwrap())
    }

    /// A shop with this database, which others may have open too.
    pub(crate) fn over(db: Db) -> Self {
        let key = STANDARD.encode([5; 32]);
        Self {
            accounts: SqlAccounts(db),
            marks: Written {
                marks: RefCell::default(),
                clock: Cell::new(NOW),
                left: Cell::new(u32::MAX),
                complete: Cell::new(false),
            },
            hashing: Counting::default(),
            keys: Keys::parse(&format!("k1:{key}")).unwrap(),
            identities: IdentityKey::from_base64(&key).unwrap(),
            now: Cell::new(NOW),
            calls: Cell::new(0),
        }
    }

    /// A shop with the user a@b.kr, password passw0rd, and the id it got.
    pub(crate) fn with_user() -> (Self, UserId) {
        let shop = Self::new();
        let response = shop.post(
            "/users",
            &json!({"email": "a@b.kr", "password": "passw0rd", "name": "김민수"}),
        );
        let id = body(&response)["id"].as_u64().unwrap();
        (shop, UserId::try_new(id).unwrap())
    }

    pub(crate) fn send(&self, request: &Request) -> Response {
        let call = self.calls.get() + 1;
        self.calls.set(call);
        let app = App {
            accounts: &self.accounts,
            marks: &self.marks,
            hashing: &self.hashing,
            keys: &self.keys,
            now: self.now.get(),
            chance: Chance {
                salt: [call; 16],
                session: [call; 16],
                token: [call; 16],
                ids: [u64::from(call), 1_001, 1_002, 1_003],
            },
        };
        route_of(request)
            .and_then(|(endpoint, path)| {
                answer(
                    (endpoint, &path),
                    request,
                    &app,
                    &self.identities,
                    &InternalKey::new("internal"),
                )
            })
            .into()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Response {
        self.send(&with_json(Request::new(Method::Post, path), body))
    }

    pub(crate) fn log_in(&self, email: &str, password: &str) -> Response {
        self.post("/auth/login", &json!({"email": email, "password": password}))
    }

    pub(crate) fn as_admin(&self, id: UserId, request: Request) -> Request {
        let identity = Identity {
            user: id,
            role: Role::Admin,
        };
        request.with_header(IDENTITY_HEADER, self.identities.sign(identity, self.now.get()))
    }

    /// What the operator is answered who makes an admin.
    pub(crate) fn appoint(&self, body: &Value) -> Response {
        let request = with_json(Request::new(Method::Post, "/internal/admins"), body);
        self.send(&request.with_header(CREDENTIAL_HEADER, "Bearer internal"))
    }

    /// A new account's id.
    pub(crate) fn add_user(&self, email: &str, name: &str) -> UserId {
        let sent = json!({"email": email, "password": "passw0rd", "name": name});
        id_in(&self.post("/users", &sent))
    }

    /// A new admin's id.
    pub(crate) fn add_admin(&self, email: &str) -> UserId {
        id_in(&self.appoint(&json!({"email": email, "password": "passw0rd", "name": "Admin"})))
    }

    /// When the user's access tokens were killed.
    pub(crate) fn kills(&self, id: UserId) -> Vec<Instant> {
        self.marks.marks.borrow().get(&id).cloned().unwrap_or_default()
    }

    pub(crate) fn as_user(&self, id: UserId, request: Request) -> Request {
        let identity = Identity {
            user: id,
            role: Role::User,
        };
        request.with_header(IDENTITY_HEADER, self.identities.sign(identity, self.now.get()))
    }

    pub(crate) fn set(&self, column: &str, value: &str) {
        let set = format!("update account set {column} = ?1");
        self.accounts
            .0
            .transaction(|tx| tx.execute(&set, params![value]))
            .unwrap();
    }
}

pub(crate) fn id_in(response: &Response) -> UserId {
    UserId::try_new(body(response)["id"].as_u64().unwrap()).unwrap()
}

pub(crate) fn with_json(request: Request, body: &Value) -> Request {
    request
        .with_header("content-type", "application/json")
        .with_body(body.to_string())
}

pub(crate) fn body(response: &Response) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

pub(crate) fn shown(response: &Response) -> String {
    let text = std::str::from_utf8(response.body()).unwrap();
    format!("{} {text}", response.status())
}
