//! How often somebody may ask, and what the answers say about it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use gateway::client::Proxies;
use gateway::door::{Decided, Decision, Door, Head};
use gateway::limit::gcra::{Quota, Taken};
use gateway::limit::{Class, Fingerprint, Limiter, Quotas, Table};
use web::Method;

use crate::marks::Mark;
use crate::{NOW, admin, head, identity_key, keys, user};

pub(crate) const NO_LIMITS: Quotas = Quotas {
    general: None,
    login: None,
    internal: None,
    passwords: None,
};

/// What everybody has used up, in memory.
#[derive(Default)]
pub(crate) struct Used {
    tats: RefCell<BTreeMap<String, i64>>,
    gone: Cell<bool>,
}

impl Table for Used {
    fn take(&self, client: Fingerprint, class: Class, quota: Quota) -> Result<Taken, String> {
        if self.gone.get() {
            return Err("gone".to_owned());
        }
        let key = format!("{class:?} {client:?}");
        let mut tats = self.tats.borrow_mut();
        let (taken, next) = quota.take(tats.get(&key).copied(), NOW.micros());
        if let Some(next) = next {
            tats.insert(key, next);
        }
        Ok(taken)
    }

    fn refused(&self, _: Class) -> Result<i64, String> {
        Ok(0)
    }
}

fn quotas() -> Quotas {
    Quotas {
        general: Quota::per_minute(6),
        login: Quota::per_minute(3),
        internal: Quota::per_minute(4),
        passwords: Quota::per_minute(600).map(|quota| quota.with_burst(5)),
    }
}

fn ask(used: &Used, head: &Head) -> Decided {
    let key = identity_key();
    let door = Door {
        keys: &keys(1),
        marks: &Mark::None,
        identities: &key,
        proxies: &Proxies::parse("10.0.0.1").unwrap(),
        limiter: Limiter {
            quotas: &quotas(),
            table: used,
            key: &key,
        },
        now: NOW,
        request_id: 7,
        span_id: 10,
        origins: &gateway::cors::Origins::None,
    };
    door.decide(head)
}

/// The status of a request's answer, 200 when it goes on.
fn status(decided: &Decided) -> u16 {
    match &decided.decision {
        Decision::Answer(response) => response.status(),
        Decision::Forward(_) | Decision::Readiness | Decision::Metrics | Decision::Contract => 200,
    }
}

/// Asks until it is refused for its frequency; how often it was not.
fn admitted(used: &Used, head: &Head) -> usize {
    let refused = |_: &usize| matches!(status(&ask(used, head)), 429 | 503);
    (0..50).take_while(|at| !refused(at)).count()
}

fn from(address: &str, method: Method, target: &str, more: &[(&str, &str)]) -> Head {
    let mut headers = vec![("spin-client-addr", address)];
    headers.extend(more);
    head(method, target, &headers)
}

#[test]
fn a_client_has_its_own_quota_in_each_class() {
    let used = Used::default();
    let ask = |address, method, target| admitted(&used, &from(address, method, target, &[]));
    assert_eq!(ask("192.0.2.1:1", Method::Get, "/products"), 6);
    assert_eq!(
        ask("192.0.2.1:2", Method::Get, "/products/1"),
        0,
        "another port is no other client"
    );
    assert_eq!(ask("192.0.2.2:1", Method::Get, "/products"), 6);
    assert_eq!(ask("192.0.2.1:1", Method::Post, "/auth/login"), 3);
    assert_eq!(
        ask("192.0.2.1:1", Method::Post, "/users"),
        0,
        "sign-ups count with logins"
    );
    assert_eq!(ask("192.0.2.1:1", Method::Post, "/internal/jobs/run"), 4);
    assert_eq!(ask("192.0.2.1:1", Method::Get, "/internal/metrics"), 0);
    assert_eq!(ask("192.0.2.1:1", Method::Get, "/health/ready"), 50);
    assert_eq!(ask("192.0.2.1:1", Method::Get, "/health/live"), 50);
}

#[test]
fn every_pod_of_a_node_is_probed_whatever_the_limit_for_people_is() {
    let used = Used::default();
    let probe = from("10.1.0.1:1", Method::Get, "/health/ready", &[]);
    let passed = (0..1_300).filter(|_| status(&ask(&used, &probe)) == 200);
    assert_eq!(passed.count(), 1_200);
    let refused = ask(&used, &probe);
    assert_eq!(
        limit_headers(&refused),
        [
            "ratelimit-policy: \"ready\";q=1200;w=60",
            "ratelimit: \"ready\";r=0;t=1"
        ]
    );
    let alive = from("10.1.0.1:1", Method::Get, "/health/live", &[]);
    assert!((0..1_300).all(|_| status(&ask(&used, &alive)) == 200));
}

#[test]
fn a_user_has_one_quota_wherever_the_requests_come_from() {
    let used = Used::default();
    let token = user();
    let authorization = [("authorization", token.as_str())];
    let orders = |address| from(address, Method::Get, "/orders/me", &authorization);
    assert_eq!(admitted(&used, &orders("192.0.2.1:1")), 6);
    assert_eq!(admitted(&used, &orders("192.0.2.2:1")), 0);
    assert_eq!(
        admitted(&used, &from("192.0.2.1:1", Method::Get, "/products", &[])),
        6
    );
    // With a token or not, passwords are counted by address.
    let password = |address| from(address, Method::Post, "/users/me/password", &authorization);
    assert_eq!(admitted(&used, &password("192.0.2.1:1")), 3);
    assert_eq!(
        admitted(&used, &from("192.0.2.1:1", Method::Post, "/auth/login", &[])),
        0
    );
}

#[test]
fn refusals_count_as_requests() {
    let admin = admin();
    for (target, authorization, expected) in [
        ("/orders", "Bearer nonsense", 401),
        ("/orders", "", 401),
        ("/nowhere", "", 404),
        ("/products", "Bearer nonsense", 200),
        ("/admin/nothing", admin.as_str(), 404),
    ] {
        let used = Used::default();
        let head = from(
            "192.0.2.1:1",
            Method::Get,
            target,
            &[("authorization", authorization)],
        );
        for _ in 0..6 {
            assert_eq!(status(&ask(&used, &head)), expected, "{target}");
        }
        assert_eq!(status(&ask(&used, &head)), 429, "{target}");
    }
}

#[test]
fn a_forged_way_makes_no_other_client_but_a_trusted_one_does() {
    let used = Used::default();
    let way = |peer, client: &str| from(peer, Method::Get, "/products", &[("x-forwarded-for", client)]);
    assert_eq!(admitted(&used, &way("192.0.2.1:1", "198.51.100.1")), 6);
    assert_eq!(admitted(&used, &way("192.0.2.1:1", "198.51.100.2")), 0);
    assert_eq!(admitted(&used, &way("10.0.0.1:1", "198.51.100.1")), 6);
    assert_eq!(admitted(&used, &way("10.0.0.1:1", "198.51.100.2")), 6);
    assert_eq!(admitted(&used, &way("10.0.0.1:1", "6.6.6.6, 198.51.100.2")), 0);
}

fn limit_headers(decided: &Decided) -> Vec<String> {
    let line = |(name, value): &(String, Vec<u8>)| format!("{name}: {}", String::from_utf8_lossy(value));
    decided.limit.iter().map(line).collect()
}

#[test]
fn every_limited_answer_says_how_much_is_left() {
    let used = Used::default();
    let head = from("192.0.2.1:1", Method::Get, "/products", &[]);
    let first = ask(&used, &head);
    assert_eq!(
        limit_headers(&first),
        [
            "ratelimit-policy: \"general\";q=6;w=60",
            "ratelimit: \"general\";r=5;t=10"
        ]
    );
    let rest: Vec<_> = (0..6).map(|_| ask(&used, &head)).collect();
    assert_eq!(limit_headers(&rest[3])[1], "ratelimit: \"general\";r=1;t=50");
    assert_eq!(limit_headers(&rest[4])[1], "ratelimit: \"general\";r=0;t=10");
    assert_eq!(limit_headers(&rest[5])[1], "ratelimit: \"general\";r=0;t=10");
    let Decision::Answer(refused) = &rest[5].decision else {
        panic!("the seventh goes on");
    };
    assert_eq!(
        (refused.status(), refused.header_value("retry-after")),
        (429, Some("10"))
    );
    assert!(String::from_utf8_lossy(refused.body()).contains("TOO_MANY_REQUESTS"));
    let live = from("192.0.2.1:1", Method::Get, "/health/live", &[]);
    assert_eq!(ask(&used, &live).limit, []);
}

#[test]
fn the_shop_makes_and_checks_only_so_many_passwords() {
    let used = Used::default();
    let login = |host: usize| {
        let address = format!("192.0.2.{host}:1");
        from(&address, Method::Post, "/auth/login", &[])
    };
    let statuses: Vec<u16> = (0..7).map(|host| status(&ask(&used, &login(host)))).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 503, 503]);
    let Decision::Answer(refused) = ask(&used, &login(8)).decision else {
        panic!("it goes on");
    };
    assert_eq!(refused.header_value("retry-after"), Some("1"));
    let others = from("192.0.2.9:1", Method::Get, "/products", &[]);
    assert_eq!(status(&ask(&used, &others)), 200, "only passwords wait");
}

#[test]
fn who_is_refused_anyway_takes_no_password_from_the_others() {
    let used = Used::default();
    let wrong = [
        from("192.0.2.1:1", Method::Post, "/users/me/password", &[]),
        from(
            "192.0.2.2:1",
            Method::Post,
            "/auth/login",
            &[("content-length", "9999999")],
        ),
    ];
    for head in &wrong {
        for _ in 0..20 {
            assert_ne!(status(&ask(&used, head)), 200);
        }
    }
    let login = |host: usize| from(&format!("192.0.2.{host}:1"), Method::Post, "/auth/login", &[]);
    let passed = (10..20).filter(|host| status(&ask(&used, &login(*host))) == 200);
    assert_eq!(passed.count(), 5);
}

#[test]
fn a_table_that_gives_no_answer_keeps_nobody_from_buying() {
    let used = Used::default();
    used.gone.set(true);
    for target in ["/products", "/auth/login"] {
        let head = from("192.0.2.1:1", Method::Post, target, &[]);
        assert_eq!(admitted(&used, &head), 50);
        assert_eq!(ask(&used, &head).limit, []);
    }
}
