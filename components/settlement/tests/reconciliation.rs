//! The ledger against the payments' own book: each way in which they differ, and its repair.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod books;

use books::{Books, FakeBook, HOUR, NOW, completed, hours, order, paid, refunded, seoul};
use expect_test::{Expect, expect};
use kernel::Instant;
use settlement::app::{Uncompared, reconcile, reprocess};
use settlement::domain::{Day, Mismatch, Report, Zone};
use settlement::store::Store;

store_suite::also_on_postgres!();

/// When reconciliation looks: all that moved is old.
const LATER: Instant = Instant::from_micros(NOW.micros() + 100 * HOUR);

fn report(books: &Books, book: &FakeBook) -> Report {
    reconcile(&books.store(), book, None, LATER).unwrap()
}

fn describe(mismatches: &[Mismatch]) -> String {
    let line = |one: &Mismatch| {
        let (kind, expected, found) = (one.kind().text(), one.expected().minor(), one.found().minor());
        format!("{kind} {}: {expected} {found}\n", one.movement().id.as_str())
    };
    mismatches.iter().map(line).collect()
}

/// Finds `expected`, puts the orders right one by one, and finds nothing any more, however often.
fn check(books: &Books, book: &FakeBook, expected: &Expect) {
    let found = report(books, book);
    let difference = found.difference().unwrap().minor();
    expected.assert_eq(&format!(
        "difference {difference}\n{}",
        describe(&found.mismatches)
    ));
    for one in &found.mismatches {
        let order = one.movement().order;
        drop(reprocess(&books.store(), book, order, LATER).unwrap());
        assert_eq!(
            reprocess(&books.store(), book, order, LATER).unwrap(),
            [],
            "repeating changes nothing"
        );
    }
    let after = report(books, book);
    assert_eq!(
        (after.difference().unwrap().minor(), after.mismatches),
        (0, Vec::new())
    );
    books.audit();
}

fn two_orders() -> (Books, FakeBook) {
    let books = Books::new();
    books.take(
        "order",
        &[
            paid(1, &[("A", "s", 60), ("B", "t", 40)], 1, NOW),
            paid(2, &[("A", "s", 1)], 2, NOW),
        ],
    );
    books.take(
        "payment",
        &[
            completed(1, 100, 1, NOW),
            refunded(1, "a", 30, 2, hours(1)),
            completed(2, 50, 3, NOW),
        ],
    );
    let book = FakeBook::default()
        .with(1, 100, 0, &[("a", 30, 1)])
        .with(2, 50, 0, &[]);
    (books, book)
}

#[test]
fn books_that_agree_have_nothing_to_put_right() {
    let (books, book) = two_orders();
    let before = books.everything();
    check(
        &books,
        &book,
        &expect![[r#"
        difference 0
    "#]],
    );
    assert_eq!(reprocess(&books.store(), &book, order(1), LATER).unwrap(), []);
    assert_eq!(reprocess(&books.store(), &book, order(99), LATER).unwrap(), []);
    assert_eq!(books.everything(), before);
}

#[test]
fn what_the_ledger_lacks_is_entered_and_the_late_event_is_a_duplicate() {
    let (books, book) = two_orders();
    books.take("order", &[paid(3, &[("A", "s", 1), ("B", "t", 2)], 3, NOW)]);
    let book = book.with(3, 90, 2, &[("a", 40, 3), ("b", 50, 30)]);
    check(
        &books,
        &book,
        &expect![[r#"
        difference 0
        MISSING_PAYMENT payment.completed:3: 90 0
        MISSING_REFUND payment.refunded:3:a: 40 0
        MISSING_REFUND payment.refunded:3:b: 50 0
    "#]],
    );
    let repaired = books.sums();
    let late = [
        completed(3, 90, 4, hours(2)),
        refunded(3, "a", 40, 5, hours(3)),
        refunded(3, "b", 50, 6, hours(30)),
    ];
    books.take("payment", &late);
    assert_eq!(books.sums(), repaired);
    assert_eq!((books.mark("payment"), books.errors().len()), (6, 0));
    books.audit();

    // It is what would have come of it without the loss.
    let (undisturbed, _) = two_orders();
    undisturbed.take("order", &[paid(3, &[("A", "s", 1), ("B", "t", 2)], 3, NOW)]);
    undisturbed.take("payment", &late);
    assert_eq!(undisturbed.sums(), repaired);
}

#[test]
fn wrong_amounts_are_adjusted_on_their_day() {
    let (books, _) = two_orders();
    let book = FakeBook::default()
        .with(1, 110, 0, &[("a", 10, 1)])
        .with(2, 5, 0, &[]);
    check(
        &books,
        &book,
        &expect![[r#"
        difference 15
        WRONG_AMOUNT payment.completed:1: 110 100
        WRONG_AMOUNT payment.refunded:1:a: 10 30
        WRONG_AMOUNT payment.completed:2: 5 50
    "#]],
    );
    expect![[r#"
        2026-11-21: 115 in 2, 10 back in 1
        2026-11-21 CATEGORY A: 71 in 2, 6 back in 1
        2026-11-21 CATEGORY B: 44 in 1, 4 back in 1
        2026-11-21 SELLER s: 71 in 2, 6 back in 1
        2026-11-21 SELLER t: 44 in 1, 4 back in 1
    "#]]
    .assert_eq(&books.sums());
    // Another truth, another adjustment of the same movement.
    let book = FakeBook::default()
        .with(1, 100, 0, &[("a", 30, 1)])
        .with(2, 50, 0, &[]);
    check(
        &books,
        &book,
        &expect![[r#"
        difference -15
        WRONG_AMOUNT payment.completed:1: 100 110
        WRONG_AMOUNT payment.refunded:1:a: 30 10
        WRONG_AMOUNT payment.completed:2: 50 5
    "#]],
    );
    let (undisturbed, _) = two_orders();
    assert_eq!(books.sums(), undisturbed.sums());
}

#[test]
fn what_only_the_ledger_has_is_taken_back() {
    let (books, _) = two_orders();
    let book = FakeBook::default().with(1, 100, 0, &[]);
    check(
        &books,
        &book,
        &expect![[r#"
        difference 20
        UNKNOWN_PAYMENT payment.completed:2: 0 50
        UNKNOWN_REFUND payment.refunded:1:a: 0 30
    "#]],
    );
    expect![[r#"
        2026-11-21: 100 in 1, 0 back in 0
        2026-11-21 CATEGORY A: 60 in 1, 0 back in 0
        2026-11-21 CATEGORY B: 40 in 1, 0 back in 0
        2026-11-21 SELLER s: 60 in 1, 0 back in 0
        2026-11-21 SELLER t: 40 in 1, 0 back in 0
    "#]]
    .assert_eq(&books.sums());
}

#[test]
fn what_is_on_its_way_is_not_amiss() {
    let (books, book) = two_orders();
    let book = book.with(3, 90, 0, &[]);
    let soon = |seconds: i64| Instant::from_micros(NOW.micros() + seconds * 1_000_000);
    let early = reconcile(&books.store(), &book, None, soon(9)).unwrap();
    assert_eq!((early.pending, early.mismatches.len()), (1, 0));
    assert_eq!(reprocess(&books.store(), &book, order(3), soon(9)).unwrap(), []);
    let late = reconcile(&books.store(), &book, None, soon(10)).unwrap();
    assert_eq!(
        (late.pending, describe(&late.mismatches)),
        (0, "MISSING_PAYMENT payment.completed:3: 90 0\n".to_owned())
    );
}

#[test]
fn one_day_may_be_looked_at() {
    let (books, book) = two_orders();
    let book = book.with(3, 90, 24, &[]);
    let zone = seoul();
    let on = |day| {
        let day = Day::parse(day).unwrap();
        reconcile(&books.store(), &book, Some((day, &zone)), LATER).unwrap()
    };
    assert_eq!(
        (
            on("2026-11-21").payments.minor(),
            on("2026-11-21").mismatches.len()
        ),
        (120, 0)
    );
    assert_eq!(
        (
            on("2026-11-22").difference().unwrap().minor(),
            on("2026-11-22").mismatches.len()
        ),
        (-90, 1)
    );
    assert_eq!(on("2026-11-23"), Report::EMPTY);
}

#[test]
fn long_books_are_read_in_pages() {
    let books = Books::new();
    let mut book = FakeBook::default();
    for number in 1..=1_100 {
        // Every third order is missing in the book, every fifth in the ledger.
        if number % 3 != 0 {
            book = book.with(number, 10, 0, &[]);
        }
    }
    let told: Vec<_> = (1..=1_100).filter(|number| number % 5 != 0).collect();
    for (chunk, numbers) in told.chunks(100).enumerate() {
        let position = |place: usize| (chunk * 100 + place + 1) as u64;
        let events: Vec<_> = numbers
            .iter()
            .enumerate()
            .map(|(place, number)| completed(*number, 10, position(place), NOW))
            .collect();
        books.take("payment", &events);
    }
    let report = report(&books, &book);
    let missing = (1..=1_100)
        .filter(|number| number % 5 == 0 && number % 3 != 0)
        .count();
    let unknown = (1..=1_100)
        .filter(|number| number % 5 != 0 && number % 3 == 0)
        .count();
    let kinds = |kind| {
        report
            .mismatches
            .iter()
            .filter(|one| one.kind().text() == kind)
            .count()
    };
    assert_eq!(
        (kinds("MISSING_PAYMENT"), kinds("UNKNOWN_PAYMENT")),
        (missing, unknown)
    );
    assert_eq!(report.found, (missing + unknown) as u64);
}

#[test]
fn a_silent_book_is_an_outage() {
    let (books, book) = two_orders();
    let book = FakeBook { silent: true, ..book };
    assert!(matches!(
        reconcile(&books.store(), &book, None, LATER),
        Err(Uncompared::Book(_))
    ));
    assert!(matches!(
        reprocess(&books.store(), &book, order(1), LATER),
        Err(Uncompared::Book(_))
    ));
}

#[test]
fn another_zone_moves_everything_to_its_days() {
    let (books, _) = two_orders();
    books.take("payment", &[refunded(1, "b", 70, 4, hours(3))]);
    let in_seoul = books.sums();
    let in_zone = |name: &str| {
        drop(Store::for_readers(books.db(), Zone::parse(name).unwrap()).unwrap());
        books.sums()
    };
    expect![[r#"
        2026-11-20: 150 in 2, 0 back in 0
        2026-11-21: 0 in 0, 100 back in 2
        2026-11-20 CATEGORY A: 110 in 2, 0 back in 0
        2026-11-20 CATEGORY B: 40 in 1, 0 back in 0
        2026-11-20 SELLER s: 110 in 2, 0 back in 0
        2026-11-20 SELLER t: 40 in 1, 0 back in 0
        2026-11-21 CATEGORY A: 0 in 0, 60 back in 2
        2026-11-21 CATEGORY B: 0 in 0, 40 back in 2
        2026-11-21 SELLER s: 0 in 0, 60 back in 2
        2026-11-21 SELLER t: 0 in 0, 40 back in 2
    "#]]
    .assert_eq(&in_zone("UTC"));
    assert_eq!(in_zone("utc"), in_zone("UTC"));
    assert_eq!(in_zone("Asia/Seoul"), in_seoul);
    books.audit();

    // A consumer that starts in another zone makes the sums again before it adds to them.
    in_zone("Pacific/Honolulu");
    books.take("payment", &[completed(4, 5, 5, NOW)]);
    books.audit();
    let (fresh, _) = two_orders();
    fresh.take(
        "payment",
        &[refunded(1, "b", 70, 4, hours(3)), completed(4, 5, 5, NOW)],
    );
    assert_eq!(books.sums(), fresh.sums());
}
