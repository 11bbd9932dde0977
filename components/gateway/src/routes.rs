//! Which path belongs to which component, and who may use it.

use web::{DOCUMENT_PATH, Method, Route};

use crate::metrics;

/// A component behind the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// Accounts.
    Account,
    /// Products.
    Product,
    /// Stock.
    Stock,
    /// Orders.
    Order,
    /// Payments.
    Payment,
    /// Carts.
    Cart,
    /// Settlements.
    Settlement,
    /// Jobs.
    Outbox,
    /// The page of the API's documentation.
    ApiDocs,
}

/// Who may use a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Whoever is logged in.
    User,
    /// Whoever runs the shop.
    Admin,
}

/// What the door answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// That the shop runs.
    Alive,
    /// How the components are.
    Ready,
    /// The API's document.
    Document,
    /// What was counted.
    Metrics,
    /// What can go wrong.
    Problems,
}

const fn own_route(pattern: &'static str, endpoint: Own) -> Route<Own> {
    Route {
        method: Method::Get,
        pattern,
        endpoint,
    }
}

/// Every path that is answered here; nothing else is.
pub const OWN: &[Route<Own>] = &[
    own_route("/health/live", Own::Alive),
    own_route("/health/ready", Own::Ready),
    own_route(DOCUMENT_PATH, Own::Document),
    own_route(metrics::PATH, Own::Metrics),
    own_route("/problems", Own::Problems),
    own_route("/problems/{name}", Own::Problems),
];

/// What is for operators and their machines, who have a key of its own.
const INTERNAL: &str = "/internal";

/// Each path with everything below it; the longest that fits is meant.
const ROUTES: &[(&str, Upstream)] = &[
    ("/users", Upstream::Account),
    ("/auth", Upstream::Account),
    ("/products", Upstream::Product),
    ("/orders", Upstream::Order),
    ("/payments", Upstream::Payment),
    ("/payments/confirm", Upstream::Order),
    ("/payments/webhook", Upstream::Order),
    ("/cart", Upstream::Cart),
    ("/settlements", Upstream::Settlement),
    ("/admin/stock", Upstream::Stock),
    ("/admin/orders", Upstream::Order),
    ("/admin/payments", Upstream::Payment),
    ("/admin/settlements", Upstream::Settlement),
    ("/admin/users", Upstream::Account),
    (INTERNAL, Upstream::Outbox),
    ("/internal/admins", Upstream::Account),
    ("/api-docs", Upstream::ApiDocs),
];

/// Each path with everything below it, whether or not a component has it already.
const GUARDED: &[(&str, Access)] = &[
    ("/admin", Access::Admin),
    ("/orders", Access::User),
    ("/cart", Access::User),
    ("/users/me", Access::User),
    ("/payments", Access::User),
    // The payment gateway has no token; what it says is only a hint.
    ("/payments/webhook", Access::Open),
    ("/points", Access::User),
    ("/coupons", Access::User),
    ("/shipping", Access::User),
];

/// What is answered unless [`PRODUCES`] says otherwise.
const JSON: &[&str] = &["application/json"];

/// Each path with everything below it that has other media types than JSON, the preferred one first.
const PRODUCES: &[(&str, &[&str])] = &[
    (
        "/api-docs",
        &[
            "text/html",
            "text/css",
            "text/javascript",
            "text/plain",
            "image/png",
        ],
    ),
    ("/problems", &["text/html", "application/json"]),
];

impl Upstream {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Account,
        Self::Product,
        Self::Stock,
        Self::Order,
        Self::Payment,
        Self::Cart,
        Self::Settlement,
        Self::Outbox,
        Self::ApiDocs,
    ];

    /// Those that count something of their business ([`web::figures`]).
    pub const COUNTING: [Self; 3] = [Self::Order, Self::Payment, Self::Settlement];

    /// Its name in the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Product => "product",
            Self::Stock => "stock",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Cart => "cart",
            Self::Settlement => "settlement",
            Self::Outbox => "outbox",
            Self::ApiDocs => "api-docs",
        }
    }

    /// Where service chaining finds it.
    pub fn authority(self) -> String {
        format!("{}.spin.internal", self.name())
    }

    /// Whether nothing can be sold without it. What comes after the sale, and what explains it, may wait.
    pub const fn is_needed_to_sell(self) -> bool {
        match self {
            Self::Account | Self::Product | Self::Stock | Self::Order | Self::Payment | Self::Cart => true,
            Self::Settlement | Self::Outbox | Self::ApiDocs => false,
        }
    }

    /// A cheap question that goes through its database or its identity check, for readiness: any answer
    /// below 500 will do.
    pub const fn probe(self) -> &'static str {
        match self {
            Self::Account => "/users/me",
            Self::Product => "/products?limit=1",
            Self::Stock => "/admin/stock",
            Self::Order => "/orders/me",
            Self::Payment => "/payments/1",
            Self::Cart => "/cart",
            Self::Settlement => "/settlements/daily?limit=1",
            Self::Outbox => "/internal/jobs/run",
            Self::ApiDocs => "/api-docs",
        }
    }
}

/// The component that has this canonical path.
pub fn upstream(path: &str) -> Option<Upstream> {
    lookup(ROUTES, path)
}

/// What is answered here on this canonical path, if anything is.
pub fn own(path: &str) -> Option<Own> {
    let fits = |pattern: &str| {
        let segments = || pattern.split('/').zip(path.split('/'));
        pattern.split('/').count() == path.split('/').count()
            && segments()
                .all(|(wanted, given)| wanted == given || wanted.starts_with('{') && !given.is_empty())
    };
    let found = OWN.iter().find(|route| fits(route.pattern));
    found.map(|route| route.endpoint)
}

/// Who may use this canonical path.
pub fn access(path: &str) -> Access {
    lookup(GUARDED, path).unwrap_or(Access::Open)
}

/// The media types that this canonical path answers in.
pub fn produces(path: &str) -> &'static [&'static str] {
    lookup(PRODUCES, path).unwrap_or(JSON)
}

/// Whether this canonical path is for those who have the key of the internal routes.
pub fn is_internal(path: &str) -> bool {
    covers(INTERNAL, path)
}

fn lookup<T: Copy>(table: &[(&str, T)], path: &str) -> Option<T> {
    let fitting = table.iter().filter(|(prefix, _)| covers(prefix, path));
    fitting
        .max_by_key(|(prefix, _)| prefix.len())
        .map(|(_, value)| *value)
}

/// Whether `path` is `prefix` or lies below it; `/ordersx` does not lie below `/orders`.
fn covers(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_is_hidden_by_another_and_all_upstreams_are_reached() {
        for (path, expected) in ROUTES {
            assert_eq!(upstream(path), Some(*expected), "{path}");
            assert_eq!(upstream(&format!("{path}/x")), Some(*expected), "{path}");
            assert_ne!(upstream(&format!("{path}x/y")), Some(*expected), "{path}");
        }
        for wanted in Upstream::ALL {
            assert!(ROUTES.iter().any(|(_, found)| *found == wanted), "{wanted:?}");
            let probe = wanted.probe().split('?').next().unwrap();
            assert_eq!(upstream(probe), Some(wanted), "the probe is a path of its own");
        }
    }

    #[test]
    fn everything_is_json_but_what_says_otherwise() {
        for path in ["/products", "/orders/1", "/internal/jobs/run", "/problemsx", "/"] {
            assert_eq!(produces(path), ["application/json"], "{path}");
        }
        assert_eq!(produces("/problems/conflict"), ["text/html", "application/json"]);
    }

    #[test]
    fn what_is_answered_here_is_found_and_nothing_beside_it() {
        assert_eq!(own("/health/live"), Some(Own::Alive));
        assert_eq!(own("/problems/conflict"), Some(Own::Problems));
        for path in [
            "/",
            "/health",
            "/health/live/",
            "/problems/",
            "/problems/a/b",
            "/openapi.jsonx",
        ] {
            assert_eq!(own(path), None, "{path}");
        }
    }

    #[test]
    fn every_table_is_free_of_doubles_and_canonical() {
        for table in [
            ROUTES.iter().map(|(path, _)| *path).collect::<Vec<_>>(),
            GUARDED.iter().map(|(path, _)| *path).collect(),
            PRODUCES.iter().map(|(path, _)| *path).collect(),
        ] {
            for (place, path) in table.iter().enumerate() {
                assert!(
                    crate::path::canonical(path).is_ok() && !path.ends_with('/'),
                    "{path}"
                );
                assert!(!table[..place].contains(path), "{path}");
            }
        }
    }
}
