//! Wasm only: the contracts of `shop:payment`, the gateway it works through, and the HTTP door.

mod composed;
mod said;
mod wire;

#[expect(unsafe_code, reason = "the generated glue of the component's exports")]
mod api {
    wit_bindgen::generate!({
        path: [
            "../../wit/types",
            "../../wit/events",
            "../../wit/payment-gateway",
            "../../wit/payment",
        ],
        world: "shop:payment/provider",
        generate_all,
    });
    pub(crate) struct Component;
    export!(Component);
}

use api::exports::shop::payment::{book, jobs, payment};
use api::shop::events::events::Delivery;
use api::shop::events::work::{JobError, Tally};
use api::shop::types::context::CallContext;
use api::shop::types::{ids, money};
use kernel::{OrderId, Outcome};
use store::{Db, DbError};
use web::{Problem, REQUEST_ID_HEADER, Request, Response, guest};

use crate::app::{App, Failed, Figures, Ledger};
use crate::domain::{ChargeRefused, Payment, RefundRefused, VoidRefused};
use crate::http::Call;
use crate::store::MIGRATIONS;
use composed::Composed;
use said::Said;

/// The database's label in the manifest.
const DATABASE: &str = "payment";

/// What the API's document says about payments.
const DOCUMENT: &str = include_str!("../openapi.json");

/// Payments in one answer of the books at most, whatever is asked for.
const MOST_ENTRIES: u32 = 500;

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
    if let Some(document) = web::document(&request, DOCUMENT) {
        return guest::respond(method, document);
    }
    if let Some(answer) = web::ready(&request, "payment.ready", || store::check(DATABASE, MIGRATIONS)) {
        return guest::respond(method, answer);
    }
    if request.path() == web::figures::PATH {
        return guest::respond(method, figures(&request).into());
    }
    if request.path().starts_with(remote::PREFIX) {
        return guest::respond(method, remotely(&request));
    }
    let response = guest::identity_key().map(|key| {
        let call = Call {
            key: &key,
            now: guest::now(),
        };
        let gateway = Composed {
            ctx: context(&request),
        };
        crate::http::handle(&request, &call, &gateway, || open(&gateway.ctx))
    });
    guest::respond(method, response.unwrap_or_else(Response::from))
}

fn figures(request: &Request) -> Result<Response, Problem> {
    let now = guest::now();
    web::figures::answer(request, &guest::identity_key()?, now, || {
        let counted = open(&context(request)).and_then(|db| db.count());
        let counted = counted.map_err(|error| Problem::unavailable_because("payment.figures", &error))?;
        Ok(crate::http::figures(&counted, now))
    })
}

/// What is asked by those who run elsewhere.
fn remotely(request: &Request) -> Response {
    let answer = || {
        let key = guest::internal_key(remote::KEY_VARIABLE)?;
        let call = crate::http::rpc::Call {
            key: &key,
            now: guest::now(),
            random: guest::random()?,
        };
        let gateway = Composed {
            ctx: context(request),
        };
        Ok(crate::http::rpc::handle(request, &call, &gateway, || {
            open(&gateway.ctx)
        }))
    };
    answer().into()
}

fn context(request: &Request) -> CallContext {
    CallContext {
        request_id: request.header(REQUEST_ID_HEADER).unwrap_or("").to_owned(),
        traceparent: request.header("traceparent").map(str::to_owned),
    }
}

/// Its database, for a call that is part of the context's trace.
fn open(ctx: &CallContext) -> Result<Db, DbError> {
    let traceparent = ctx.traceparent.as_deref().and_then(relay::trace::traceparent);
    Ok(store::open(DATABASE, MIGRATIONS)?.traced(traceparent.map(str::to_owned)))
}

impl payment::Guest for api::Component {
    fn charge(
        ctx: CallContext,
        order: ids::OrderId,
        user: ids::UserId,
        amount: money::Money,
        method: payment::Method,
    ) -> Result<payment::Receipt, payment::ChargeError> {
        use payment::ChargeError as Wire;
        let said = Said::new("payment.charge", &ctx, order.value);
        let charge = wire::charge_from_wire(order, user, &amount, method).map_err(Wire::Invalid)?;
        let db = open(&ctx).map_err(|error| Wire::Unavailable(said.trouble(&error.into())))?;
        let random = guest::random().map_err(|problem| Wire::Unavailable(problem.detail().to_owned()))?;
        let gateway = Composed { ctx };
        charged(&said, app(&db, &gateway).charge(&charge, guest::now(), random))
    }

    fn confirm(
        ctx: CallContext,
        order: ids::OrderId,
        user: ids::UserId,
        amount: money::Money,
        payment_key: String,
    ) -> Result<payment::Receipt, payment::ChargeError> {
        use payment::ChargeError as Wire;
        let said = Said::new("payment.confirm", &ctx, order.value);
        let confirmation = wire::confirmation_from_wire(order, user, &amount, &payment_key);
        let confirmation = confirmation.map_err(Wire::Invalid)?;
        let db = open(&ctx).map_err(|error| Wire::Unavailable(said.trouble(&error.into())))?;
        let random = guest::random().map_err(|problem| Wire::Unavailable(problem.detail().to_owned()))?;
        let gateway = Composed { ctx };
        charged(
            &said,
            app(&db, &gateway).confirm(&confirmation, guest::now(), random),
        )
    }

    fn void(
        ctx: CallContext,
        order: ids::OrderId,
        user: ids::UserId,
        amount: money::Money,
        method: payment::Method,
        key: String,
        reason: String,
    ) -> Result<payment::Receipt, payment::VoidError> {
        use payment::VoidError as Wire;
        let said = Said::new("payment.void", &ctx, order.value);
        let charge = wire::charge_from_wire(order, user, &amount, method);
        let void = wire::void_from_wire(charge, &key, reason).map_err(Wire::Invalid)?;
        let db = open(&ctx).map_err(|error| Wire::Unavailable(said.trouble(&error.into())))?;
        let random = guest::random().map_err(|problem| Wire::Unavailable(problem.detail().to_owned()))?;
        let gateway = Composed { ctx };
        match app(&db, &gateway).void(&void, guest::now(), random) {
            Ok(outcome) => Ok(wire::receipt(&outcome.into_inner())),
            Err(Failed::Unanswered(trouble)) => Err(Wire::Unavailable(said.trouble(&trouble))),
            Err(Failed::Refused(refused)) => {
                said.refusal(&refused);
                let VoidRefused::Refused(code) = refused;
                Err(Wire::Refused(code))
            }
        }
    }

    fn refund(
        ctx: CallContext,
        order: ids::OrderId,
        key: String,
        amount: money::Money,
        reason: String,
    ) -> Result<payment::Receipt, payment::RefundError> {
        use payment::RefundError as Wire;
        let said = Said::new("payment.refund", &ctx, order.value);
        let command = wire::refund_from_wire(order, &key, &amount, reason).map_err(Wire::Invalid)?;
        let db = open(&ctx).map_err(|error| Wire::Unavailable(said.trouble(&error.into())))?;
        let gateway = Composed { ctx };
        match app(&db, &gateway).refund(&command, guest::now()) {
            Ok(outcome) => Ok(wire::receipt(&outcome.into_inner())),
            Err(Failed::Unanswered(trouble)) => Err(Wire::Unavailable(said.trouble(&trouble))),
            Err(Failed::Refused(refused)) => {
                said.refusal(&refused);
                Err(match refused {
                    RefundRefused::NotCaptured => Wire::NotCaptured,
                    RefundRefused::DiffersFromExisting => Wire::DiffersFromExisting,
                    RefundRefused::ExceedsCaptured(left) => Wire::ExceedsCaptured(wire::money_to_wire(left)),
                    RefundRefused::Refused(code) => Wire::Refused(code),
                })
            }
        }
    }

    fn status(
        ctx: CallContext,
        order: ids::OrderId,
    ) -> Result<Option<payment::Receipt>, payment::StatusError> {
        use payment::StatusError as Wire;
        let said = Said::new("payment.status", &ctx, order.value);
        let Ok(order) = OrderId::try_new(order.value) else {
            return Ok(None);
        };
        let db = open(&ctx).map_err(|error| Wire::Unavailable(said.trouble(&error.into())))?;
        let gateway = Composed { ctx };
        match app(&db, &gateway).status(order) {
            Ok(payment) => Ok(payment.as_ref().map(wire::receipt)),
            Err(trouble) => Err(Wire::Unavailable(said.trouble(&trouble))),
        }
    }
}

impl book::Guest for api::Component {
    fn entries(
        ctx: CallContext,
        after: Option<ids::OrderId>,
        limit: u32,
    ) -> Result<Vec<book::Entry>, book::BookError> {
        use book::BookError as Wire;
        let said = Said::of_all("payment.entries", &ctx);
        let after = match after.filter(|order| order.value > 0) {
            None => None,
            Some(order) => match OrderId::try_new(order.value) {
                Ok(order) => Some(order),
                // Beyond every number that an order can have there is nothing.
                Err(_) => return Ok(Vec::new()),
            },
        };
        let found = open(&ctx).and_then(|db| db.captured(after, limit.min(MOST_ENTRIES)));
        let found = found.map_err(|error| Wire::Unavailable(said.trouble(&error.into())))?;
        Ok(found
            .iter()
            .map(|(payment, refunds)| wire::entry(payment, refunds))
            .collect())
    }
}

impl jobs::Guest for api::Component {
    fn recover(ctx: CallContext, limit: u32) -> Result<Tally, JobError> {
        let said = Said::of_all("payment.recover", &ctx);
        let db = open(&ctx).map_err(|error| JobError::Unavailable(said.trouble(&error.into())))?;
        let gateway = Composed { ctx };
        let tally = app(&db, &gateway)
            .recover(limit, guest::now())
            .map_err(|trouble| JobError::Unavailable(said.trouble(&trouble)))?;
        if tally.stuck > 0 {
            said.alarm(&format!("the gateway keeps the money of {}", tally.stuck));
        }
        Ok(Tally {
            done: tally.done,
            left: tally.left,
            stuck: tally.stuck,
        })
    }

    fn drain(ctx: CallContext, acknowledged: u64, limit: u32) -> Result<Vec<Delivery>, JobError> {
        let said = Said::of_all("payment.drain", &ctx);
        let due = open(&ctx).and_then(|db| relay::outbox::drain(&db, guest::now(), acknowledged, limit));
        let due = due.map_err(|error| JobError::Unavailable(said.trouble(&error.into())))?;
        Ok(due.into_iter().map(wire::delivery).collect())
    }
}

const fn app<'a>(payments: &'a Db, gateway: &'a Composed) -> App<'a, Db, Composed> {
    App { payments, gateway }
}

fn charged(
    said: &Said,
    answer: Result<Outcome<Payment>, Failed<ChargeRefused>>,
) -> Result<payment::Receipt, payment::ChargeError> {
    use payment::ChargeError as Wire;
    match answer {
        Ok(outcome) => Ok(wire::receipt(&outcome.into_inner())),
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
