use super::*;

fn table(problems: impl IntoIterator<Item = Problem>) -> String {
    let line = |problem: Problem| {
        let (status, text) = (problem.code().status(), problem.code().text());
        let detail = problem.detail().to_owned();
        let response = web::Response::from(problem);
        let again = response
            .header_value("retry-after")
            .map(|after| format!(" (again in {after} s)"));
        format!("{status} {text}: {detail}{}\n", again.unwrap_or_default())
    };
    problems.into_iter().map(line).collect()
}

#[test]
fn refusals_of_an_order_map_to_statuses() {
    let place = [
        PlaceError::EmptyCart,
        PlaceError::CartOutdated(0),
        PlaceError::UnknownItem(0),
        PlaceError::SkuRequired(2),
        PlaceError::TooLarge,
        PlaceError::Key(KeyError::Reused),
        PlaceError::Unavailable("secret".to_owned()),
        PlaceError::Setting("secret".to_owned()),
        PlaceError::Store(DbError::Busy),
        PlaceError::Store(DbError::Other("select secret".to_owned())),
    ];
    let failures = [
        Failure::OutOfStock { free: 0 },
        Failure::OutOfStock { free: 2 },
        Failure::PaymentRefused {
            code: "REJECT_CARD_PAYMENT".to_owned(),
        },
        Failure::MethodNotOffered,
        Failure::Unavailable,
        Failure::Abandoned,
    ];
    let text = table(place.iter().map(place_problem)) + &table(failures.iter().map(failure_problem));
    expect_test::expect![[r#"
        400 VALIDATION_FAILED: the cart is empty
        409 CONFLICT: line 1 of the cart is not for sale any more
        404 NOT_FOUND: item 1 is not for sale
        422 UNPROCESSABLE: items[2].skuId is needed: the product comes in several kinds
        422 UNPROCESSABLE: the order is too large to be placed at once
        422 UNPROCESSABLE: this Idempotency-Key was used with another body before
        503 SERVICE_UNAVAILABLE: please try again in a moment (again in 1 s)
        500 INTERNAL_ERROR: the error was recorded and will be looked at
        503 SERVICE_UNAVAILABLE: please try again in a moment (again in 1 s)
        500 INTERNAL_ERROR: the error was recorded and will be looked at
        409 OUT_OF_STOCK: sold out
        409 OUT_OF_STOCK: only 2 left
        402 PAYMENT_REFUSED: the payment was refused: REJECT_CARD_PAYMENT
        422 UNPROCESSABLE: this paymentMethod is not offered at the moment
        503 SERVICE_UNAVAILABLE: please try again in a moment (again in 1 s)
        503 SERVICE_UNAVAILABLE: please try again in a moment (again in 1 s)
    "#]]
    .assert_eq(&text);
}

#[test]
fn refusals_of_what_comes_later_map_to_statuses() {
    let confirm = [
        ConfirmError::NotFound,
        ConfirmError::Refused(ConfirmRefused::WrongAmount { due: 20_000 }),
        ConfirmError::Refused(ConfirmRefused::StillPlaced),
        ConfirmError::Refused(ConfirmRefused::UnderWay),
        ConfirmError::Refused(ConfirmRefused::TooLate),
        ConfirmError::Refused(ConfirmRefused::NotAwaited { state: "PAID" }),
        ConfirmError::Key(KeyError::Reused),
        ConfirmError::Store(DbError::Busy),
    ];
    let cancel = [
        CancelError::NotFound,
        CancelError::Refused(CancelRefused::UnderWay),
        CancelError::Refused(CancelRefused::NotPaid { state: "FAILED" }),
        CancelError::Key(KeyError::Store(DbError::Busy)),
        CancelError::Store(DbError::ForeignKey),
    ];
    let retry = [
        RetryError::NotFound,
        RetryError::NotStuck,
        RetryError::Store(DbError::Busy),
    ];
    let text = table(confirm.iter().map(confirm_problem))
        + &table(cancel.iter().map(cancel_problem))
        + &table(retry.iter().map(retry_problem));
    expect_test::expect![[r#"
        404 NOT_FOUND: no such order
        422 UNPROCESSABLE: the amount due is 20000
        409 CONFLICT: the order is still being placed (again in 1 s)
        409 CONFLICT: its payment is being confirmed (again in 1 s)
        409 CONFLICT: its time to pay has run out
        409 CONFLICT: the order is PAID and does not wait for a payment
        422 UNPROCESSABLE: this Idempotency-Key was used with another body before
        503 SERVICE_UNAVAILABLE: please try again in a moment (again in 1 s)
        404 NOT_FOUND: no such order
        409 CONFLICT: the order is being cancelled
        409 CONFLICT: the order is FAILED; only a PAID one can be cancelled
        503 SERVICE_UNAVAILABLE: please try again in a moment (again in 1 s)
        500 INTERNAL_ERROR: the error was recorded and will be looked at
        404 NOT_FOUND: no such order
        409 CONFLICT: the order is not stuck, or not at this attempt
        503 SERVICE_UNAVAILABLE: please try again in a moment (again in 1 s)
    "#]]
    .assert_eq(&text);
}

#[test]
fn what_is_not_decided_says_so() {
    let id = OrderId::try_new(1).unwrap();
    let all = [Asked::Place, Asked::Confirm, Asked::Cancel];
    let text = table([running_problem(id)])
        + &table(all.map(|asked| open_problem(asked, id)))
        + &table(all.map(|asked| stuck_problem(asked, id)));
    expect_test::expect![[r#"
        409 CONFLICT: order 000000-00001 is still being processed (again in 1 s)
        503 SERVICE_UNAVAILABLE: order 000000-00001 could not be completed yet; look at it before you order again (again in 5 s)
        503 SERVICE_UNAVAILABLE: the payment of order 000000-00001 is not decided yet; look at it before you pay again (again in 5 s)
        503 SERVICE_UNAVAILABLE: the cancellation of order 000000-00001 is not completed yet; it goes on by itself (again in 5 s)
        502 BAD_GATEWAY: order 000000-00001 failed and could not be given back whole; somebody looks into it
        502 BAD_GATEWAY: order 000000-00001 failed and could not be given back whole; somebody looks into it
        502 BAD_GATEWAY: the refund of order 000000-00001 was refused; somebody looks into it
    "#]].assert_eq(&text);
}
