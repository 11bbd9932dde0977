//! The contracts over HTTP, for those who run elsewhere: the same use cases as `component.rs` gives to those who are
//! composed with this component, and the same answers.
//!
//! Closed without the key, and behind no door of the shop.

mod convert;

use std::fmt::Display;

use kernel::{Instant, OrderId, Outcome};
use remote::payment as wire;
use remote::{Failure, Function, serve};
use store::DbError;
use web::{InternalKey, Method, Problem, REQUEST_ID_HEADER, Request, Response, Route, find};

use crate::app::{App, Failed, Gateway, Ledger, Outbox, Payments, Trouble};
use crate::domain::{ChargeRefused, Payment, RefundRefused, VoidRefused};

/// Payments in one answer of the books at most, whatever is asked for.
const MOST_ENTRIES: u32 = 500;

/// A function of the contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `payment.charge`
    Charge,
    /// `payment.confirm`
    Confirm,
    /// `payment.void`
    Void,
    /// `payment.refund`
    Refund,
    /// `payment.status`
    Status,
    /// `book.entries`
    Entries,
    /// `jobs.recover`
    Recover,
    /// `jobs.drain`
    Drain,
}

const fn route<F: Function>(endpoint: Endpoint) -> Route<Endpoint> {
    Route {
        method: Method::Post,
        pattern: F::PATH,
        endpoint,
    }
}

/// Every function of the contracts.
pub const ROUTES: &[Route<Endpoint>] = &[
    route::<wire::Charge>(Endpoint::Charge),
    route::<wire::Confirm>(Endpoint::Confirm),
    route::<wire::Void>(Endpoint::Void),
    route::<wire::Refund>(Endpoint::Refund),
    route::<wire::Status>(Endpoint::Status),
    route::<wire::Entries>(Endpoint::Entries),
    route::<wire::Recover>(Endpoint::Recover),
    route::<wire::Drain>(Endpoint::Drain),
];

/// How callers are known, when it is, and what a payment's id is made of.
pub struct Call<'a> {
    /// What they must have.
    pub key: &'a InternalKey,
    /// The moment of the request.
    pub now: Instant,
    /// Random bits.
    pub random: u64,
}

/// Answers a call. The database is opened only for who has the key.
pub fn handle<P: Payments + Ledger + Outbox, G: Gateway>(
    request: &Request,
    call: &Call<'_>,
    gateway: &G,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Response {
    let answer = || {
        call.key.admit(request)?;
        let (endpoint, _) = find(ROUTES, request)?;
        let desk = Desk {
            request,
            call,
            gateway,
            open,
        };
        match endpoint {
            Endpoint::Charge => serve::<wire::Charge>(request, |ask| desk.charge(&ask)),
            Endpoint::Confirm => serve::<wire::Confirm>(request, |ask| desk.confirm(&ask)),
            Endpoint::Void => serve::<wire::Void>(request, |ask| desk.void(ask)),
            Endpoint::Refund => serve::<wire::Refund>(request, |ask| desk.refund(ask)),
            Endpoint::Status => serve::<wire::Status>(request, |ask| desk.status(&ask)),
            Endpoint::Entries => serve::<wire::Entries>(request, |ask| desk.entries(&ask)),
            Endpoint::Recover => serve::<wire::Recover>(request, |ask| desk.recover(&ask)),
            Endpoint::Drain => serve::<wire::Drain>(request, |ask| desk.drain(&ask)),
        }
    };
    answer().unwrap_or_else(Problem::into)
}

type Answer<T, R> = Result<T, Failure<R>>;

/// One call and what it takes to answer it.
struct Desk<'a, G, O> {
    request: &'a Request,
    call: &'a Call<'a>,
    gateway: &'a G,
    open: O,
}

impl<P, G, O> Desk<'_, G, O>
where
    P: Payments + Ledger + Outbox,
    G: Gateway,
    O: FnOnce() -> Result<P, DbError>,
{
    fn charge(self, ask: &wire::ChargeAsk) -> Answer<wire::Receipt, wire::ChargeRefused> {
        let invalid = |detail| wire::ChargeRefused::Invalid { detail };
        let charge = convert::charge(ask).map_err(invalid)?;
        let random = self.call.random;
        let said = self.said(wire::Charge::NAME, ask.order);
        let answer = self.run(|app, now| app.charge(&charge, now, random));
        said.receipt(answer, charge_refused)
    }

    fn confirm(self, ask: &wire::ConfirmAsk) -> Answer<wire::Receipt, wire::ChargeRefused> {
        let invalid = |detail| wire::ChargeRefused::Invalid { detail };
        let confirmation = convert::confirmation(ask).map_err(invalid)?;
        let random = self.call.random;
        let said = self.said(wire::Confirm::NAME, ask.order);
        let answer = self.run(|app, now| app.confirm(&confirmation, now, random));
        said.receipt(answer, charge_refused)
    }

    fn void(self, ask: wire::VoidAsk) -> Answer<wire::Receipt, wire::VoidRefused> {
        let invalid = |detail| wire::VoidRefused::Invalid { detail };
        let (order, random) = (ask.order, self.call.random);
        let void = convert::void(ask).map_err(invalid)?;
        let said = self.said(wire::Void::NAME, order);
        let answer = self.run(|app, now| app.void(&void, now, random));
        said.receipt(answer, |VoidRefused::Refused(reason)| {
            wire::VoidRefused::Refused { reason }
        })
    }

    fn refund(self, ask: wire::RefundAsk) -> Answer<wire::Receipt, wire::RefundRefused> {
        let invalid = |detail| wire::RefundRefused::Invalid { detail };
        let order = ask.order;
        let refund = convert::refund(ask).map_err(invalid)?;
        let said = self.said(wire::Refund::NAME, order);
        let answer = self.run(|app, now| app.refund(&refund, now));
        said.receipt(answer, refund_refused)
    }

    fn status(self, ask: &wire::StatusAsk) -> Answer<wire::StatusAnswer, remote::NoRefusal> {
        let Ok(order) = OrderId::try_new(ask.order) else {
            return Ok(wire::StatusAnswer { payment: None });
        };
        let said = self.said(wire::Status::NAME, ask.order);
        let found = self.run(|app, _| app.status(order));
        let found = found.map_err(|trouble| said.trouble(&trouble))?;
        Ok(wire::StatusAnswer {
            payment: found.as_ref().map(convert::receipt),
        })
    }

    fn entries(self, ask: &wire::EntriesAsk) -> Answer<wire::EntriesAnswer, remote::NoRefusal> {
        let after = match ask.after.filter(|order| *order > 0).map(OrderId::try_new) {
            None => None,
            Some(Ok(order)) => Some(order),
            // Beyond every number that an order can have there is nothing.
            Some(Err(_)) => return Ok(wire::EntriesAnswer { entries: Vec::new() }),
        };
        let limit = ask.limit.min(MOST_ENTRIES);
        let said = self.said_of_all(wire::Entries::NAME);
        let found = self.run(|app, _| Ok::<_, Trouble>(app.payments.captured(after, limit)?));
        let found = found.map_err(|trouble| said.trouble(&trouble))?;
        let entries = found
            .iter()
            .map(|(payment, refunds)| convert::entry(payment, refunds));
        Ok(wire::EntriesAnswer {
            entries: entries.collect(),
        })
    }

    fn recover(self, ask: &wire::RecoverAsk) -> Answer<wire::Tally, remote::NoRefusal> {
        let said = self.said_of_all(wire::Recover::NAME);
        let tally = self.run(|app, now| app.recover(ask.limit, now));
        let tally = tally.map_err(|trouble| said.trouble(&trouble))?;
        if tally.stuck > 0 {
            web::log::error(
                said.operation,
                &format!("{}: the gateway keeps the money of {}", said.subject, tally.stuck),
            );
        }
        Ok(wire::Tally {
            done: tally.done,
            left: tally.left,
            stuck: tally.stuck,
        })
    }

    fn drain(self, ask: &wire::DrainAsk) -> Answer<wire::DrainAnswer, remote::NoRefusal> {
        let said = self.said_of_all(wire::Drain::NAME);
        let due = self.run(|app, now| {
            let due = app.payments.drain(now, ask.acknowledged, ask.limit)?;
            Ok::<_, Trouble>(due)
        });
        let due = due.map_err(|trouble| said.trouble(&trouble))?;
        Ok(wire::DrainAnswer {
            deliveries: due.into_iter().map(convert::delivery).collect(),
        })
    }

    /// Opens the database and does the work there.
    fn run<T, E: From<Trouble>>(
        self,
        work: impl FnOnce(&App<'_, P, G>, Instant) -> Result<T, E>,
    ) -> Result<T, E> {
        let payments = (self.open)().map_err(Trouble::Store)?;
        let app = App {
            payments: &payments,
            gateway: self.gateway,
        };
        work(&app, self.call.now)
    }

    fn said(&self, operation: &'static str, order: u64) -> Said {
        Said {
            operation,
            subject: format!("request {} order {order}", self.request_id()),
        }
    }

    fn said_of_all(&self, operation: &'static str) -> Said {
        Said {
            operation,
            subject: format!("request {}", self.request_id()),
        }
    }

    fn request_id(&self) -> &str {
        self.request.header(REQUEST_ID_HEADER).unwrap_or("-")
    }
}

/// What goes into the log about one call.
struct Said {
    operation: &'static str,
    subject: String,
}

impl Said {
    fn receipt<R: Display, W>(
        &self,
        answer: Result<Outcome<Payment>, Failed<R>>,
        refused: impl FnOnce(R) -> W,
    ) -> Answer<wire::Receipt, W> {
        match answer {
            Ok(outcome) => Ok(convert::receipt(&outcome.into_inner())),
            Err(Failed::Unanswered(trouble)) => Err(self.trouble(&trouble)),
            Err(Failed::Refused(why)) => {
                web::log::info(self.operation, &format!("{}: {why}", self.subject));
                Err(Failure::Refused(refused(why)))
            }
        }
    }

    /// Logs the whole story; the caller learns what it may know.
    fn trouble<R>(&self, trouble: &Trouble) -> Failure<R> {
        let line = format!("{}: {trouble}", self.subject);
        if matches!(trouble, Trouble::Store(error) if !error.retryable()) {
            web::log::error(self.operation, &line);
        } else {
            web::log::warn(self.operation, &line);
        }
        Failure::Unavailable(trouble.excuse().to_owned())
    }
}

fn charge_refused(refused: ChargeRefused) -> wire::ChargeRefused {
    match refused {
        ChargeRefused::DiffersFromExisting => wire::ChargeRefused::DiffersFromExisting,
        ChargeRefused::MethodNotOffered => wire::ChargeRefused::MethodNotOffered,
        ChargeRefused::Refused(reason) => wire::ChargeRefused::Refused { reason },
    }
}

fn refund_refused(refused: RefundRefused) -> wire::RefundRefused {
    match refused {
        RefundRefused::NotCaptured => wire::RefundRefused::NotCaptured,
        RefundRefused::DiffersFromExisting => wire::RefundRefused::DiffersFromExisting,
        RefundRefused::ExceedsCaptured(left) => wire::RefundRefused::ExceedsCaptured {
            left: convert::money(left),
        },
        RefundRefused::Refused(reason) => wire::RefundRefused::Refused { reason },
    }
}
