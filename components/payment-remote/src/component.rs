//! The wire: WIT on one side, the service's JSON on the other, and the way in between.

mod convert;

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
use forward::guest::{Context, Service, Waiting};
use remote::{Failure, Function, NoRefusal, payment as rpc};

/// The payments that are deployed on their own.
const PAYMENT: Service = Service {
    name: breaker::REMOTE_PAYMENT,
    variable: "payment_url",
};

#[expect(unsafe_code, reason = "the generated glue of the component's HTTP door")]
mod door {
    #[spin_sdk::http_component]
    async fn page(request: spin_sdk::http::Request) -> spin_sdk::http::Response {
        super::PAYMENT.page(request).await
    }
}

impl payment::Guest for api::Component {
    fn charge(
        ctx: CallContext,
        order: ids::OrderId,
        user: ids::UserId,
        amount: money::Money,
        method: payment::Method,
    ) -> Result<payment::Receipt, payment::ChargeError> {
        let ask = rpc::ChargeAsk {
            order: order.value,
            user: user.value,
            amount: convert::money(amount),
            method: convert::method(method),
        };
        let answer = PAYMENT.ask::<rpc::Charge>(context(ctx), Waiting::Payer, &ask);
        receipt(answer, convert::charge_refused, payment::ChargeError::Unavailable)
    }

    fn confirm(
        ctx: CallContext,
        order: ids::OrderId,
        user: ids::UserId,
        amount: money::Money,
        payment_key: String,
    ) -> Result<payment::Receipt, payment::ChargeError> {
        let ask = rpc::ConfirmAsk {
            order: order.value,
            user: user.value,
            amount: convert::money(amount),
            payment_key,
        };
        let answer = PAYMENT.ask::<rpc::Confirm>(context(ctx), Waiting::Payer, &ask);
        receipt(answer, convert::charge_refused, payment::ChargeError::Unavailable)
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
        let ask = rpc::VoidAsk {
            order: order.value,
            user: user.value,
            amount: convert::money(amount),
            method: convert::method(method),
            key,
            reason,
        };
        let answer = PAYMENT.ask::<rpc::Void>(context(ctx), Waiting::Payer, &ask);
        receipt(answer, convert::void_refused, payment::VoidError::Unavailable)
    }

    fn refund(
        ctx: CallContext,
        order: ids::OrderId,
        key: String,
        amount: money::Money,
        reason: String,
    ) -> Result<payment::Receipt, payment::RefundError> {
        let ask = rpc::RefundAsk {
            order: order.value,
            key,
            amount: convert::money(amount),
            reason,
        };
        let answer = PAYMENT.ask::<rpc::Refund>(context(ctx), Waiting::Payer, &ask);
        receipt(answer, convert::refund_refused, payment::RefundError::Unavailable)
    }

    fn status(
        ctx: CallContext,
        order: ids::OrderId,
    ) -> Result<Option<payment::Receipt>, payment::StatusError> {
        let ask = rpc::StatusAsk { order: order.value };
        let answer = asked::<rpc::Status>(ctx, Waiting::Payer, &ask);
        let answer = answer.map_err(payment::StatusError::Unavailable)?;
        Ok(answer.payment.map(convert::receipt))
    }
}

impl book::Guest for api::Component {
    fn entries(
        ctx: CallContext,
        after: Option<ids::OrderId>,
        limit: u32,
    ) -> Result<Vec<book::Entry>, book::BookError> {
        let ask = rpc::EntriesAsk {
            after: after.map(|order| order.value),
            limit,
        };
        let answer = asked::<rpc::Entries>(ctx, Waiting::Job, &ask);
        let answer = answer.map_err(book::BookError::Unavailable)?;
        Ok(answer.entries.into_iter().map(convert::entry).collect())
    }
}

impl jobs::Guest for api::Component {
    fn recover(ctx: CallContext, limit: u32) -> Result<Tally, JobError> {
        let answer = asked::<rpc::Recover>(ctx, Waiting::Job, &rpc::RecoverAsk { limit });
        let tally = answer.map_err(JobError::Unavailable)?;
        Ok(Tally {
            done: tally.done,
            left: tally.left,
            stuck: tally.stuck,
        })
    }

    /// Events of an answer that is lost count as published once, and come again after their back-off.
    fn drain(ctx: CallContext, acknowledged: u64, limit: u32) -> Result<Vec<Delivery>, JobError> {
        let ask = rpc::DrainAsk { acknowledged, limit };
        let answer = asked::<rpc::Drain>(ctx, Waiting::Job, &ask);
        let answer = answer.map_err(JobError::Unavailable)?;
        Ok(answer.deliveries.into_iter().map(convert::delivery).collect())
    }
}

/// Asks a function that never says no.
fn asked<F: Function<Refused = NoRefusal>>(
    ctx: CallContext,
    waiting: Waiting,
    ask: &F::Ask,
) -> Result<F::Answer, String> {
    PAYMENT
        .ask::<F>(context(ctx), waiting, ask)
        .map_err(|failure| match failure {
            Failure::Unavailable(why) => why,
            Failure::Refused(never) => match never {},
        })
}

fn receipt<R, E>(
    answer: Result<rpc::Receipt, Failure<R>>,
    refused: impl FnOnce(R) -> E,
    unavailable: impl FnOnce(String) -> E,
) -> Result<payment::Receipt, E> {
    answer.map(convert::receipt).map_err(|failure| match failure {
        Failure::Refused(why) => refused(why),
        Failure::Unavailable(why) => unavailable(why),
    })
}

fn context(ctx: CallContext) -> Context {
    Context {
        request_id: ctx.request_id,
        traceparent: ctx.traceparent,
    }
}
