//! Wasm only: the contract `shop:payment-gateway`, and the variable that steers it.

#[expect(unsafe_code, reason = "the generated glue of the component's exports")]
mod api {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/payment-gateway"],
        world: "shop:payment-gateway/provider",
        generate_all,
    });
    pub(crate) struct Component;
    export!(Component);
}

use api::exports::shop::payment_gateway::gateway as wire;
use api::shop::types::{context::CallContext, ids, money};
use kernel::{Currency, Millis, Money, OrderId};
use store::Db;

use crate::app::{ApproveError, CancelError, Gateway};
use crate::domain::{Approval, ApproveRefused, CancelRefused, Rules};
use crate::store::MIGRATIONS;

/// The database's label in the manifest.
const DATABASE: &str = "pg";

/// The variable with the rules; without it everything is approved.
const RULES: &str = "fake_pg_rules";

/// What a caller is told when the gateway can't be asked; the log knows why.
const SILENT: &str = "the payment gateway does not answer";

/// The code for what no gateway would take: no money, or a currency it does not know.
const INVALID: &str = "INVALID_REQUEST";

/// The longest cancel key that is remembered, in bytes.
const MAX_CANCEL_KEY: usize = 500;

impl wire::Guest for api::Component {
    fn approve(
        ctx: CallContext,
        order: ids::OrderId,
        amount: money::Money,
    ) -> Result<wire::Approval, wire::ApproveError> {
        use wire::ApproveError as Wire;
        let (Ok(order), Some(amount)) = (OrderId::try_new(order.value), positive(&amount)) else {
            return Err(Wire::Refused(INVALID.to_owned()));
        };
        let said = Said::new("pg.approve", &ctx, format!("order {order}"));
        let (db, rules) = open(&said).map_err(Wire::Unavailable)?;
        approval_or_why(&said, gateway(&db, &rules).approve(order, amount))
    }

    fn confirm(
        ctx: CallContext,
        order: ids::OrderId,
        payment_key: String,
        amount: money::Money,
    ) -> Result<wire::Approval, wire::ApproveError> {
        use wire::ApproveError as Wire;
        let (Ok(order), Some(amount)) = (OrderId::try_new(order.value), positive(&amount)) else {
            return Err(Wire::Refused(INVALID.to_owned()));
        };
        let said = Said::new("pg.confirm", &ctx, format!("order {order}"));
        let (db, rules) = open(&said).map_err(Wire::Unavailable)?;
        approval_or_why(&said, gateway(&db, &rules).confirm(order, &payment_key, amount))
    }

    fn cancel(
        ctx: CallContext,
        payment_key: String,
        cancel_key: String,
        amount: money::Money,
        reason: String,
    ) -> Result<(), wire::CancelError> {
        use wire::CancelError as Wire;
        let key_fits = (1..=MAX_CANCEL_KEY).contains(&cancel_key.len());
        let Some(amount) = positive(&amount).filter(|_| key_fits) else {
            return Err(Wire::Refused(INVALID.to_owned()));
        };
        let said = Said::new("pg.cancel", &ctx, &payment_key);
        let (db, rules) = open(&said).map_err(Wire::Unavailable)?;
        match gateway(&db, &rules).cancel(&payment_key, &cancel_key, amount, &reason) {
            Ok(()) => Ok(()),
            Err(CancelError::Refused(refused)) => {
                said.refusal(&refused);
                Err(match refused {
                    CancelRefused::UnknownPayment => Wire::UnknownPayment,
                    CancelRefused::DiffersFromExisting => Wire::DiffersFromExisting,
                    CancelRefused::ExceedsRemaining(left) => Wire::ExceedsRemaining(money_to_wire(left)),
                    CancelRefused::Refused(code) => Wire::Refused(code),
                })
            }
            Err(CancelError::NoAnswer) => Err(Wire::Unavailable(said.steered())),
            Err(CancelError::Book(error)) => Err(Wire::Unavailable(said.outage(&error))),
        }
    }

    fn find(ctx: CallContext, order: ids::OrderId) -> Result<Option<wire::Entry>, wire::FindError> {
        use wire::FindError as Wire;
        let Ok(order) = OrderId::try_new(order.value) else {
            return Ok(None);
        };
        let said = Said::new("pg.find", &ctx, format!("order {order}"));
        let (db, rules) = open(&said).map_err(Wire::Unavailable)?;
        let found = gateway(&db, &rules)
            .find(order)
            .map_err(|error| Wire::Unavailable(said.outage(&error)))?;
        Ok(found.map(|approval| wire::Entry {
            approval: approval_to_wire(&approval),
            cancelled: money_to_wire(approval.cancelled),
        }))
    }
}

fn approval_or_why(
    said: &Said,
    answer: Result<Approval, ApproveError>,
) -> Result<wire::Approval, wire::ApproveError> {
    use wire::ApproveError as Wire;
    match answer {
        Ok(approval) => Ok(approval_to_wire(&approval)),
        Err(ApproveError::Refused(refused)) => {
            said.refusal(&refused);
            Err(match refused {
                ApproveRefused::Refused(code) => Wire::Refused(code),
                ApproveRefused::DiffersFromExisting => Wire::DiffersFromExisting,
            })
        }
        Err(ApproveError::NoAnswer) => Err(Wire::Unavailable(said.steered())),
        Err(ApproveError::Book(error)) => Err(Wire::Unavailable(said.outage(&error))),
    }
}

fn gateway<'a>(db: &'a Db, rules: &'a Rules) -> Gateway<'a, Db> {
    let wait = &|wait: Millis| std::thread::sleep(std::time::Duration::from_millis(wait.0.into()));
    Gateway {
        book: db,
        rules,
        wait,
    }
}

/// The book and the rules. Rules that can't be read never approve anything.
fn open(said: &Said) -> Result<(Db, Rules), String> {
    let text = match spin_sdk::variables::get(RULES) {
        Ok(text) => text,
        Err(spin_sdk::variables::Error::Undefined(_)) => String::new(),
        Err(error) => return Err(said.outage(&format!("{RULES}: {error:?}"))),
    };
    let rules = Rules::parse(&text).map_err(|error| said.outage(&format!("{RULES}: {error}")))?;
    let db = store::open(DATABASE, MIGRATIONS).map_err(|error| said.outage(&error))?;
    Ok((db, rules))
}

/// What goes into the log about one call.
struct Said {
    operation: &'static str,
    subject: String,
}

impl Said {
    fn new(operation: &'static str, ctx: &CallContext, subject: impl std::fmt::Display) -> Self {
        let subject = format!("request {} {subject}", ctx.request_id);
        Self { operation, subject }
    }

    fn refusal(&self, refused: &dyn std::fmt::Display) {
        web::log::info(self.operation, &format!("{}: {refused}", self.subject));
    }

    fn steered(&self) -> String {
        web::log::warn(
            self.operation,
            &format!("{}: a rule keeps the answer", self.subject),
        );
        SILENT.to_owned()
    }

    fn outage(&self, story: &dyn std::fmt::Display) -> String {
        web::log::error(self.operation, &format!("{}: {story}", self.subject));
        SILENT.to_owned()
    }
}

fn positive(wire: &money::Money) -> Option<Money> {
    let currency = Currency::parse(&wire.currency)?;
    let amount = Money::try_new(wire.minor, currency).ok()?;
    amount.is_positive().then_some(amount)
}

fn approval_to_wire(approval: &Approval) -> wire::Approval {
    wire::Approval {
        payment_key: approval.key.as_str().to_owned(),
        amount: money_to_wire(approval.amount),
    }
}

fn money_to_wire(money: Money) -> money::Money {
    money::Money {
        minor: money.minor(),
        currency: money.currency().code().to_owned(),
    }
}
