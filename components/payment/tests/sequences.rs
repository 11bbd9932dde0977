//! Whatever is charged, refunded, lost and repeated: shop and gateway agree in the end.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod shop;

use payment::app::{Failed, Payments};
use payment::domain::{Method, State};
use proptest::prelude::*;
use shop::{Shop, charge, order, refund};
use store::params;

/// Small amounts, so that commands meet the rules, and each other, often.
const RULES: &str = "timeout amount=4 first=2; lose-answer amount>=30 amount<=60; refuse amount>=95 TOO_MUCH; \
    timeout-cancel amount=5 first=3; lose-cancel-answer amount>=6 amount<=12; refuse-cancel amount=13 first=1";

/// More than any rule keeps its answer.
const ROUNDS: usize = 8;

#[derive(Debug, Clone)]
enum Command {
    Charge { order: u64, amount: i64, method: Method },
    Refund { order: u64, key: u8, amount: i64 },
}

impl Command {
    /// The answer in words; none when there is no answer.
    fn run(&self, shop: &Shop) -> Option<String> {
        match self {
            Self::Charge {
                order,
                amount,
                method,
            } => answer(
                shop.charge(&charge(*order, *amount, *method))
                    .map(|done| done.into_inner().status()),
            ),
            Self::Refund { order, key, amount } => {
                let command = refund(*order, &key.to_string(), *amount);
                answer(shop.refund(&command).map(|done| done.into_inner().status()))
            }
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
    // Cash in place of a card is another order's business: a caller keeps to its method.
    let charge = (1u64..4, amount.clone()).prop_map(|(order, amount)| Command::Charge {
        order,
        amount,
        method: if order == 3 { Method::Cash } else { Method::Card },
    });
    let refund =
        (1u64..4, 0u8..6, amount).prop_map(|(order, key, amount)| Command::Refund { order, key, amount });
    prop_oneof![1 => charge, 3 => refund]
}

fn within_captured(shop: &Shop) -> Result<(), TestCaseError> {
    for number in 1..4 {
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
    for number in 1..4 {
        let payment = shop.payments.find(order(number)).unwrap();
        let by_card = payment.as_ref().filter(|payment| payment.method == Method::Card);
        let captured = by_card.filter(|payment| matches!(payment.state, State::Captured { .. }));
        let (taken, back) = captured.map_or((0, 0), |payment| {
            (payment.amount.minor(), payment.refunded().minor())
        });
        prop_assert_eq!(
            (shop.pg.approved(number), shop.pg.cancelled(number)),
            (taken, back)
        );
        if let Some(payment) = payment {
            let told = "select coalesce(sum(json_extract(data, '$.refundAmount')), 0) as told \
                        from outbox where topic = 'payment.refunded' and key = ?1";
            let told = shop
                .payments
                .read_one(told, params![number.to_string()])
                .unwrap()
                .unwrap();
            prop_assert_eq!(told.get::<i64>("told").unwrap(), payment.refunded().minor());
            if let State::Captured { refunding, .. } = payment.state {
                prop_assert_eq!(refunding.minor(), 0);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shop_and_gateway_agree_once_everything_was_answered(commands in prop::collection::vec(command(), 1..30)) {
        let shop = Shop::new(RULES);
        for command in &commands {
            command.run(&shop);
            within_captured(&shop)?;
        }
        for _ in 0..ROUNDS {
            for command in &commands {
                command.run(&shop);
            }
            within_captured(&shop)?;
        }
        let last: Vec<_> = commands.iter().map(|command| command.run(&shop)).collect();
        prop_assert!(last.iter().all(Option::is_some), "{last:?}");
        let again: Vec<_> = commands.iter().map(|command| command.run(&shop)).collect();
        prop_assert_eq!(last, again);
        agreed(&shop)?;
    }
}
