//! What the account store promises, run on SQLite natively.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

use std::sync::Barrier;

use account::app::{Accounts, Added, NewToken, RenewError};
use account::domain::{
    Account, Barred, Email, Name, Phone, RenewalRefused, Role, SessionId, Status, TokenId,
};
use account::store::{MIGRATIONS, SqlAccounts};
use kernel::{Instant, Millis, UserId};
use store::{Db, DbError, native, params};

const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);
const DAY: Millis = Millis(86_400_000);

fn store() -> SqlAccounts {
    SqlAccounts(native::in_memory(MIGRATIONS).unwrap())
}

fn somebody(id: u64, email: &str) -> Account {
    Account {
        id: UserId::try_new(id).unwrap(),
        email: Email::parse(email).unwrap(),
        name: Name::parse("김민수").unwrap(),
        phone: None,
        role: Role::User,
        status: Status::Active,
        created_at: NOW,
    }
}

fn token(user: u64, byte: u8, expires_at: Instant) -> NewToken {
    NewToken {
        user: UserId::try_new(user).unwrap(),
        id: TokenId::new([byte; 16]),
        expires_at,
    }
}

/// A store with user 1, whose session 1 has the refresh token 1, valid for a day.
fn with_session() -> SqlAccounts {
    let store = store();
    store.add(&somebody(1, "a@b.kr"), "hash").unwrap();
    open_session(&store, 1, 1, NOW.after(DAY));
    store
}

fn open_session(store: &SqlAccounts, user: u64, byte: u8, until: Instant) {
    store
        .open_session(&SessionId::new([byte; 16]), &token(user, byte, until), NOW)
        .unwrap();
}

fn renew(store: &SqlAccounts, used: u8, next: u8, now: Instant) -> Result<UserId, RenewalRefused> {
    match store.renew(&TokenId::new([used; 16]), &token(1, next, now.after(DAY)), now) {
        Ok(account) => Ok(account.id),
        Err(RenewError::Refused(refused)) => Err(refused),
        Err(RenewError::Store(error)) => panic!("{error}"),
    }
}

fn count(db: &Db, table: &str) -> i64 {
    let rows = db
        .read_one(&format!("select count(*) as n from {table}"), params![])
        .unwrap();
    rows.unwrap().get("n").unwrap()
}

#[test]
fn an_account_comes_back_as_it_was_added() {
    let store = store();
    let mut account = somebody(7, "Kim@Example.kr");
    account.phone = Some(Phone::parse("+82-10-1234-5678").unwrap());
    account.role = Role::Admin;
    account.status = Status::Suspended;
    assert_eq!(store.add(&account, "hash").unwrap(), Added::Done);
    assert_eq!(store.by_id(account.id).unwrap(), Some(account.clone()));
    let found = store.by_email(&Email::parse("kim@example.KR").unwrap()).unwrap();
    assert_eq!(found, Some((account, "hash".to_owned())));
    assert_eq!(store.by_id(UserId::try_new(8).unwrap()).unwrap(), None);
    assert_eq!(
        store.by_email(&Email::parse("x@example.kr").unwrap()).unwrap(),
        None
    );
}

#[test]
fn an_email_in_any_case_and_an_id_are_taken_once() {
    let store = store();
    let add = |id, email| store.add(&somebody(id, email), "hash").unwrap();
    assert_eq!(add(1, "a@b.kr"), Added::Done);
    assert_eq!(add(2, "A@B.KR"), Added::EmailTaken);
    assert_eq!(add(1, "c@d.kr"), Added::IdTaken);
    assert_eq!(add(1, "a@b.kr"), Added::EmailTaken);
    assert_eq!(add(2, "c@d.kr"), Added::Done);
    assert_eq!(count(&store.0, "account"), 2);
}

#[test]
fn of_many_who_sign_up_with_one_email_exactly_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account.db");
    let start = Barrier::new(8);
    let answers: Vec<Added> = std::thread::scope(|scope| {
        let clients: Vec<_> = (1..=8)
            .map(|id| {
                let (path, start) = (&path, &start);
                scope.spawn(move || {
                    start.wait();
                    let store = SqlAccounts(native::open(path, MIGRATIONS).unwrap());
                    let email = if id % 2 == 0 { "a@b.kr" } else { "A@b.KR" };
                    store.add(&somebody(id, email), "hash").unwrap()
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let done = answers.iter().filter(|added| **added == Added::Done).count();
    let taken = answers
        .iter()
        .filter(|added| **added == Added::EmailTaken)
        .count();
    assert_eq!((done, taken), (1, 7), "{answers:?}");
}

#[test]
fn a_profile_is_changed_and_nothing_else() {
    let store = with_session();
    let mut account = somebody(1, "other@b.kr");
    account.name = Name::parse("이영희").unwrap();
    account.phone = Some(Phone::parse("112").unwrap());
    account.role = Role::Admin;
    account.status = Status::Suspended;
    store.save_profile(&account, NOW.after(DAY)).unwrap();
    let expected = Account {
        name: account.name,
        phone: account.phone,
        ..somebody(1, "a@b.kr")
    };
    assert_eq!(store.by_id(expected.id).unwrap(), Some(expected));
}

#[test]
fn a_hash_is_replaced_only_while_it_is_the_old_one() {
    let store = with_session();
    let id = UserId::try_new(1).unwrap();
    let hash = || {
        store
            .by_email(&Email::parse("a@b.kr").unwrap())
            .unwrap()
            .unwrap()
            .1
    };
    store.replace_hash(id, "another", "better", NOW).unwrap();
    assert_eq!(hash(), "hash");
    store.replace_hash(id, "hash", "better", NOW).unwrap();
    assert_eq!(hash(), "better");
}

#[test]
fn a_refresh_token_is_exchanged_once_and_its_second_use_ends_the_session() {
    let store = with_session();
    let user = UserId::try_new(1).unwrap();
    assert_eq!(renew(&store, 1, 2, NOW), Ok(user));
    assert_eq!(renew(&store, 2, 3, NOW), Ok(user));
    assert_eq!(renew(&store, 1, 4, NOW), Err(RenewalRefused::Reused));
    assert_eq!(
        renew(&store, 3, 5, NOW),
        Err(RenewalRefused::Revoked),
        "the newest token dies with the reused one"
    );
    assert_eq!(renew(&store, 4, 6, NOW), Err(RenewalRefused::Unknown));
    assert_eq!(renew(&store, 1, 7, NOW), Err(RenewalRefused::Revoked));
}

#[test]
fn reuse_ends_only_its_own_session() {
    let store = with_session();
    open_session(&store, 1, 10, NOW.after(DAY));
    renew(&store, 1, 2, NOW).unwrap();
    assert_eq!(renew(&store, 1, 3, NOW), Err(RenewalRefused::Reused));
    assert!(renew(&store, 10, 11, NOW).is_ok());
}

#[test]
fn of_many_who_exchange_one_token_at_once_exactly_one_gets_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account.db");
    let store = SqlAccounts(native::open(&path, MIGRATIONS).unwrap());
    store.add(&somebody(1, "a@b.kr"), "hash").unwrap();
    open_session(&store, 1, 1, NOW.after(DAY));
    let start = Barrier::new(6);
    let renewed = std::thread::scope(|scope| {
        let clients: Vec<_> = (2..8)
            .map(|next| {
                let (path, start) = (&path, &start);
                scope.spawn(move || {
                    let store = SqlAccounts(native::open(path, MIGRATIONS).unwrap());
                    start.wait();
                    renew(&store, 1, next, NOW).is_ok()
                })
            })
            .collect();
        let answers = clients.into_iter().map(|client| client.join().unwrap());
        answers.filter(|renewed| *renewed).count()
    });
    assert_eq!(renewed, 1);
    assert_eq!(count(&store.0, "refresh_token"), 2);
}

#[test]
fn a_token_of_somebody_else_is_unknown() {
    let store = with_session();
    store.add(&somebody(2, "c@d.kr"), "hash").unwrap();
    let foreign = store.renew(&TokenId::new([1; 16]), &token(2, 2, NOW.after(DAY)), NOW);
    assert!(matches!(
        foreign,
        Err(RenewError::Refused(RenewalRefused::Unknown))
    ));
    assert!(renew(&store, 1, 3, NOW).is_ok());
}

#[test]
fn an_expired_token_and_a_suspended_owner_change_nothing() {
    let store = with_session();
    assert_eq!(renew(&store, 1, 2, NOW.after(DAY)), Err(RenewalRefused::Expired));
    let status = |status: &str| {
        let set = "update account set status = ?1";
        store
            .0
            .transaction(|tx| tx.execute(set, params![status]))
            .unwrap();
    };
    status("SUSPENDED");
    assert_eq!(
        renew(&store, 1, 2, NOW),
        Err(RenewalRefused::Barred(Barred::Suspended))
    );
    status("ACTIVE");
    assert!(renew(&store, 1, 2, NOW).is_ok());
}

#[test]
fn logging_out_ends_one_session_or_all_of_this_user() {
    let store = with_session();
    store.add(&somebody(2, "c@d.kr"), "hash").unwrap();
    for byte in [10, 11] {
        open_session(&store, 1, byte, NOW.after(DAY));
    }
    open_session(&store, 2, 20, NOW.after(DAY));
    let (first, second) = (UserId::try_new(1).unwrap(), UserId::try_new(2).unwrap());
    let close = |user, token: Option<u8>| {
        let token = token.map(|byte| TokenId::new([byte; 16]));
        store.close_sessions(user, token.as_ref(), NOW).unwrap();
    };
    close(second, Some(1));
    close(first, Some(10));
    close(first, Some(10));
    assert_eq!(renew(&store, 10, 30, NOW), Err(RenewalRefused::Revoked));
    assert!(renew(&store, 1, 31, NOW).is_ok(), "a stranger ended nothing");
    close(first, None);
    assert_eq!(renew(&store, 11, 32, NOW), Err(RenewalRefused::Revoked));
    assert_eq!(renew(&store, 31, 33, NOW), Err(RenewalRefused::Revoked));
    let of_second = store.renew(&TokenId::new([20; 16]), &token(2, 21, NOW.after(DAY)), NOW);
    assert!(of_second.is_ok());
}

#[test]
fn sessions_that_can_not_go_on_are_forgotten_at_the_next_login() {
    let store = with_session();
    renew(&store, 1, 2, NOW).unwrap();
    let later = NOW.after(DAY);
    store
        .open_session(&SessionId::new([3; 16]), &token(1, 3, later.after(DAY)), later)
        .unwrap();
    assert_eq!(
        (count(&store.0, "session"), count(&store.0, "refresh_token")),
        (1, 1)
    );
}

#[test]
fn no_refresh_token_can_be_read_out_of_the_database() {
    let store = with_session();
    let id = TokenId::new([1; 16]);
    let rows = store
        .0
        .read("select fingerprint from refresh_token", params![])
        .unwrap();
    let stored: Vec<String> = rows.iter().map(|row| row.get("fingerprint").unwrap()).collect();
    assert_eq!(stored, [id.fingerprint()]);
    assert!(!stored[0].contains(id.as_str()));
}

#[test]
fn words_the_program_does_not_know_never_get_in() {
    let store = with_session();
    for (column, value) in [("role", "ROOT"), ("status", "BANNED")] {
        let set = format!("update account set {column} = ?1");
        let answer = store.0.transaction(|tx| tx.execute(&set, params![value]));
        assert!(
            matches!(&answer, Err(DbError::Check(name)) if name == &format!("account_{column}_known")),
            "{answer:?}"
        );
    }
}

#[test]
fn a_row_that_can_not_be_is_a_defect_that_shows_no_address() {
    let store = with_session();
    store
        .0
        .transaction(|tx| tx.execute("update account set email = 'secret at b.kr'", params![]))
        .unwrap();
    let error = store.by_id(UserId::try_new(1).unwrap()).unwrap_err();
    assert!(!error.retryable());
    assert_eq!(error.to_string(), "column email: must look like name@example.com");
}

#[test]
fn a_database_migrated_in_steps_equals_a_fresh_one_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account.db");
    for steps in 1..=MIGRATIONS.len() {
        drop(native::open(&path, &MIGRATIONS[..steps]).unwrap());
    }
    let shape = |db: &Db| -> Vec<(String, Option<String>)> {
        let rows = db
            .read("select name, sql from sqlite_schema order by name", params![])
            .unwrap();
        rows.iter()
            .map(|row| (row.get("name").unwrap(), row.get("sql").unwrap()))
            .collect()
    };
    let stepwise = native::open(&path, MIGRATIONS).unwrap();
    assert_eq!(shape(&stepwise), shape(&store().0));
}
