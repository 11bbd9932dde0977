//! The wire, the clock, chance and the database: only here.

#![expect(unsafe_code, reason = "what the SDK generates crosses the ABI")]

use kernel::{Instant, UserId};
use spin_sdk::{http, key_value};
use token::{Keys, mark};
use web::{InternalKey, Problem, Response, guest};

use crate::app::{App, Chance, MarkUnwritten, Marks};
use crate::domain::Argon2id;
use crate::store::{MIGRATIONS, SqlAccounts};

/// The database's label in the manifest.
const DATABASE: &str = "account";

/// What the API's document says about these pages.
const DOCUMENT: &str = include_str!("../openapi.json");

#[spin_sdk::http_component]
async fn handle(wire: http::Request) -> http::Response {
    let request = guest::request(wire);
    let method = request.method();
    guest::respond(method, answer(&request).into())
}

fn answer(request: &web::Request) -> Result<Response, Problem> {
    if let Some(document) = web::document(request, DOCUMENT) {
        return Ok(document);
    }
    if request.path() == mark::RECALL_PATH {
        return crate::http::recall(request, &SqlAccounts(open()?), &KeyValue, guest::now());
    }
    let (endpoint, path) = crate::http::route_of(request)?;
    let identities = guest::identity_key()?;
    let keys = guest::variable("jwt_keys")?;
    let keys = Keys::parse(&keys).map_err(|error| Problem::defect("account.jwt_keys", &error))?;
    let internal = InternalKey::new(&guest::variable("jobs_key")?);
    let app = App {
        accounts: &SqlAccounts(open()?),
        marks: &KeyValue,
        hashing: &Argon2id,
        keys: &keys,
        now: guest::now(),
        chance: chance()?,
    };
    crate::http::answer((endpoint, &path), request, &app, &identities, &internal)
}

fn open() -> Result<store::Db, Problem> {
    store::open(DATABASE, MIGRATIONS).map_err(|error| {
        if error.retryable() {
            Problem::unavailable()
        } else {
            Problem::defect("account.open", &error)
        }
    })
}

/// The key-value store `default`, which the gateway reads.
struct KeyValue;

impl Marks for KeyValue {
    fn kill(&self, user: UserId) -> Result<(), MarkUnwritten> {
        set(&mark::key(user), &mark::text(guest::now()))
    }

    fn restore(&self, user: UserId, until: Instant) -> Result<(), MarkUnwritten> {
        let key = mark::key(user);
        let known = key_value::Store::open_default().and_then(|store| store.get(&key));
        let known = known.map_err(|error| MarkUnwritten(error.to_string()))?;
        // One that can't be read is written anew.
        match known.and_then(|bytes| mark::parse(&bytes).ok()) {
            Some(known) if known >= until => Ok(()),
            _ => set(&key, &mark::text(until)),
        }
    }

    fn complete(&self) -> Result<(), MarkUnwritten> {
        set(mark::COMPLETE, "1")
    }
}

fn set(key: &str, text: &str) -> Result<(), MarkUnwritten> {
    key_value::Store::open_default()
        .and_then(|store| store.set(key, text.as_bytes()))
        .map_err(|error| MarkUnwritten(error.to_string()))
}

fn chance() -> Result<Chance, Problem> {
    Ok(Chance {
        salt: bytes()?,
        session: bytes()?,
        token: bytes()?,
        ids: [
            guest::random()?,
            guest::random()?,
            guest::random()?,
            guest::random()?,
        ],
    })
}

fn bytes() -> Result<[u8; 16], Problem> {
    let number = u128::from(guest::random()?) << 64 | u128::from(guest::random()?);
    Ok(number.to_le_bytes())
}
