//! Whatever is charged, confirmed, refunded, voided, lost, broken off and repeated: shop and gateway agree
//! in the end.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod shop;

use payment::app::{Failed, Payments};
use payment::domain::Method;
use proptest::prelude::*;
use shop::seam::{MODES, Mode};
use shop::{Shop, charge, confirmation, order, refund, void};

store_suite::also_on_postgres!();

/// Small amounts, so that commands meet the rules, and each other, often.
const RULES: &str = "timeout amount=4 first=2; lose-answer amount>=30 amount<=60; refuse amount>=95 TOO_MUCH; \
    refuse key=k3 LOST_CARD; timeout-cancel amount=5 first=3; lose-cancel-answer amount>=6 amount<=12; \
    refuse-cancel amount=13 first=1";

/// More than any rule keeps its answer.
const ROUNDS: usize = 8;

/// The orders that commands are about.
const ORDERS: std::ops::Range<u64> = 1..4;

#[derive(Debug, Clone)]
enum Command {
    Charge { order: u64, amount: i64, method: Method },
    Confirm { order: u64, amount: i64, key: u8 },
    Refund { order: u64, key: u8, amount: i64 },
    Void { order: u64, key: u8, method: Method },
    Recover,
}

/// A command, and which touch of the outside goes wrong the first time, if any.
type Try = (Command, Option<(u32, Mode)>);

impl Command {
    /// The answer in words; none when there is no answer.
    fn run(&self, shop: &Shop) -> Option<String> {
        shop.wait(30_000);
        match self {
            Self::Charge {
                order,
                amount,
                method,
            } => answer(
                shop.charge(&charge(*order, *amount, *method))
                    .map(|done| done.into_inner().status()),
            ),
            Self::Confirm { order, amount, key } => answer(
                shop.confirm(&confirmation(*order, *amount, &format!("k{key}")))
                    .map(|done| done.into_inner().status()),
            ),
            Self::Refund { order, key, amount } => {
                let command = refund(*order, &key.to_string(), *amount);
                answer(shop.refund(&command).map(|done| done.into_inner().status()))
            }
            Self::Void { order, key, method } => {
                let command = void(*order, 50, *method, &key.to_string());
                answer(shop.void(&command).map(|done| done.into_inner().status()))
            }
            Self::Recover => shop.app().recover(100, shop.now()).ok().map(|_| String::new()),
        }
    }
}

fn answer<R: std::fmt::Debug>(result: Result<&str, Failed<R>>) -> Option<String> {
    match result {
        Ok(status) => Some(status.to_owned()),
        Err(Failed::Refused(refused)) => Some(format!("{refused:?}")),
        Err(Failed::Unanswered(_)) => None,
    }
}

fn command() -> impl Strategy<Value = Command> {
    let amount = prop_oneof![Just(4i64), Just(5), Just(13), 1i64..20, 1i64..100];
    let method = prop_oneof![3 => Just(Method::Card), 1 => Just(Method::Cash), 1 => Just(Method::Pg)];
    let charge =
        (ORDERS, amount.clone(), method.clone()).prop_map(|(order, amount, method)| Command::Charge {
            order,
            amount,
            method,
        });
    let confirm = (ORDERS, amount.clone(), 1u8..5).prop_map(|(order, amount, key)| Command::Confirm {
        order,
        amount,
        key,
    });
    let refund =
        (ORDERS, 0u8..6, amount).prop_map(|(order, key, amount)| Command::Refund { order, key, amount });
    let void = (ORDERS, 0u8..6, method).prop_map(|(order, key, method)| Command::Void { order, key, method });
    prop_oneof![3 => charge, 2 => confirm, 6 => refund, 1 => void, 1 => Just(Command::Recover)]
}

fn tried() -> impl Strategy<Value = Try> {
    let fault = (1u32..16, prop::sample::select(MODES.to_vec()));
    (command(), prop::option::weighted(0.5, fault))
}

fn within_captured(shop: &Shop) -> Result<(), TestCaseError> {
    for number in ORDERS {
        if let Some(payment) = shop.payments.find(order(number)).unwrap() {
            prop_assert!(payment.refundable().minor() >= 0);
            prop_assert!(payment.refunded().minor() <= payment.amount.minor());
        }
        prop_assert!(shop.pg.cancelled(number) <= shop.pg.approved(number));
    }
    Ok(())
}

/// Shop, gateway and events tell the same story, and nothing is under way.
fn agreed(shop: &Shop) -> Result<(), TestCaseError> {
    for number in ORDERS {
        let [ours, gateways, told] = shop.kept(number);
        prop_assert_eq!((ours, ours), (gateways, told), "order {}", number);
        prop_assert_eq!(shop.refunding(number), 0);
    }
    Ok(())
}

/// Repeats everything until it is answered twice in the same words.
fn settle(shop: &Shop, commands: &[Command]) -> Result<(), TestCaseError> {
    let all = || {
        commands
            .iter()
            .map(|command| command.run(shop))
            .collect::<Vec<_>>()
    };
    for _ in 0..ROUNDS {
        all();
        within_captured(shop)?;
    }
    let last = all();
    prop_assert!(last.iter().all(Option::is_some), "{last:?}");
    prop_assert_eq!(last, all());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shop_and_gateway_agree_once_everything_was_answered(tries in prop::collection::vec(tried(), 1..30)) {
        let shop = Shop::new(RULES);
        for (command, fault) in &tries {
            shop.seam.disturbed(*fault, || command.run(&shop));
            within_captured(&shop)?;
        }
        let commands: Vec<Command> = tries.into_iter().map(|(command, _)| command).collect();
        settle(&shop, &commands)?;
        agreed(&shop)?;
    }

    #[test]
    fn once_everything_was_voided_nobody_has_anybodys_money(tries in prop::collection::vec(tried(), 1..30)) {
        let shop = Shop::new(RULES);
        for (command, fault) in &tries {
            shop.seam.disturbed(*fault, || command.run(&shop));
        }
        for number in ORDERS {
            // A silent gateway answers in the end; one that refuses is asked under another key.
            let mut attempts = (0..20).map(|attempt| void(number, 50, Method::Card, &format!("end {attempt}")));
            let ended = attempts.any(|void| {
                // Whoever died at a refund has it for a while.
                shop.wait(20_000);
                shop.void(&void).is_ok()
            });
            prop_assert!(ended);
            prop_assert_eq!((shop.pg.kept(number), shop.refunding(number)), (0, 0));
        }
        agreed(&shop)?;
    }
}
