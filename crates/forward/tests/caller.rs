//! A caller and a service that behaves in every way there is, on a clock of the test's own.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use breaker::Thresholds;
use breaker::cells::memory::{Gone, Memory};
use breaker::shared::{Breakers, state};
use expect_test::{Expect, expect};
use forward::{Caller, Patience, Wire};
use kernel::{Instant, Millis};
use remote::stock::{CommitRefused, Line, OrderAsk, ReserveAsk, ReserveRefused};
use remote::{Done, Failure, Function, Reply, stock};

const PATIENCE: Patience = Patience {
    try_for: Millis(1_000),
    budget: Millis(1_600),
};

const THRESHOLDS: Thresholds = Thresholds {
    failures: 5,
    window: Millis(10_000),
    open: Millis(5_000),
    lease: Millis(2_000),
};

/// What makes every pause as long as it may be: one less than a multiple of all of 51, 101, 201 and 401.
const LONGEST: u64 = 51 * 101 * 67 * 401 - 1;

/// How a service behaves at one call: how long it takes, and what comes.
type Act = (u32, Result<Reply, &'static str>);

/// A way to a service that follows a script.
struct Stage {
    script: RefCell<VecDeque<Act>>,
    clock_ms: Cell<u64>,
    random: u64,
    story: RefCell<String>,
}

impl Stage {
    fn new(acts: &[Act]) -> Self {
        Self {
            script: RefCell::new(acts.iter().cloned().collect()),
            clock_ms: Cell::new(0),
            random: LONGEST,
            story: RefCell::default(),
        }
    }

    fn note(&self, line: &str) {
        let at = self.clock_ms.get();
        self.story.borrow_mut().push_str(&format!("{at}: {line}\n"));
    }

    fn pass(&self, ms: u32) {
        self.clock_ms.set(self.clock_ms.get() + u64::from(ms));
    }
}

impl Wire for Stage {
    fn send(&self, path: &str, body: &[u8], limit: Millis) -> Result<Reply, String> {
        let expected: &[u8] = match path {
            stock::Commit::PATH => br#"{"order":9}"#,
            stock::Reserve::PATH => br#"{"order":9,"lines":[{"sku":1,"quantity":2}],"until":7}"#,
            _ => panic!("{path} was asked"),
        };
        assert_eq!(body, expected);
        let (takes, reply) = self.script.borrow_mut().pop_front().expect("asked too often");
        if takes >= limit.0 {
            self.pass(limit.0);
            self.note(&format!("late, after {} ms", limit.0));
            return Err("no answer in time".to_owned());
        }
        self.pass(takes);
        self.note(&match &reply {
            Ok(reply) => format!("{}", reply.status),
            Err(story) => (*story).to_owned(),
        });
        reply.map_err(str::to_owned)
    }

    fn wait(&self, pause: Millis) {
        self.note(&format!("waits {} ms", pause.0));
        self.pass(pause.0);
    }

    fn elapsed_ms(&self) -> u64 {
        self.clock_ms.get()
    }

    fn now(&self) -> Instant {
        let micros = i64::try_from(self.clock_ms.get() * 1_000).unwrap();
        Instant::from_micros(1_790_000_000_000_000 + micros)
    }

    fn random(&self) -> u64 {
        self.random
    }
}

fn reply(status: u16, content_type: &str, body: &str) -> Reply {
    Reply {
        status,
        content_type: Some(content_type.to_owned()),
        retry_after: None,
        body: body.as_bytes().to_vec(),
    }
}

fn done() -> Reply {
    reply(200, "application/vnd.bodega.rpc+json", "{}")
}

fn problem(status: u16, body: &str) -> Reply {
    reply(status, "application/problem+json", body)
}

fn busy(retry_after: &str) -> Reply {
    Reply {
        retry_after: Some(retry_after.to_owned()),
        ..problem(
            503,
            r#"{"error":"SERVICE_UNAVAILABLE","detail":"the store is busy"}"#,
        )
    }
}

/// What who runs the service says when there is no room for a request in it.
fn no_room() -> Reply {
    Reply {
        retry_after: Some("1".to_owned()),
        ..problem(
            503,
            r#"{"error":"BUSY","detail":"too many requests are running"}"#,
        )
    }
}

fn caller<'a>(stage: &'a Stage, cells: &'a Memory, by: u64) -> Caller<'a, Stage, Memory> {
    Caller {
        service: "remote-stock",
        wire: stage,
        breakers: Breakers {
            cells,
            thresholds: &THRESHOLDS,
            by,
        },
        patience: PATIENCE,
    }
}

fn ask(stage: &Stage, cells: &Memory, by: u64) -> Result<Done, Failure<CommitRefused>> {
    caller(stage, cells, by).ask::<stock::Commit>(&OrderAsk { order: 9 })
}

fn check(acts: &[Act], expected: Expect) {
    let stage = Stage::new(acts);
    let answer = ask(&stage, &Memory::default(), 1);
    stage.note(&format!("{answer:?}"));
    expected.assert_eq(&stage.story.borrow());
    let unasked = stage.script.borrow().len();
    assert_eq!(unasked, 0, "the script was not played to its end");
    assert!(stage.clock_ms.get() <= u64::from(PATIENCE.budget.0));
}

#[test]
fn an_answer_and_a_refusal_are_asked_for_once() {
    check(
        &[(10, Ok(done()))],
        expect![[r#"
        10: 200
        10: Ok(Done)
    "#]],
    );
    let expired = problem(409, r#"{"title":"no","status":409,"code":"expired"}"#);
    check(
        &[(10, Ok(expired))],
        expect![[r#"
        10: 409
        10: Err(Refused(Expired))
    "#]],
    );
}

#[test]
fn who_is_not_there_is_asked_again_after_longer_and_longer_pauses() {
    let refused: Act = (1, Err("connection refused"));
    check(
        &[refused.clone(), refused.clone(), refused.clone(), refused.clone()],
        expect![[r#"
            1: connection refused
            1: waits 50 ms
            52: connection refused
            52: waits 100 ms
            153: connection refused
            153: waits 200 ms
            354: connection refused
            354: Err(Unavailable("connection refused"))
        "#]],
    );
    check(
        &[refused.clone(), refused, (10, Ok(done()))],
        expect![[r#"
            1: connection refused
            1: waits 50 ms
            52: connection refused
            52: waits 100 ms
            162: 200
            162: Ok(Done)
        "#]],
    );
}

#[test]
fn who_is_late_is_asked_once_more_within_what_is_left() {
    check(
        &[(60_000, Ok(done())), (60_000, Ok(done()))],
        expect![[r#"
            1000: late, after 1000 ms
            1000: waits 50 ms
            1600: late, after 550 ms
            1600: Err(Unavailable("no answer in time"))
        "#]],
    );
    check(
        &[(60_000, Ok(done())), (500, Ok(done()))],
        expect![[r#"
            1000: late, after 1000 ms
            1000: waits 50 ms
            1550: 200
            1550: Ok(Done)
        "#]],
    );
}

#[test]
fn what_is_no_answer_of_the_services_is_never_taken_for_one() {
    for nonsense in [
        reply(200, "application/json", "{}"),
        reply(200, "text/html", "<html>"),
        reply(200, "application/vnd.bodega.rpc+json", "{"),
        reply(409, "text/plain", r#"{"code":"expired"}"#),
        reply(500, "text/plain", "oops"),
        problem(500, r#"{"detail":"broken"}"#),
        problem(502, "{}"),
        reply(301, "text/html", ""),
    ] {
        let stage = Stage::new(&vec![(1, Ok(nonsense.clone())); 4]);
        let answer = ask(&stage, &Memory::default(), 1);
        assert!(
            matches!(answer, Err(Failure::Unavailable(_))),
            "{nonsense:?}: {answer:?}"
        );
        assert_eq!(
            stage.script.borrow().len(),
            0,
            "{nonsense:?} was not asked about again"
        );
    }
}

/// What is reserved, when these things happen.
fn reserve(acts: &[Act]) -> Result<Done, Failure<ReserveRefused>> {
    let (stage, cells) = (Stage::new(acts), Memory::default());
    let answer = caller(&stage, &cells, 1).ask::<stock::Reserve>(&ReserveAsk {
        order: 9,
        lines: vec![Line { sku: 1, quantity: 2 }],
        until: 7,
    });
    assert_eq!(
        stage.script.borrow().len(),
        0,
        "the script was not played to its end"
    );
    answer
}

#[test]
fn a_no_that_is_not_remembered_says_nothing_about_an_earlier_try_that_was_lost() {
    let no: Act = (1, Ok(problem(409, r#"{"code":"insufficient","sku":1,"free":0}"#)));
    let refused = Err(Failure::Refused(ReserveRefused::Insufficient { sku: 1, free: 0 }));
    assert_eq!(reserve(std::slice::from_ref(&no)), refused);
    // Who says that it can't answer has ended with that try.
    assert_eq!(reserve(&[(1, Ok(busy("1"))), no.clone()]), refused);
    for lost in [
        (60_000, Ok(done())),
        (1, Err("connection reset")),
        (1, Ok(reply(502, "text/html", "<html>"))),
        (1, Ok(reply(200, "application/vnd.bodega.rpc+json", "{"))),
    ] {
        let answer = reserve(&[lost.clone(), no.clone()]);
        assert!(
            matches!(answer, Err(Failure::Unavailable(_))),
            "{lost:?}: {answer:?}"
        );
        // A yes is one to all of them: there is one reservation for an order.
        assert_eq!(reserve(&[lost, (1, Ok(done()))]), Ok(Done {}));
    }
}

#[test]
fn a_no_that_is_remembered_is_an_answer_also_after_a_try_that_was_lost() {
    let expired = problem(409, r#"{"code":"expired"}"#);
    check(
        &[(1, Err("connection reset")), (1, Ok(expired))],
        expect![[r#"
            1: connection reset
            1: waits 50 ms
            52: 409
            52: Err(Refused(Expired))
        "#]],
    );
}

#[test]
fn what_does_not_fit_is_not_asked_again() {
    for misfit in [
        reply(200, "application/vnd.bodega.rpc+json", "9"),
        problem(400, "{}"),
        problem(401, "{}"),
        problem(403, "{}"),
        problem(404, "{}"),
        problem(409, r#"{"code":"of-a-later-version"}"#),
    ] {
        let stage = Stage::new(&[(1, Ok(misfit.clone()))]);
        let answer = ask(&stage, &Memory::default(), 1);
        assert!(
            matches!(answer, Err(Failure::Unavailable(_))),
            "{misfit:?}: {answer:?}"
        );
    }
}

#[test]
fn retry_after_is_waited_for_or_nothing_is_asked_any_more() {
    check(
        &[(10, Ok(busy("1"))), (10, Ok(done()))],
        expect![[r#"
            10: 503
            10: waits 1050 ms
            1070: 200
            1070: Ok(Done)
        "#]],
    );
    check(
        &[(10, Ok(busy("2")))],
        expect![[r#"
        10: 503
        10: Err(Unavailable("the store is busy"))
    "#]],
    );
}

#[test]
fn pauses_are_a_random_part_of_the_longest() {
    let mut stage = Stage::new(&[(0, Err("gone")), (0, Err("gone")), (0, Ok(done()))]);
    stage.random = 51 * 101 + 20;
    assert_eq!(ask(&stage, &Memory::default(), 1), Ok(Done {}));
    expect![[r#"
        0: gone
        0: waits 20 ms
        20: gone
        20: waits 20 ms
        40: 200
    "#]]
    .assert_eq(&stage.story.borrow());
}

#[test]
fn who_fails_five_times_gets_a_rest_and_is_tried_by_one_afterwards() {
    let cells = Memory::default();
    let stage = Stage::new(&vec![(1, Err("connection refused")); 6]);
    for by in 0..9 {
        assert!(ask(&stage, &cells, by).is_err());
    }
    assert_eq!(
        stage.script.borrow().len(),
        1,
        "five tries were made, the rest was kept from it"
    );
    assert_eq!(state(&cells, "remote-stock").unwrap().name(), "open");

    stage.pass(5_000);
    assert!(ask(&stage, &cells, 10).is_err(), "the probe failed");
    assert_eq!(state(&cells, "remote-stock").unwrap().name(), "open");

    stage.pass(5_000);
    *stage.script.borrow_mut() = [(1, Ok(done())), (1, Ok(done()))].into();
    assert_eq!(ask(&stage, &cells, 11), Ok(Done {}));
    assert_eq!(ask(&stage, &cells, 12), Ok(Done {}));
    assert_eq!(state(&cells, "remote-stock").unwrap().name(), "closed");
}

#[test]
fn who_has_no_room_is_left_alone_for_as_long_as_it_asks_and_gets_a_rest() {
    check(
        &[(10, Ok(no_room())), (10, Ok(done()))],
        expect![[r#"
            10: 503
            10: waits 1050 ms
            1070: 200
            1070: Ok(Done)
        "#]],
    );
    let (stage, cells) = (Stage::new(&vec![(1, Ok(no_room())); 6]), Memory::default());
    for by in 0..9 {
        assert!(ask(&stage, &cells, by).is_err());
    }
    assert_eq!(
        stage.script.borrow().len(),
        1,
        "five tries were made, the rest was kept from it"
    );
    assert_eq!(state(&cells, "remote-stock").unwrap().name(), "open");
}

#[test]
fn who_answers_is_well_whatever_it_says() {
    let cells = Memory::default();
    for act in [
        Ok(problem(409, r#"{"code":"expired"}"#)),
        Ok(busy("9")),
        Ok(problem(404, "{}")),
        Ok(reply(200, "application/vnd.bodega.rpc+json", "9")),
    ] {
        for by in 0..6 {
            let _ = ask(&Stage::new(&[(1, act.clone())]), &cells, by);
        }
    }
    for by in 0..6 {
        let stage = Stage::new(&vec![(1, Ok(problem(500, "{}"))); 4]);
        let _ = ask(&stage, &cells, by);
    }
    assert_eq!(cells.count(), 0);
}

#[test]
fn without_a_store_for_breakers_calls_go_on() {
    let stage = Stage::new(&[(1, Err("gone")), (1, Ok(done()))]);
    let caller = Caller {
        service: "remote-stock",
        wire: &stage,
        breakers: Breakers {
            cells: &Gone,
            thresholds: &THRESHOLDS,
            by: 1,
        },
        patience: PATIENCE,
    };
    assert_eq!(caller.ask::<stock::Commit>(&OrderAsk { order: 9 }), Ok(Done {}));
}
