//! How often somebody may ask.
//!
//! Each request belongs to a [`Class`], each class has a quota, and each client uses up its own. Where that is
//! kept is a [`Table`]: the shared key-value store ([`slots`]) or a Redis ([`script`]). When the table gives no
//! answer nobody is limited: a shop must sell also while its Redis is down.

pub mod gcra;
pub mod script;
pub mod slots;

use kernel::UserId;
use web::{Code, IdentityKey, Method, Problem};

use crate::client::Client;
use crate::headers::Headers;
use crate::routes::{Own, own};
use gcra::{Quota, Taken};

/// So many times a minute an address may ask whether the shop is ready. It is no setting: all probes of a node come from one
/// address, and a shop that was set to a small limit for people would tell its own pods that they are not ready.
const READY_PER_MINUTE: u32 = 1_200;

/// What is counted apart from everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What makes or checks a password, by address.
    Login,
    /// What has the key of the internal routes, by address, so that it can't be guessed.
    Internal,
    /// Readiness, by address: it asks every component, and must answer when nothing else does any more.
    Ready,
    /// Everything else, by user or else by address.
    General,
    /// Passwords made and checked for everybody together: what one costs, orders can't have.
    Passwords,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Login,
        Self::Internal,
        Self::Ready,
        Self::General,
        Self::Passwords,
    ];

    /// Its name in headers and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Internal => "internal",
            Self::Ready => "ready",
            Self::General => "general",
            Self::Passwords => "passwords",
        }
    }

    /// The class of a request to a canonical path.
    pub fn of(method: Method, path: &str) -> Self {
        match (method, path) {
            (Method::Post, "/auth/login" | "/users" | "/users/me/password") => Self::Login,
            (_, path) if own(path) == Some(Own::Ready) => Self::Ready,
            _ if crate::routes::is_internal(path) => Self::Internal,
            _ => Self::General,
        }
    }
}

/// The quota of each class but readiness, which has one that is not set; none where it is turned off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Of [`Class::General`].
    pub general: Option<Quota>,
    /// Of [`Class::Login`].
    pub login: Option<Quota>,
    /// Of [`Class::Internal`].
    pub internal: Option<Quota>,
    /// Of [`Class::Passwords`].
    pub passwords: Option<Quota>,
}

impl Quotas {
    fn of(&self, class: Class) -> Option<Quota> {
        match class {
            Class::Login => self.login,
            Class::Internal => self.internal,
            Class::Ready => Quota::per_minute(READY_PER_MINUTE),
            Class::General => self.general,
            Class::Passwords => self.passwords,
        }
    }
}

/// A class and a client in 128 bits that only the shop can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    low: u64,
    high: u64,
}

impl Fingerprint {
    pub(crate) const fn from_halves(low: u64, high: u64) -> Self {
        Self { low, high }
    }

    fn of(key: &IdentityKey, class: Class, who: &str) -> Self {
        let digest = key.digest("limit", &format!("{}/{who}", class.name()));
        let half = |from: usize| {
            let mut half = [0; 8];
            half.copy_from_slice(&digest[from..from + 8]);
            u64::from_le_bytes(half)
        };
        Self::from_halves(half(0), half(8))
    }

    const fn low(self) -> u64 {
        self.low
    }

    const fn high(self) -> u64 {
        self.high
    }
}

/// Where it is kept what each client has used up.
pub trait Table {
    /// Takes one request of a client, and counts it if it is refused.
    fn take(&self, client: Fingerprint, class: Class, quota: Quota) -> Result<Taken, String>;

    /// How many requests of a class were refused, ever.
    fn refused(&self, class: Class) -> Result<i64, String>;
}

/// The limits as a request meets them.
pub struct Limiter<'a> {
    /// How much everybody has.
    pub quotas: &'a Quotas,
    /// How much everybody has used up.
    pub table: &'a dyn Table,
    /// What fingerprints are made with.
    pub key: &'a IdentityKey,
}

impl Limiter<'_> {
    /// Takes one request. What its answer must say about the limit goes into `headers` either way.
    pub fn admit(
        &self,
        class: Class,
        user: Option<UserId>,
        client: Client,
        headers: &mut Headers,
    ) -> Result<(), Problem> {
        let who = match (class, user) {
            (Class::General, Some(user)) => format!("user {user}"),
            _ => format!("client {client:?}"),
        };
        let Some((quota, taken)) = self.take(class, &who) else {
            return Ok(());
        };
        headers.extend(said(class, quota, taken));
        if taken.admitted {
            return Ok(());
        }
        Err(
            Problem::new(Code::TooManyRequests, "slow down, and try again later")
                .header("retry-after", seconds(quota.wait_us(taken)).to_string()),
        )
    }

    /// Takes one password to be made or checked out of what the whole shop has. Asked for last, so that who is
    /// refused for another reason takes none away.
    pub fn admit_password(&self) -> Result<(), Problem> {
        match self.take(Class::Passwords, "everybody") {
            Some((quota, taken)) if !taken.admitted => Err(Problem::new(
                Code::Unavailable,
                "too many people are logging in; please try again in a moment",
            )
            .header("retry-after", seconds(quota.wait_us(taken)).to_string())),
            _ => Ok(()),
        }
    }

    /// None when there is no limit, or nobody knows.
    fn take(&self, class: Class, who: &str) -> Option<(Quota, Taken)> {
        let quota = self.quotas.of(class)?;
        let client = Fingerprint::of(self.key, class, who);
        match self.table.take(client, class, quota) {
            Ok(taken) => Some((quota, taken)),
            Err(story) => {
                web::log::warn(
                    "gateway.limit",
                    &format!("{} is not limited: {story}", class.name()),
                );
                None
            }
        }
    }
}

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers, structured fields). `t` says when
/// the whole quota is there again or, when nothing is left, when the next request is admitted, as `Retry-After`.
fn said(class: Class, quota: Quota, taken: Taken) -> Headers {
    let (name, allowed) = (class.name(), quota.requests_per_minute());
    let remaining = quota.remaining(taken);
    let until = match remaining {
        0 => quota.wait_us(taken),
        _ => taken.ahead_us,
    };
    let until = seconds(until);
    [
        ("ratelimit-policy", format!("\"{name}\";q={allowed};w=60")),
        ("ratelimit", format!("\"{name}\";r={remaining};t={until}")),
    ]
    .map(|(name, value)| (name.to_owned(), value.into_bytes()))
    .into()
}

/// Whole seconds, rounded up.
fn seconds(us: i64) -> i64 {
    us.div_euclid(1_000_000) + i64::from(us % 1_000_000 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_class_and_no_other_way_to_write_it() {
        let check = |method, path: &str, expected| assert_eq!(Class::of(method, path), expected, "{path}");
        for path in ["/auth/login", "/users", "/users/me/password"] {
            check(Method::Post, path, Class::Login);
            check(Method::Get, path, Class::General);
            check(Method::Post, &format!("{path}/"), Class::General);
        }
        for path in [
            "/internal",
            "/internal/jobs/run",
            "/internal/metrics",
            "/internal/x",
        ] {
            check(Method::Post, path, Class::Internal);
            check(Method::Get, path, Class::Internal);
        }
        check(Method::Get, "/health/ready", Class::Ready);
        for path in ["/auth/refresh", "/orders", "/", "/internals", "/openapi.json"] {
            check(Method::Post, path, Class::General);
        }
    }

    #[test]
    fn classes_and_clients_have_fingerprints_of_their_own() {
        let key = |text: &str| IdentityKey::from_base64(text).unwrap();
        let ours = key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let others = key("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let all = [
            Fingerprint::of(&ours, Class::Login, "client A"),
            Fingerprint::of(&ours, Class::General, "client A"),
            Fingerprint::of(&ours, Class::General, "client B"),
            Fingerprint::of(&ours, Class::General, "user A"),
            Fingerprint::of(&others, Class::General, "user A"),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(
                all[..at]
                    .iter()
                    .all(|other| other.low != one.low && other.high != one.high)
            );
        }
        assert_eq!(all[0], Fingerprint::of(&ours, Class::Login, "client A"));
    }

    #[test]
    fn what_is_said_is_rounded_so_that_waiting_is_enough() {
        let text = |taken| {
            let headers = said(Class::General, Quota::per_minute(120).unwrap(), taken);
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
                .collect::<Vec<_>>()
        };
        let taken = |admitted, ahead_us| Taken { admitted, ahead_us };
        assert_eq!(
            text(taken(true, 500_000)),
            [
                "ratelimit-policy: \"general\";q=120;w=60",
                "ratelimit: \"general\";r=119;t=1"
            ]
        );
        assert_eq!(
            text(taken(true, 59_400_001))[1],
            "ratelimit: \"general\";r=1;t=60"
        );
        assert_eq!(text(taken(true, 60_000_000))[1], "ratelimit: \"general\";r=0;t=1");
        assert_eq!(
            text(taken(false, 59_500_001))[1],
            "ratelimit: \"general\";r=0;t=1"
        );
    }
}
