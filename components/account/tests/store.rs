//! What the account store promises, run on SQLite natively.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

use account::app::{Accounts, Added, ChangeError, NewToken};
use account::domain::{
    Account, Actor, Change, ChangeRefused, Email, Grade, Name, Phone, Role, SessionId, Status, TokenId,
};
use account::store::{MIGRATIONS, SqlAccounts};
use kernel::{Instant, Millis, UserId};
use store::{Db, DbError, params};
use store_suite::{database, shape};
use testkit::at_once;

store_suite::also_on_postgres!();

const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);
const DAY: Millis = Millis(86_400_000);

fn store() -> SqlAccounts {
    SqlAccounts(database::fresh(MIGRATIONS).unwrap())
}

fn somebody(id: u64, email: &str) -> Account {
    Account {
        id: UserId::try_new(id).unwrap(),
        email: Email::parse(email).unwrap(),
        name: Name::parse("김민수").unwrap(),
        phone: None,
        role: Role::User,
        status: Status::Active,
        grade: Grade::Normal,
        created_at: NOW,
    }
}

/// A store with user 1.
fn with_user() -> SqlAccounts {
    let store = store();
    store.add(&somebody(1, "a@b.kr"), "hash").unwrap();
    store
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
    // They open it at the same moment, too.
    let answers = at_once(8, drop, |(), client| {
        let store = SqlAccounts(database::open(&path, MIGRATIONS).unwrap());
        let email = if client % 2 == 0 { "a@b.kr" } else { "A@b.KR" };
        store.add(&somebody(client as u64 + 1, email), "hash").unwrap()
    });
    let done = answers.iter().filter(|added| **added == Added::Done).count();
    let taken = answers
        .iter()
        .filter(|added| **added == Added::EmailTaken)
        .count();
    assert_eq!((done, taken), (1, 7), "{answers:?}");
}

#[test]
fn of_admins_who_all_suspend_each_other_at_once_exactly_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account.db");
    let store = SqlAccounts(database::open(&path, MIGRATIONS).unwrap());
    const ADMINS: u64 = 8;
    for id in 1..=ADMINS {
        let mut admin = somebody(id, &format!("a{id}@b.kr"));
        admin.role = Role::Admin;
        store.add(&admin, "hash").unwrap();
    }
    let connect = |_| SqlAccounts(database::open(&path, MIGRATIONS).unwrap());
    at_once(ADMINS as usize, connect, |store, thread| {
        let id = thread as u64 + 1;
        let change = Change {
            status: Some(Status::Suspended),
            ..Change::default()
        };
        let actor = Actor::Admin(UserId::try_new(id).unwrap());
        for other in (1..=ADMINS).filter(|other| *other != id) {
            let other = UserId::try_new(other).unwrap();
            match store.change(other, &change, actor, &|_| true, NOW) {
                Ok(_) | Err(ChangeError::Refused(ChangeRefused::NotAdmin)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    assert_eq!(count(&store.0, "account where status = 'ACTIVE'"), 1);
    let lines = count(&store.0, "account_audit where field = 'STATUS'");
    assert_eq!(lines, ADMINS as i64 - 1, "every change has its line");
}

#[test]
fn a_session_begins_only_for_the_password_that_was_verified() {
    let store = with_user();
    let id = UserId::try_new(1).unwrap();
    let open = |byte: u8, verified: &str| {
        let first = NewToken {
            user: id,
            id: TokenId::new([byte; 16]),
            expires_at: NOW.after(DAY),
        };
        let session = SessionId::new([byte; 16]);
        store
            .open_session(&session, &first, verified, NOW)
            .unwrap()
            .is_some()
    };
    assert!(open(1, "hash"));
    store.set_password(id, "hash", "new", NOW).unwrap();
    assert!(!open(2, "hash"), "the password changed while it was verified");
    assert!(open(3, "new"));
    assert!(matches!(
        store.set_password(id, "hash", "newer", NOW),
        Err(DbError::Busy)
    ));
    let suspend = "update account set status = 'SUSPENDED'";
    store.0.transaction(|tx| tx.execute(suspend, params![])).unwrap();
    assert!(!open(4, "new"));
    assert_eq!(count(&store.0, "session"), 2);
    assert_eq!(count(&store.0, "session where revoked_at is not null"), 1);
}

#[test]
fn a_profile_is_changed_and_nothing_else() {
    let store = with_user();
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
    let store = with_user();
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
fn words_the_program_does_not_know_never_get_in() {
    let store = with_user();
    for (column, value) in [("role", "ROOT"), ("status", "BANNED"), ("grade", "PLATINUM")] {
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
    let store = with_user();
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
        drop(database::open(&path, &MIGRATIONS[..steps]).unwrap());
    }
    let stepwise = database::open(&path, MIGRATIONS).unwrap();
    assert_eq!(shape(&stepwise), shape(&store().0));
}
