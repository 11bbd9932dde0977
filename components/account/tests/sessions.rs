//! Sessions and their refresh tokens: every order in which tabs and thieves can come.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use store_suite::database;

use account::app::{Accounts, Fresh, NewToken, RenewError};
use account::domain::{
    Account, Barred, Email, Grade, Name, RenewalRefused, Role, Salt, SessionId, Status, TokenId,
};
use account::store::{MIGRATIONS, SqlAccounts};
use expect_test::{Expect, expect};
use kernel::{Instant, Millis, UserId};
use store::params;

store_suite::also_on_postgres!();

const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);
const DAY: Millis = Millis(86_400_000);

fn user(id: u64) -> UserId {
    UserId::try_new(id).unwrap()
}

fn token(byte: u8) -> TokenId {
    TokenId::new([byte; 16])
}

fn add(store: &SqlAccounts, id: u64, email: &str) {
    let account = Account {
        id: user(id),
        email: Email::parse(email).unwrap(),
        name: Name::parse("김민수").unwrap(),
        phone: None,
        role: Role::User,
        status: Status::Active,
        grade: Grade::Normal,
        created_at: NOW,
    };
    store.add(&account, "hash").unwrap();
}

/// Session `byte` of a user begins with the refresh token `byte`.
fn open_session(store: &SqlAccounts, id: u64, byte: u8, until: Instant) {
    let first = NewToken {
        user: user(id),
        id: token(byte),
        expires_at: until,
    };
    store
        .open_session(&SessionId::new([byte; 16]), &first, "hash", NOW)
        .unwrap();
}

/// A store with user 1, whose session 1 has the refresh token 1, valid for a day.
fn with_session() -> SqlAccounts {
    let store = SqlAccounts(database::fresh(MIGRATIONS).unwrap());
    add(&store, 1, "a@b.kr");
    open_session(&store, 1, 1, NOW.after(DAY));
    store
}

/// Presents a refresh token of user 1; every call brings other chance along.
fn renew(store: &SqlAccounts, used: &TokenId, chance: u8, now: Instant) -> Result<TokenId, RenewalRefused> {
    let fresh = Fresh {
        salt: Salt::new([chance; 16]),
        expires_at: now.after(DAY),
    };
    match store.renew(user(1), used, &fresh, now) {
        Ok((account, next)) => {
            assert_eq!(account.id, user(1));
            Ok(next)
        }
        Err(RenewError::Refused(refused)) => Err(refused),
        Err(RenewError::Store(error)) => panic!("{error}"),
    }
}

fn count(store: &SqlAccounts, what: &str) -> i64 {
    let rows = store
        .0
        .read_one(&format!("select count(*) as n from {what}"), params![])
        .unwrap();
    rows.unwrap().get("n").unwrap()
}

/// Plays `<milliseconds> <token> <name for what it gives>; …`, where the login gave the token `t`, and shows what
/// came of each. A successor that somebody holds already is `the same`. After every step at most one token
/// is live.
fn check(story: &str, expected: Expect) {
    let store = with_session();
    let mut held = BTreeMap::from([("t", token(1))]);
    let mut answers = Vec::new();
    for (place, step) in story.split("; ").enumerate() {
        let [at, presented, name] = step.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{step}")
        };
        let now = NOW.after(Millis(at.parse().unwrap()));
        let answer = renew(&store, &held[presented], place as u8 + 10, now);
        answers.push(match answer {
            Ok(next) => {
                let known = held.values().any(|token| token.as_str() == next.as_str());
                held.insert(name, next);
                if known { "the same" } else { "new" }.to_owned()
            }
            Err(refused) => format!("{refused:?}"),
        });
        let unused = count(&store, "refresh_token where used_at is null");
        assert_eq!(unused, 1, "exactly one line stays alive: {step}");
    }
    expected.assert_eq(&answers.join(", "));
}

#[test]
fn two_tabs_share_one_successor_in_every_order() {
    check("0 t a; 100000 a b; 200000 b c", expect!["new, new, new"]);
    check("0 t a; 9999 t b; 100000 a c", expect!["new, the same, new"]);
    check(
        "0 t a; 1000 t b; 2000 a c; 3000 b d",
        expect!["new, the same, new, the same"],
    );
    check(
        "0 t a; 1000 t b; 2000 b c; 3000 a d",
        expect!["new, the same, new, the same"],
    );
    check(
        "0 t a; 1000 t b; 2000 t c; 3000 c d",
        expect!["new, the same, the same, new"],
    );
    check(
        "0 t a; 1000 t b; 2000 a c; 3000 b d; 1000000 c e; 1001000 d f",
        expect!["new, the same, new, the same, new, the same"],
    );
}

#[test]
fn the_grace_ends_with_the_successors_use_and_after_ten_seconds() {
    check("0 t a; 10000 t b; 11000 a c", expect!["new, Reused, Revoked"]);
    check(
        "0 t a; 1000 a b; 2000 t c; 3000 b d",
        expect!["new, new, Reused, Revoked"],
    );
    check(
        "0 t a; 1000 t b; 2000 a c; 3000 t d; 4000 c e",
        expect!["new, the same, new, Reused, Revoked"],
    );
    check(
        "0 t a; 1000 a b; 2000 b c; 3000 a d; 4000 c e",
        expect!["new, new, new, Reused, Revoked"],
    );
}

#[test]
fn a_thief_is_found_out_inside_and_after_the_grace() {
    // Inside: both hold the same successor, and the later of them to use it ends the session.
    check(
        "0 t owner; 5000 t thief; 1800000 owner o; 1900000 thief x; 1901000 o p",
        expect!["new, the same, new, Reused, Revoked"],
    );
    check(
        "0 t thief; 5000 t owner; 1000000 thief x; 1805000 owner o; 1806000 x y",
        expect!["new, the same, new, Reused, Revoked"],
    );
    // After: at once.
    check(
        "0 t owner; 60000 t thief; 61000 owner o",
        expect!["new, Reused, Revoked"],
    );
}

#[test]
fn a_token_used_before_the_grace_existed_has_none() {
    let store = with_session();
    renew(&store, &token(1), 2, NOW).unwrap();
    let forget = "update refresh_token set successor_salt = null";
    store.0.transaction(|tx| tx.execute(forget, params![])).unwrap();
    assert_eq!(
        renew(&store, &token(1), 3, NOW).err(),
        Some(RenewalRefused::Reused)
    );
}

#[test]
fn the_grace_does_not_prolong_what_ended() {
    let store = with_session();
    renew(&store, &token(1), 2, NOW).unwrap();
    store.close_sessions(user(1), None, NOW).unwrap();
    assert_eq!(
        renew(&store, &token(1), 3, NOW).err(),
        Some(RenewalRefused::Revoked)
    );
}

#[test]
fn all_of_fifty_who_present_one_token_at_once_get_the_same_successor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account.db");
    let store = SqlAccounts(database::open(&path, MIGRATIONS).unwrap());
    add(&store, 1, "a@b.kr");
    open_session(&store, 1, 1, NOW.after(DAY));
    let successors = at_once(&path, 50, |store, client| {
        renew(store, &token(1), client, NOW).unwrap()
    });
    let different: HashSet<_> = successors.iter().map(TokenId::as_str).collect();
    assert_eq!((different.len(), count(&store, "refresh_token")), (1, 2));
    // After the grace the same crowd ends the session, whoever comes first.
    let late = NOW.after(Millis(10_000));
    let refused = at_once(&path, 50, |store, client| {
        renew(store, &token(1), client, late).err()
    });
    let reused = refused.iter().filter(|one| **one == Some(RenewalRefused::Reused));
    let revoked = refused
        .iter()
        .filter(|one| **one == Some(RenewalRefused::Revoked));
    assert_eq!((reused.count(), revoked.count()), (1, 49));
    assert_eq!(
        renew(&store, &successors[0], 99, late).err(),
        Some(RenewalRefused::Revoked)
    );
}

/// What many clients, each with a connection of its own, are answered when they come at the same time.
fn at_once<T: Send>(path: &Path, clients: u8, call: impl Fn(&SqlAccounts, u8) -> T + Sync) -> Vec<T> {
    let connect = |_| SqlAccounts(database::open(path, MIGRATIONS).unwrap());
    testkit::at_once(clients.into(), connect, |store, client| call(store, client as u8))
}

#[test]
fn reuse_ends_only_its_own_session() {
    let store = with_session();
    open_session(&store, 1, 10, NOW.after(DAY));
    renew(&store, &token(1), 2, NOW).unwrap();
    let late = NOW.after(Millis(10_000));
    assert_eq!(
        renew(&store, &token(1), 3, late).err(),
        Some(RenewalRefused::Reused)
    );
    assert!(renew(&store, &token(10), 11, late).is_ok());
}

#[test]
fn a_token_of_somebody_else_is_unknown() {
    let store = with_session();
    add(&store, 2, "c@d.kr");
    let fresh = Fresh {
        salt: Salt::new([2; 16]),
        expires_at: NOW.after(DAY),
    };
    let foreign = store.renew(user(2), &token(1), &fresh, NOW);
    assert!(matches!(
        foreign,
        Err(RenewError::Refused(RenewalRefused::Unknown))
    ));
    assert!(renew(&store, &token(1), 3, NOW).is_ok());
    assert_eq!(
        renew(&store, &token(9), 3, NOW).err(),
        Some(RenewalRefused::Unknown)
    );
}

#[test]
fn an_expired_token_and_a_suspended_owner_change_nothing() {
    let store = with_session();
    let renew = |now| renew(&store, &token(1), 2, now).err();
    assert_eq!(renew(NOW.after(DAY)), Some(RenewalRefused::Expired));
    let status = |status: &str| {
        let set = "update account set status = ?1";
        store
            .0
            .transaction(|tx| tx.execute(set, params![status]))
            .unwrap();
    };
    status("SUSPENDED");
    assert_eq!(renew(NOW), Some(RenewalRefused::Barred(Barred::Suspended)));
    status("ACTIVE");
    assert_eq!(renew(NOW), None);
    status("SUSPENDED");
    assert_eq!(
        renew(NOW),
        Some(RenewalRefused::Barred(Barred::Suspended)),
        "the grace lets nobody in"
    );
}

#[test]
fn logging_out_ends_one_session_or_all_of_this_user() {
    let store = with_session();
    add(&store, 2, "c@d.kr");
    for byte in [10, 11] {
        open_session(&store, 1, byte, NOW.after(DAY));
    }
    open_session(&store, 2, 20, NOW.after(DAY));
    let close = |id, byte: Option<u8>| {
        let token = byte.map(token);
        store.close_sessions(user(id), token.as_ref(), NOW).unwrap();
    };
    let renew = |used: &TokenId| renew(&store, used, 30, NOW);
    close(2, Some(1));
    close(1, Some(10));
    close(1, Some(10));
    assert_eq!(renew(&token(10)).err(), Some(RenewalRefused::Revoked));
    let next = renew(&token(1)).unwrap();
    close(1, None);
    assert_eq!(renew(&token(11)).err(), Some(RenewalRefused::Revoked));
    assert_eq!(renew(&next).err(), Some(RenewalRefused::Revoked));
    let fresh = Fresh {
        salt: Salt::new([2; 16]),
        expires_at: NOW.after(DAY),
    };
    assert!(store.renew(user(2), &token(20), &fresh, NOW).is_ok());
}

#[test]
fn sessions_that_can_not_go_on_are_forgotten_at_the_next_login() {
    let store = with_session();
    renew(&store, &token(1), 2, NOW).unwrap();
    let later = NOW.after(DAY);
    let first = NewToken {
        user: user(1),
        id: token(3),
        expires_at: later.after(DAY),
    };
    store
        .open_session(&SessionId::new([3; 16]), &first, "hash", later)
        .unwrap();
    assert_eq!((count(&store, "session"), count(&store, "refresh_token")), (1, 1));
}

#[test]
fn no_refresh_token_can_be_read_out_of_the_database() {
    let store = with_session();
    let next = renew(&store, &token(1), 2, NOW).unwrap();
    let rows = store
        .0
        .read("select fingerprint, successor_salt from refresh_token", params![])
        .unwrap();
    let texts: Vec<String> = rows
        .iter()
        .flat_map(|row| {
            let salt: Option<String> = row.get("successor_salt").unwrap();
            [Some(row.get("fingerprint").unwrap()), salt]
        })
        .flatten()
        .collect();
    assert!(texts.contains(&token(1).fingerprint()) && texts.contains(&next.fingerprint()));
    for secret in [token(1).as_str(), next.as_str()] {
        assert!(!texts.iter().any(|text| text.contains(secret)), "{secret}");
    }
}
