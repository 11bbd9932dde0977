mod world;

use super::*;
use world::World;

const ONE_CALL: Plan = Plan::Place { from_cart: false };
const CONFIRM: Plan = Plan::Confirm { from_cart: false };
const FINISH: Plan = Plan::Finish { from_cart: false };

const ALL: [Plan; 10] = [
    ONE_CALL,
    Plan::Place { from_cart: true },
    Plan::Await,
    CONFIRM,
    Plan::Confirm { from_cart: true },
    FINISH,
    Plan::Finish { from_cart: true },
    Plan::Undo,
    Plan::Expire,
    Plan::Cancel,
];

fn end_text(next: Next) -> String {
    match next {
        Next::Do(step) => panic!("{} is not an end", step.text()),
        Next::Finished(End::Paid) => "end paid".to_owned(),
        Next::Finished(End::Waiting) => "end waiting".to_owned(),
        Next::Finished(End::Failed) => "end failed".to_owned(),
        Next::Finished(End::Cancelled) => "end cancelled".to_owned(),
        Next::SoldOut => "sold out".to_owned(),
        Next::Overtaken => "overtaken".to_owned(),
        Next::Parked(step) => format!("parked at {}", step.text()),
        Next::Stuck(step) => format!("stuck at {}", step.text()),
    }
}

/// Plays a script of answers ("reserve ok, charge refused") and compares what `next` asked for; steps that
/// the script does not name answer ok.
#[track_caller]
fn check(plan: Plan, script: &str, expected: &str) {
    let mut log = Log::default();
    let mut asked = Vec::new();
    let mut lines = script.split(", ").filter(|line| !line.is_empty()).peekable();
    while let Next::Do(step) = next(plan, &log) {
        let scripted = lines
            .peek()
            .and_then(|line| line.strip_prefix(&format!("{} ", step.text())));
        let answer = match scripted {
            Some("refused") => Answer::Refused,
            Some("unknown") => Answer::Unknown,
            Some("ok") | None => Answer::Ok,
            Some(other) => panic!("unknown answer {other}"),
        };
        if scripted.is_some() {
            lines.next();
        }
        asked.push(step.text().to_owned());
        log.append(step, answer);
    }
    assert_eq!(lines.next(), None, "the script was not played to its end");
    asked.push(end_text(next(plan, &log)));
    assert_eq!(asked.join(", "), expected, "{plan:?} after {script:?}");
}

#[test]
fn without_trouble_every_step_is_taken_once() {
    let transcripts = [
        "reserve, charge, pay, end paid",
        "reserve, charge, pay, empty, end paid",
        "reserve, wait, end waiting",
        "charge, pay, commit, end paid",
        "charge, pay, commit, empty, end paid",
        "commit, end paid",
        "commit, empty, end paid",
        "give up, void, release, end failed",
        "release, end cancelled",
        "void, take back, end cancelled",
    ];
    for (plan, transcript) in ALL.into_iter().zip(transcripts) {
        check(plan, "", transcript);
    }
}

#[test]
fn refused_goods_leave_nothing_to_undo() {
    check(ONE_CALL, "reserve refused", "reserve, end failed");
    check(Plan::Await, "reserve refused", "reserve, end failed");
}

/// A refused reservation is not remembered, so a first call that was only slow may set goods aside after it.
#[test]
fn refused_goods_are_given_back_when_an_earlier_call_may_still_arrive() {
    let late = "reserve unknown, reserve refused";
    for plan in [ONE_CALL, Plan::Await] {
        check(plan, late, "reserve, reserve, give up, release, end failed");
    }
}

#[test]
fn a_refused_charge_gives_the_goods_back() {
    check(
        ONE_CALL,
        "reserve ok, charge refused",
        "reserve, charge, give up, release, end failed",
    );
    check(CONFIRM, "charge refused", "charge, give up, release, end failed");
}

#[test]
fn a_step_without_an_answer_is_asked_once_more() {
    check(
        ONE_CALL,
        "reserve unknown, reserve ok",
        "reserve, reserve, charge, pay, end paid",
    );
    check(
        ONE_CALL,
        "reserve ok, charge unknown, charge ok",
        "reserve, charge, charge, pay, end paid",
    );
    check(
        ONE_CALL,
        "reserve ok, charge unknown, charge refused",
        "reserve, charge, charge, give up, release, end failed",
    );
    check(
        Plan::Await,
        "reserve ok, wait unknown, wait ok",
        "reserve, wait, wait, end waiting",
    );
    check(
        Plan::Cancel,
        "void unknown, void ok",
        "void, void, take back, end cancelled",
    );
}

#[test]
fn a_step_that_never_answers_is_undone_as_if_it_had_happened() {
    let twice = "reserve unknown, reserve unknown";
    check(ONE_CALL, twice, "reserve, reserve, give up, release, end failed");
    check(
        Plan::Await,
        twice,
        "reserve, reserve, give up, release, end failed",
    );
    check(
        ONE_CALL,
        "reserve ok, charge unknown, charge unknown",
        "reserve, charge, charge, give up, void, release, end failed",
    );
    check(
        CONFIRM,
        "charge unknown, charge unknown",
        "charge, charge, give up, void, release, end failed",
    );
}

#[test]
fn an_undo_that_is_refused_is_stuck_and_one_without_an_answer_is_parked() {
    let unanswered = "reserve ok, charge unknown, charge unknown";
    check(
        ONE_CALL,
        &format!("{unanswered}, void refused"),
        "reserve, charge, charge, give up, void, stuck at void",
    );
    check(
        ONE_CALL,
        &format!("{unanswered}, void unknown, void unknown"),
        "reserve, charge, charge, give up, void, void, release, parked at void",
    );
    check(
        ONE_CALL,
        &format!("{unanswered}, void unknown, void unknown, release unknown, release unknown"),
        "reserve, charge, charge, give up, void, void, release, release, parked at release",
    );
    check(
        ONE_CALL,
        "reserve ok, charge refused, release unknown, release unknown",
        "reserve, charge, give up, release, release, parked at release",
    );
    check(
        ONE_CALL,
        "reserve ok, charge refused, release refused",
        "reserve, charge, give up, release, stuck at release",
    );
    for (plan, first) in [(Plan::Undo, "give up, "), (Plan::Cancel, "")] {
        check(plan, "void refused", &format!("{first}void, stuck at void"));
        let release = if plan == Plan::Undo { "release, " } else { "" };
        let parked = format!("{first}void, void, {release}parked at void");
        check(plan, "void unknown, void unknown", &parked);
    }
    check(
        Plan::Undo,
        "void ok, release refused",
        "give up, void, release, stuck at release",
    );
    check(
        Plan::Expire,
        "release unknown, release unknown",
        "release, release, parked at release",
    );
    check(
        Plan::Cancel,
        "void ok, take back unknown, take back unknown",
        "void, take back, take back, parked at take back",
    );
    check(
        Plan::Cancel,
        "void ok, take back refused",
        "void, take back, stuck at take back",
    );
}

#[test]
fn nothing_is_undone_before_it_is_written_down_that_the_order_fails() {
    for plan in [ONE_CALL, Plan::Undo] {
        let leads = if plan == ONE_CALL {
            "reserve ok, charge refused, "
        } else {
            ""
        };
        let asked = if plan == ONE_CALL { "reserve, charge, " } else { "" };
        check(
            plan,
            &format!("{leads}give up refused"),
            &format!("{asked}give up, overtaken"),
        );
        check(
            plan,
            &format!("{leads}give up unknown, give up unknown"),
            &format!("{asked}give up, give up, parked at give up"),
        );
    }
}

#[test]
fn nothing_is_undone_from_the_point_of_no_return_on() {
    let unanswered = "charge ok, pay unknown, pay unknown";
    check(CONFIRM, unanswered, "charge, pay, pay, parked at pay");
    check(
        ONE_CALL,
        &format!("reserve ok, {unanswered}"),
        "reserve, charge, pay, pay, parked at pay",
    );
    check(
        CONFIRM,
        "charge ok, pay ok, commit unknown, commit unknown",
        "charge, pay, commit, commit, parked at commit",
    );
    check(
        Plan::Place { from_cart: true },
        "reserve ok, charge ok, pay ok, empty unknown, empty unknown",
        "reserve, charge, pay, empty, empty, parked at empty",
    );
}

#[test]
fn goods_that_are_gone_make_a_paid_order_a_cancelled_one() {
    check(FINISH, "commit refused", "commit, sold out");
    check(
        CONFIRM,
        "charge ok, pay ok, commit refused",
        "charge, pay, commit, sold out",
    );
    check(
        FINISH,
        "commit unknown, commit refused",
        "commit, commit, sold out",
    );
}

#[test]
fn whoever_was_overtaken_touches_nothing_any_more() {
    check(
        ONE_CALL,
        "reserve ok, charge ok, pay refused",
        "reserve, charge, pay, overtaken",
    );
    check(
        Plan::Await,
        "reserve ok, wait refused",
        "reserve, wait, overtaken",
    );
}

/// The plan by which recovery goes on with what was left behind.
const fn recovery(plan: Plan, world: &World) -> Plan {
    match plan {
        Plan::Place { from_cart } | Plan::Confirm { from_cart } if world.paid => Plan::Finish { from_cart },
        Plan::Place { .. } | Plan::Confirm { .. } | Plan::Undo => Plan::Undo,
        Plan::Await if world.waiting => Plan::Expire,
        Plan::Await => Plan::Undo,
        Plan::Finish { .. } | Plan::Expire | Plan::Cancel => plan,
    }
}

/// Drives a plan for `calls` calls, of which number `lost` gets no answer though it was done.
fn drive(plan: Plan, world: &mut World, calls: usize, lost: Option<usize>) -> Option<Next> {
    let mut log = Log::default();
    for call in 0..calls {
        let Next::Do(step) = next(plan, &log) else {
            return Some(next(plan, &log));
        };
        let answer = world.does(step);
        log.append(
            step,
            if lost == Some(call) {
                Answer::Unknown
            } else {
                answer
            },
        );
    }
    None
}

const MANY: usize = 20;

#[track_caller]
fn assert_right(end: End, world: &World, context: &str) {
    let expected = match end {
        End::Paid => (true, true),
        End::Waiting => (false, true),
        End::Failed | End::Cancelled => (false, false),
    };
    assert_eq!(
        (world.keeps_money(), world.keeps_goods()),
        expected,
        "{context}: {world:?}"
    );
    if end == End::Failed {
        assert!(!world.paid, "{context}: {world:?}");
    }
}

/// A checkout in one call tells its customer that it is PAID while its goods are only held; they go out, or come
/// back, whoever comes next.
#[test]
fn what_a_checkout_in_one_call_leaves_reserved_is_let_go_or_given_back() {
    for from_cart in [false, true] {
        let plan = Plan::Place { from_cart };
        let mut world = World::before(plan);
        let end = drive(plan, &mut world, MANY, None);
        assert_eq!(end, Some(Next::Finished(End::Paid)));
        assert!(world.paid && world.reserved && !world.sold, "{world:?}");
        let (mut finished, mut cancelled) = (world, world);
        let end = drive(recovery(plan, &world), &mut finished, MANY, None);
        assert_eq!(end, Some(Next::Finished(End::Paid)));
        assert_eq!((finished.sold, finished.emptied), (true, from_cart));
        let end = drive(Plan::Cancel, &mut cancelled, MANY, None);
        assert_eq!(end, Some(Next::Finished(End::Cancelled)));
        assert_right(End::Cancelled, &cancelled, "cancelled while reserved");
        let late = drive(recovery(plan, &world), &mut cancelled, MANY, None);
        assert_eq!(late, Some(Next::SoldOut), "its goods are not let go any more");
    }
}

#[test]
fn every_step_taken_twice_changes_nothing() {
    for plan in ALL {
        let mut world = World::before(plan);
        let mut log = Log::default();
        while let Next::Do(step) = next(plan, &log) {
            let answer = world.does(step);
            let after = world;
            assert_eq!(
                (world.does(step), world),
                (answer, after),
                "{plan:?}: {}",
                step.text()
            );
            log.append(step, answer);
        }
        let Next::Finished(end) = next(plan, &log) else {
            panic!("{plan:?} does not end")
        };
        assert_right(end, &world, &format!("{plan:?}"));
    }
}

#[test]
fn a_failure_at_any_step_leaves_nothing_behind() {
    for plan in ALL {
        for failing in 0..plan.steps().len() {
            for answer in [Answer::Refused, Answer::Unknown] {
                let context = format!("{plan:?}, step {failing} {answer:?}");
                let mut world = World::before(plan);
                let mut log = Log::default();
                while let Next::Do(step) = next(plan, &log) {
                    let fails = plan.steps()[failing] == step;
                    let said = if fails { answer } else { world.does(step) };
                    log.append(step, said);
                }
                let second = match next(plan, &log) {
                    Next::Finished(end) => {
                        assert_right(end, &world, &context);
                        continue;
                    }
                    Next::SoldOut => Plan::Cancel,
                    Next::Overtaken | Next::Parked(_) | Next::Stuck(_) => recovery(plan, &world),
                    Next::Do(_) => unreachable!("the loop has ended"),
                };
                let Some(Next::Finished(end)) = drive(second, &mut world, MANY, None) else {
                    panic!("{context}: {second:?} does not end")
                };
                assert_right(end, &world, &context);
            }
        }
    }
}

#[test]
fn a_crash_after_every_line_resumes() {
    for plan in ALL {
        for calls in 0..=plan.steps().len() {
            for lost in (0..calls).map(Some).chain([None]) {
                let mut world = World::before(plan);
                if drive(plan, &mut world, calls, lost).is_some() {
                    continue;
                }
                let resumed = recovery(plan, &world);
                for again in 0..MANY {
                    let mut world = world;
                    drive(resumed, &mut world, again, None);
                    let Some(Next::Finished(end)) = drive(recovery(resumed, &world), &mut world, MANY, None)
                    else {
                        panic!("{plan:?} after {calls} calls does not end")
                    };
                    let context =
                        format!("{plan:?} after {calls} calls, {lost:?} lost, then {resumed:?} twice");
                    assert_right(end, &world, &context);
                }
            }
        }
    }
}
