//! Wasm only: the contract `shop:payment`, the gateway it works through, and the HTTP door.

#[expect(unsafe_code, reason = "the generated glue of the component's exports")]
mod api {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/payment-gateway", "../../wit/payment"],
        world: "shop:payment/provider",
        generate_all,
    });
    pub(crate) struct Component;
    export!(Component);
}

use api::exports::shop::payment::payment as wire;
use api::shop::payment_gateway::gateway as pg;
use api::shop::types::context::CallContext;
use api::shop::types::{ids, money, time};
use kernel::{Currency, Money, OrderId, UserId};
use store::{Db, DbError};
use web::{Response, guest};

use crate::app::{App, Approval, ApproveError, CancelError, Failed, Gateway, Trouble};
use crate::domain::{
    Amount, Charge, ChargeRefused, Method, NewRefund, Payment, RefundKey, RefundRefused, State,
};
use crate::store::MIGRATIONS;

/// The database's label in the manifest.
const DATABASE: &str = "payment";

#[expect(unsafe_code, reason = "the generated glue of the component's HTTP door")]
mod door {
    #[spin_sdk::http_component]
    fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
        super::serve(wire)
    }
}

fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
    let request = guest::request(wire);
    let method = request.method();
    let response = guest::identity_key().map(|key| crate::http::handle(&request, &key, guest::now(), open));
    guest::respond(method, response.unwrap_or_else(Response::from))
}

fn open() -> Result<Db, DbError> {
    store::spin::open(DATABASE, MIGRATIONS)
}

impl wire::Guest for api::Component {
    fn charge(
        ctx: CallContext,
        order: ids::OrderId,
        user: ids::UserId,
        amount: money::Money,
        method: wire::Method,
    ) -> Result<wire::Receipt, wire::ChargeError> {
        use wire::ChargeError as Wire;
        let said = Said::new("payment.charge", &ctx, order);
        let charge = charge_from_wire(order, user, &amount, method).map_err(Wire::Invalid)?;
        let db = open().map_err(|error| Wire::Unavailable(said.trouble(&error.into())))?;
        let random = guest::random().map_err(|problem| Wire::Unavailable(problem.detail().to_owned()))?;
        let gateway = Composed { ctx };
        match app(&db, &gateway).charge(&charge, guest::now(), random) {
            Ok(outcome) => Ok(receipt(&outcome.into_inner())),
            Err(Failed::Unanswered(trouble)) => Err(Wire::Unavailable(said.trouble(&trouble))),
            Err(Failed::Refused(refused)) => {
                said.refusal(&refused);
                Err(match refused {
                    ChargeRefused::DiffersFromExisting => Wire::DiffersFromExisting,
                    ChargeRefused::MethodNotOffered => Wire::MethodNotOffered,
                    ChargeRefused::Refused(code) => Wire::Refused(code),
                })
            }
        }
    }

    fn refund(
        ctx: CallContext,
        order: ids::OrderId,
        key: String,
        amount: money::Money,
        reason: String,
    ) -> Result<wire::Receipt, wire::RefundError> {
        use wire::RefundError as Wire;
        let said = Said::new("payment.refund", &ctx, order);
        let command = refund_from_wire(order, &key, &amount, reason).map_err(Wire::Invalid)?;
        let db = open().map_err(|error| Wire::Unavailable(said.trouble(&error.into())))?;
        let gateway = Composed { ctx };
        match app(&db, &gateway).refund(&command, guest::now()) {
            Ok(outcome) => Ok(receipt(&outcome.into_inner())),
            Err(Failed::Unanswered(trouble)) => Err(Wire::Unavailable(said.trouble(&trouble))),
            Err(Failed::Refused(refused)) => {
                said.refusal(&refused);
                Err(match refused {
                    RefundRefused::NotCaptured => Wire::NotCaptured,
                    RefundRefused::DiffersFromExisting => Wire::DiffersFromExisting,
                    RefundRefused::ExceedsCaptured(left) => Wire::ExceedsCaptured(money_to_wire(left)),
                    RefundRefused::Refused(code) => Wire::Refused(code),
                })
            }
        }
    }

    fn status(ctx: CallContext, order: ids::OrderId) -> Result<Option<wire::Receipt>, wire::StatusError> {
        use wire::StatusError as Wire;
        let said = Said::new("payment.status", &ctx, order);
        let Ok(order) = OrderId::try_new(order.value) else {
            return Ok(None);
        };
        let db = open().map_err(|error| Wire::Unavailable(said.trouble(&error.into())))?;
        let gateway = Composed { ctx };
        match app(&db, &gateway).status(order) {
            Ok(payment) => Ok(payment.as_ref().map(receipt)),
            Err(trouble) => Err(Wire::Unavailable(said.trouble(&trouble))),
        }
    }
}

const fn app<'a>(payments: &'a Db, gateway: &'a Composed) -> App<'a, Db, Composed> {
    App { payments, gateway }
}

/// The gateway this component was composed with, asked in the context of one call.
struct Composed {
    ctx: CallContext,
}

impl Gateway for Composed {
    fn approve(&self, order: OrderId, amount: Money) -> Result<Approval, ApproveError> {
        let answer = pg::approve(&self.ctx, order_to_wire(order), &money_to_wire(amount));
        let approval = answer.map_err(|error| match error {
            pg::ApproveError::Refused(code) => ApproveError::Refused(code),
            pg::ApproveError::DiffersFromExisting => ApproveError::DiffersFromExisting,
            pg::ApproveError::Unavailable(why) => ApproveError::Unavailable(why),
        })?;
        Ok(Approval {
            payment_key: approval.payment_key,
            amount: money_from_wire(&approval.amount).map_err(ApproveError::Unavailable)?,
        })
    }

    fn cancel(
        &self,
        payment_key: &str,
        cancel_key: &str,
        amount: Money,
        reason: &str,
    ) -> Result<(), CancelError> {
        let amount = money_to_wire(amount);
        pg::cancel(&self.ctx, payment_key, cancel_key, &amount, reason).map_err(|error| match error {
            pg::CancelError::UnknownPayment => CancelError::UnknownPayment,
            pg::CancelError::DiffersFromExisting => CancelError::DiffersFromExisting,
            pg::CancelError::ExceedsRemaining(_) => CancelError::ExceedsRemaining,
            pg::CancelError::Refused(code) => CancelError::Refused(code),
            pg::CancelError::Unavailable(why) => CancelError::Unavailable(why),
        })
    }

    fn took_money(&self, order: OrderId) -> Result<bool, String> {
        match pg::find(&self.ctx, order_to_wire(order)) {
            Ok(entry) => Ok(entry.is_some()),
            Err(pg::FindError::Unavailable(why)) => Err(why),
        }
    }
}

/// What goes into the log about one call.
struct Said {
    operation: &'static str,
    subject: String,
}

impl Said {
    fn new(operation: &'static str, ctx: &CallContext, order: ids::OrderId) -> Self {
        let subject = format!("request {} order {}", ctx.request_id, order.value);
        Self { operation, subject }
    }

    fn refusal(&self, refused: &dyn std::fmt::Display) {
        web::log::info(self.operation, &format!("{}: {refused}", self.subject));
    }

    /// Logs the whole story and answers what the caller may know.
    fn trouble(&self, trouble: &Trouble) -> String {
        let line = format!("{}: {trouble}", self.subject);
        let defect = matches!(trouble, Trouble::Store(error) if !error.retryable());
        if defect {
            web::log::error(self.operation, &line);
        } else {
            web::log::warn(self.operation, &line);
        }
        match trouble {
            Trouble::Gateway(_) => "the payment gateway does not answer".to_owned(),
            Trouble::Unsettled => "an earlier charge is not settled yet: repeat it".to_owned(),
            Trouble::Contended | Trouble::Store(_) => "the payment store does not answer".to_owned(),
        }
    }
}

fn charge_from_wire(
    order: ids::OrderId,
    user: ids::UserId,
    amount: &money::Money,
    method: wire::Method,
) -> Result<Charge, String> {
    Ok(Charge {
        order: OrderId::try_new(order.value).map_err(|error| error.to_string())?,
        user: UserId::try_new(user.value).map_err(|error| error.to_string())?,
        amount: amount_from_wire(amount)?,
        method: match method {
            wire::Method::Card => Method::Card,
            wire::Method::Point => Method::Point,
            wire::Method::Cash => Method::Cash,
            wire::Method::Pg => Method::Pg,
        },
    })
}

fn refund_from_wire(
    order: ids::OrderId,
    key: &str,
    amount: &money::Money,
    reason: String,
) -> Result<NewRefund, String> {
    Ok(NewRefund {
        order: OrderId::try_new(order.value).map_err(|error| error.to_string())?,
        key: RefundKey::try_new(key).map_err(|error| error.to_string())?,
        amount: amount_from_wire(amount)?,
        reason,
    })
}

fn amount_from_wire(wire: &money::Money) -> Result<Amount, String> {
    Amount::try_new(money_from_wire(wire)?).map_err(|error| error.to_string())
}

fn money_from_wire(wire: &money::Money) -> Result<Money, String> {
    let currency = Currency::parse(&wire.currency).ok_or("this currency is not taken")?;
    Money::try_new(wire.minor, currency).map_err(|error| error.to_string())
}

fn money_to_wire(money: Money) -> money::Money {
    money::Money {
        minor: money.minor(),
        currency: money.currency().code().to_owned(),
    }
}

const fn order_to_wire(order: OrderId) -> ids::OrderId {
    ids::OrderId { value: order.get() }
}

fn receipt(payment: &Payment) -> wire::Receipt {
    let (state, failure) = match &payment.state {
        State::Captured { .. } => (wire::State::Captured, None),
        State::Failed { code } => (wire::State::Failed, Some(code.clone())),
    };
    wire::Receipt {
        id: ids::PaymentId {
            value: payment.id.get(),
        },
        state,
        method: match payment.method {
            Method::Card => wire::Method::Card,
            Method::Point => wire::Method::Point,
            Method::Cash => wire::Method::Cash,
            Method::Pg => wire::Method::Pg,
        },
        amount: money_to_wire(payment.amount),
        refunded: money_to_wire(payment.refunded()),
        failure,
        at: time::Instant {
            micros: payment.at.micros(),
        },
    }
}
