//! Every function and every case of the contracts goes over the wire and comes out as it went in.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

#[path = "wire/grown.rs"]
mod grown;

use expect_test::expect;
use grown::{each_grown, grown};
use remote::{Done, Failure, Function, Reading, Reply, payment, read, serve, stock};
use web::{Method, Request, Response};

fn reply(response: Response) -> Reply {
    Reply {
        status: response.status(),
        content_type: response.header_value("content-type").map(str::to_owned),
        retry_after: response.header_value("retry-after").map(str::to_owned),
        body: response.body().to_vec(),
    }
}

fn request<F: Function>(ask: &F::Ask) -> Request {
    Request::new(Method::Post, F::PATH)
        .with_header("content-type", "application/json")
        .with_body(serde_json::to_vec(ask).unwrap())
}

/// Asks over the wire; answers what came out on the other side, and the bodies on the way.
fn carried<F: Function>(
    ask: &F::Ask,
    answer: Result<F::Answer, Failure<F::Refused>>,
) -> (Reading<F::Answer, F::Refused>, String)
where
    F::Ask: PartialEq + std::fmt::Debug,
    F::Answer: PartialEq + std::fmt::Debug,
    F::Refused: PartialEq + std::fmt::Debug,
{
    let request = request::<F>(ask);
    let response = serve::<F>(&request, |arrived| {
        assert_eq!(&arrived, ask);
        answer
    });
    let response = Response::from(response);
    let plain = reply(response.clone());
    if let Some(body) = grown(&plain.body) {
        let newer = Reply {
            body,
            ..plain.clone()
        };
        assert_eq!(read::<F>(&newer), read::<F>(&plain), "{}", F::NAME);
    }
    let sent = serde_json::to_string(ask).unwrap();
    let got = String::from_utf8(response.body().to_vec()).unwrap();
    let line = format!("{} {sent}\n  {} {got}\n", F::NAME, response.status());
    (read::<F>(&plain), line)
}

/// What a newer caller asks with more than is known here is refused, wherever the more stands.
fn assert_strict<F: Function>(ask: &F::Ask) {
    for more in each_grown(&serde_json::to_value(ask).unwrap()) {
        let request = Request::new(Method::Post, F::PATH)
            .with_header("content-type", "application/json")
            .with_body(serde_json::to_vec(&more).unwrap());
        let response = Response::from(serve::<F>(&request, |_| panic!("{more} was taken")));
        assert_eq!(response.status(), 400, "{more}");
    }
}

/// The answer and all refusals of a function survive, also with members that only a newer service knows; answers what went
/// over the wire.
fn check<F: Function>(ask: F::Ask, answer: F::Answer, refused: Vec<F::Refused>) -> String
where
    F::Ask: PartialEq + std::fmt::Debug,
    F::Answer: Clone + PartialEq + std::fmt::Debug,
    F::Refused: Clone + PartialEq + std::fmt::Debug,
{
    assert_strict::<F>(&ask);
    let (read, mut text) = carried::<F>(&ask, Ok(answer.clone()));
    assert_eq!(read, Reading::Decided(Ok(answer)));
    for refused in refused {
        let (read, line) = carried::<F>(&ask, Err(Failure::Refused(refused.clone())));
        assert_eq!(read, Reading::Decided(Err(refused)));
        text += line.split_once('\n').unwrap().1;
    }
    let (read, _) = carried::<F>(&ask, Err(Failure::Unavailable("busy".to_owned())));
    let unavailable = Reading::Unavailable {
        detail: "busy".to_owned(),
        wait_ms: Some(1_000),
    };
    assert_eq!(read, unavailable);
    assert_eq!(
        read.into_answer(),
        Err(Failure::Unavailable("busy".to_owned())),
        "{}",
        F::NAME
    );
    text
}

fn order() -> stock::OrderAsk {
    stock::OrderAsk { order: 9 }
}

fn every_stock_function() -> String {
    use stock::*;
    let reserve = ReserveAsk {
        order: 9,
        lines: vec![Line { sku: 1, quantity: 2 }],
        until: 1_795_217_020_000_000,
    };
    let refused = vec![
        ReserveRefused::Invalid {
            detail: "no lines".to_owned(),
        },
        ReserveRefused::DiffersFromExisting,
        ReserveRefused::Ended,
        ReserveRefused::UnknownSku { sku: u64::MAX },
        ReserveRefused::Insufficient { sku: 1, free: 0 },
    ];
    let committed = vec![
        Committed::Done,
        Committed::Refused {
            refusal: CommitRefused::UnknownOrder,
        },
        Committed::Refused {
            refusal: CommitRefused::Released,
        },
        Committed::Refused {
            refusal: CommitRefused::Expired,
        },
        Committed::Unavailable {
            detail: "busy".to_owned(),
        },
    ];
    let level = StockLevel {
        sku: 1,
        on_hand: 10,
        reserved: 2,
    };
    let no_commit = vec![
        CommitRefused::UnknownOrder,
        CommitRefused::Released,
        CommitRefused::Expired,
    ];
    [
        check::<Reserve>(reserve, Done {}, refused),
        check::<Commit>(order(), Done {}, no_commit),
        check::<CommitAll>(
            CommitAllAsk { orders: vec![9, 9] },
            CommitAllAnswer { answers: committed },
            vec![],
        ),
        check::<Release>(order(), Done {}, vec![ReleaseRefused::Committed]),
        check::<TakeBack>(order(), Done {}, vec![TakeBackRefused::NotCommitted]),
        check::<Level>(
            LevelAsk { skus: vec![1, 2] },
            LevelAnswer { levels: vec![level] },
            vec![LevelRefused::UnknownSku { sku: 2 }],
        ),
    ]
    .concat()
}

fn won(minor: i64) -> payment::Money {
    payment::Money {
        minor,
        currency: "KRW".to_owned(),
    }
}

fn receipt(method: payment::Method) -> payment::Receipt {
    payment::Receipt {
        id: 5,
        state: payment::State::Captured,
        method,
        amount: won(9_007_199_254_740_991),
        refunded: won(0),
        failure: None,
        at: -1,
    }
}

fn every_payment_function() -> String {
    use payment::*;
    let invalid = || "the amount is not above zero".to_owned();
    let code = || "REJECT_CARD_PAYMENT".to_owned();
    let no_charge = vec![
        ChargeRefused::Invalid { detail: invalid() },
        ChargeRefused::DiffersFromExisting,
        ChargeRefused::MethodNotOffered,
        ChargeRefused::Refused { reason: code() },
    ];
    let no_refund = vec![
        RefundRefused::Invalid { detail: invalid() },
        RefundRefused::NotCaptured,
        RefundRefused::DiffersFromExisting,
        RefundRefused::ExceedsCaptured { left: won(3) },
        RefundRefused::Refused { reason: code() },
    ];
    let no_void = vec![
        VoidRefused::Invalid { detail: invalid() },
        VoidRefused::Refused { reason: code() },
    ];
    let charge = |method| ChargeAsk {
        order: 9,
        user: 2,
        amount: won(100),
        method,
    };
    let confirm = ConfirmAsk {
        order: 9,
        user: 2,
        amount: won(100),
        payment_key: "pk".to_owned(),
    };
    let void = VoidAsk {
        order: 9,
        user: 2,
        amount: won(100),
        method: Method::Cash,
        key: "k".to_owned(),
        reason: "given up".to_owned(),
    };
    let refund = RefundAsk {
        order: 9,
        key: "k".to_owned(),
        amount: won(1),
        reason: "\"broken\"\n".to_owned(),
    };
    let failed = Receipt {
        state: State::Failed,
        failure: Some(code()),
        ..receipt(Method::Card)
    };
    let entry = Entry {
        order: 9,
        amount: won(100),
        at: 1,
        refunds: vec![RefundEntry {
            key: "k".to_owned(),
            amount: won(1),
            at: 2,
        }],
    };
    let event = Event {
        id: "payment.completed/9".to_owned(),
        topic: "payment.completed".to_owned(),
        key: "9".to_owned(),
        position: 1,
        occurred_at: 1,
        data: "{\"amount\":100}".to_owned(),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    };
    let tally = Tally {
        done: 1,
        left: 2,
        stuck: 3,
    };
    [
        check::<Charge>(charge(Method::Card), receipt(Method::Card), no_charge.clone()),
        check::<Charge>(charge(Method::Point), receipt(Method::Point), vec![]),
        check::<Charge>(charge(Method::Cash), receipt(Method::Cash), vec![]),
        check::<Charge>(charge(Method::Pg), receipt(Method::Pg), vec![]),
        check::<Confirm>(confirm, receipt(Method::Pg), no_charge),
        check::<Void>(void, failed, no_void),
        check::<Refund>(refund, receipt(Method::Card), no_refund),
        check::<Status>(StatusAsk { order: 9 }, StatusAnswer { payment: None }, vec![]),
        check::<Status>(
            StatusAsk { order: 9 },
            StatusAnswer {
                payment: Some(receipt(Method::Card)),
            },
            vec![],
        ),
        check::<Entries>(
            EntriesAsk {
                after: None,
                limit: 5,
            },
            EntriesAnswer { entries: vec![entry] },
            vec![],
        ),
        check::<Entries>(
            EntriesAsk {
                after: Some(9),
                limit: 5,
            },
            EntriesAnswer { entries: vec![] },
            vec![],
        ),
        check::<Recover>(RecoverAsk { limit: 5 }, tally, vec![]),
        check::<Drain>(
            DrainAsk {
                acknowledged: 7,
                limit: 5,
            },
            DrainAnswer {
                deliveries: vec![Delivery { event, published: 1 }],
            },
            vec![],
        ),
    ]
    .concat()
}

#[test]
fn all_of_stock_survives_the_wire() {
    expect![[r#"
        stock.reserve {"order":9,"lines":[{"sku":1,"quantity":2}],"until":1795217020000000}
          200 {}
          409 {"title":"The answer is no","status":409,"code":"invalid","detail":"no lines"}
          409 {"title":"The answer is no","status":409,"code":"differs-from-existing"}
          409 {"title":"The answer is no","status":409,"code":"ended"}
          409 {"title":"The answer is no","status":409,"code":"unknown-sku","sku":18446744073709551615}
          409 {"title":"The answer is no","status":409,"code":"insufficient","sku":1,"free":0}
        stock.commit {"order":9}
          200 {}
          409 {"title":"The answer is no","status":409,"code":"unknown-order"}
          409 {"title":"The answer is no","status":409,"code":"released"}
          409 {"title":"The answer is no","status":409,"code":"expired"}
        stock.commit-all {"orders":[9,9]}
          200 {"answers":[{"outcome":"done"},{"outcome":"refused","refusal":{"code":"unknown-order"}},{"outcome":"refused","refusal":{"code":"released"}},{"outcome":"refused","refusal":{"code":"expired"}},{"outcome":"unavailable","detail":"busy"}]}
        stock.release {"order":9}
          200 {}
          409 {"title":"The answer is no","status":409,"code":"committed"}
        stock.take-back {"order":9}
          200 {}
          409 {"title":"The answer is no","status":409,"code":"not-committed"}
        stock.level {"skus":[1,2]}
          200 {"levels":[{"sku":1,"onHand":10,"reserved":2}]}
          409 {"title":"The answer is no","status":409,"code":"unknown-sku","sku":2}
    "#]].assert_eq(&every_stock_function());
}

#[test]
fn all_of_payment_survives_the_wire() {
    expect![[r#"
        payment.charge {"order":9,"user":2,"amount":{"minor":100,"currency":"KRW"},"method":"card"}
          200 {"id":5,"state":"captured","method":"card","amount":{"minor":9007199254740991,"currency":"KRW"},"refunded":{"minor":0,"currency":"KRW"},"failure":null,"at":-1}
          409 {"title":"The answer is no","status":409,"code":"invalid","detail":"the amount is not above zero"}
          409 {"title":"The answer is no","status":409,"code":"differs-from-existing"}
          409 {"title":"The answer is no","status":409,"code":"method-not-offered"}
          409 {"title":"The answer is no","status":409,"code":"refused","reason":"REJECT_CARD_PAYMENT"}
        payment.charge {"order":9,"user":2,"amount":{"minor":100,"currency":"KRW"},"method":"point"}
          200 {"id":5,"state":"captured","method":"point","amount":{"minor":9007199254740991,"currency":"KRW"},"refunded":{"minor":0,"currency":"KRW"},"failure":null,"at":-1}
        payment.charge {"order":9,"user":2,"amount":{"minor":100,"currency":"KRW"},"method":"cash"}
          200 {"id":5,"state":"captured","method":"cash","amount":{"minor":9007199254740991,"currency":"KRW"},"refunded":{"minor":0,"currency":"KRW"},"failure":null,"at":-1}
        payment.charge {"order":9,"user":2,"amount":{"minor":100,"currency":"KRW"},"method":"pg"}
          200 {"id":5,"state":"captured","method":"pg","amount":{"minor":9007199254740991,"currency":"KRW"},"refunded":{"minor":0,"currency":"KRW"},"failure":null,"at":-1}
        payment.confirm {"order":9,"user":2,"amount":{"minor":100,"currency":"KRW"},"paymentKey":"pk"}
          200 {"id":5,"state":"captured","method":"pg","amount":{"minor":9007199254740991,"currency":"KRW"},"refunded":{"minor":0,"currency":"KRW"},"failure":null,"at":-1}
          409 {"title":"The answer is no","status":409,"code":"invalid","detail":"the amount is not above zero"}
          409 {"title":"The answer is no","status":409,"code":"differs-from-existing"}
          409 {"title":"The answer is no","status":409,"code":"method-not-offered"}
          409 {"title":"The answer is no","status":409,"code":"refused","reason":"REJECT_CARD_PAYMENT"}
        payment.void {"order":9,"user":2,"amount":{"minor":100,"currency":"KRW"},"method":"cash","key":"k","reason":"given up"}
          200 {"id":5,"state":"failed","method":"card","amount":{"minor":9007199254740991,"currency":"KRW"},"refunded":{"minor":0,"currency":"KRW"},"failure":"REJECT_CARD_PAYMENT","at":-1}
          409 {"title":"The answer is no","status":409,"code":"invalid","detail":"the amount is not above zero"}
          409 {"title":"The answer is no","status":409,"code":"refused","reason":"REJECT_CARD_PAYMENT"}
        payment.refund {"order":9,"key":"k","amount":{"minor":1,"currency":"KRW"},"reason":"\"broken\"\n"}
          200 {"id":5,"state":"captured","method":"card","amount":{"minor":9007199254740991,"currency":"KRW"},"refunded":{"minor":0,"currency":"KRW"},"failure":null,"at":-1}
          409 {"title":"The answer is no","status":409,"code":"invalid","detail":"the amount is not above zero"}
          409 {"title":"The answer is no","status":409,"code":"not-captured"}
          409 {"title":"The answer is no","status":409,"code":"differs-from-existing"}
          409 {"title":"The answer is no","status":409,"code":"exceeds-captured","left":{"minor":3,"currency":"KRW"}}
          409 {"title":"The answer is no","status":409,"code":"refused","reason":"REJECT_CARD_PAYMENT"}
        payment.status {"order":9}
          200 {"payment":null}
        payment.status {"order":9}
          200 {"payment":{"id":5,"state":"captured","method":"card","amount":{"minor":9007199254740991,"currency":"KRW"},"refunded":{"minor":0,"currency":"KRW"},"failure":null,"at":-1}}
        payment.entries {"after":null,"limit":5}
          200 {"entries":[{"order":9,"amount":{"minor":100,"currency":"KRW"},"at":1,"refunds":[{"key":"k","amount":{"minor":1,"currency":"KRW"},"at":2}]}]}
        payment.entries {"after":9,"limit":5}
          200 {"entries":[]}
        payment.recover {"limit":5}
          200 {"done":1,"left":2,"stuck":3}
        payment.drain {"acknowledged":7,"limit":5}
          200 {"deliveries":[{"event":{"id":"payment.completed/9","topic":"payment.completed","key":"9","position":1,"occurredAt":1,"data":"{\"amount\":100}","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},"published":1}]}
    "#]].assert_eq(&every_payment_function());
}

/// The words of a contract: its functions, and the cases of each of its errors.
fn words_of(wit: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut functions, mut cases, mut inside) = (Vec::new(), Vec::new(), false);
    for line in wit.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(": func(") {
            functions.push(name);
        } else if line.starts_with("variant ") {
            inside = true;
        } else if line.starts_with('}') {
            inside = false;
        } else if inside && !line.starts_with("///") {
            cases.push(line.split(['(', ',']).next().unwrap());
        }
    }
    (functions, cases)
}

/// A function or a case that is added to the contract and forgotten here is found.
fn covered(wits: &[&str], paths: &[&str], text: &str) {
    let mut functions = Vec::new();
    for wit in wits {
        let (names, cases) = words_of(wit);
        functions.extend(names);
        for case in cases.iter().filter(|case| **case != "unavailable") {
            assert!(text.contains(&format!("\"code\":\"{case}\"")), "{case}");
        }
    }
    let mut carried: Vec<&str> = paths
        .iter()
        .map(|path| path.rsplit('/').next().unwrap())
        .collect();
    functions.sort_unstable();
    carried.sort_unstable();
    assert_eq!(functions, carried);
}

#[test]
fn every_function_and_every_case_of_the_contracts_is_carried() {
    covered(
        &[include_str!("../../../wit/stock/stock.wit")],
        stock::PATHS,
        &every_stock_function(),
    );
    covered(
        &[
            include_str!("../../../wit/payment/payment.wit"),
            include_str!("../../../wit/payment/book.wit"),
            include_str!("../../../wit/payment/jobs.wit"),
        ],
        payment::PATHS,
        &every_payment_function(),
    );
}

#[test]
fn what_is_not_asked_as_agreed_is_refused() {
    let answer = |body: &str, target: &str| {
        let request = Request::new(Method::Post, target)
            .with_header("content-type", "application/json")
            .with_body(body);
        let response = Response::from(serve::<stock::Commit>(&request, |_| Ok(Done {})));
        (
            response.status(),
            read::<stock::Commit>(&reply(response)).into_answer().is_ok(),
        )
    };
    let path = stock::Commit::PATH;
    assert_eq!(answer(r#"{"order":9}"#, path), (200, true));
    for bad in [
        "",
        "{}",
        "9",
        "[9]",
        r#"{"order":"9"}"#,
        r#"{"order":-1}"#,
        r#"{"order":9,"also":1}"#,
    ] {
        assert_eq!(answer(bad, path), (400, false), "{bad}");
    }
    assert_eq!(answer(r#"{"order":9}"#, &format!("{path}?x=1")), (400, false));
}
