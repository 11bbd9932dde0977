//! The contract over HTTP, for those who run elsewhere: the same use cases as `component.rs` gives to those who are
//! composed with this component, and the same answers.
//!
//! Closed without the key, and behind no door of the shop.

use std::fmt::Display;

use ::store::DbError;
use kernel::{Instant, OrderId, Outcome, SkuId};
use remote::stock as wire;
use remote::{Done, Failure, Function, serve};
use web::{InternalKey, Method, Problem, REQUEST_ID_HEADER, Request, Response, Route, find};

use crate::app::{self, CommitError, LevelError, ReleaseError, Reservations, ReserveError, TakeBackError};
use crate::domain::{CommitRefused, Level, ReleaseRefused, ReserveRefused, TakeBackRefused};

/// What a caller is told of an outage.
const NO_ANSWER: &str = "the stock store did not answer";

/// A function of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `reserve`
    Reserve,
    /// `commit`
    Commit,
    /// `commit-all`
    CommitAll,
    /// `release`
    Release,
    /// `take-back`
    TakeBack,
    /// `level`
    Level,
}

const fn route<F: Function>(endpoint: Endpoint) -> Route<Endpoint> {
    Route {
        method: Method::Post,
        pattern: F::PATH,
        endpoint,
    }
}

/// Every function of the contract.
pub const ROUTES: &[Route<Endpoint>] = &[
    route::<wire::Reserve>(Endpoint::Reserve),
    route::<wire::Commit>(Endpoint::Commit),
    route::<wire::CommitAll>(Endpoint::CommitAll),
    route::<wire::Release>(Endpoint::Release),
    route::<wire::TakeBack>(Endpoint::TakeBack),
    route::<wire::Level>(Endpoint::Level),
];

/// Answers a call. The store is opened only for who has the key.
pub fn handle<R: Reservations>(
    request: &Request,
    key: &InternalKey,
    now: Instant,
    open: impl FnOnce() -> Result<R, DbError>,
) -> Response {
    let answer = || {
        key.admit(request)?;
        let (endpoint, _) = find(ROUTES, request)?;
        let call = Call { request, now };
        match endpoint {
            Endpoint::Reserve => serve::<wire::Reserve>(request, |ask| call.reserve(open, &ask)),
            Endpoint::Commit => serve::<wire::Commit>(request, |ask| call.commit(open, &ask)),
            Endpoint::CommitAll => serve::<wire::CommitAll>(request, |ask| Ok(call.commit_all(open, &ask))),
            Endpoint::Release => serve::<wire::Release>(request, |ask| call.release(open, &ask)),
            Endpoint::TakeBack => serve::<wire::TakeBack>(request, |ask| call.take_back(open, &ask)),
            Endpoint::Level => serve::<wire::Level>(request, |ask| call.level(open, &ask)),
        }
    };
    answer().unwrap_or_else(Problem::into)
}

/// What came and when.
struct Call<'a> {
    request: &'a Request,
    now: Instant,
}

type Answer<T, R> = Result<T, Failure<R>>;

impl Call<'_> {
    fn reserve<R: Reservations>(
        &self,
        open: impl FnOnce() -> Result<R, DbError>,
        ask: &wire::ReserveAsk,
    ) -> Answer<Done, wire::ReserveRefused> {
        const NAME: &str = wire::Reserve::NAME;
        let order = OrderId::try_new(ask.order).map_err(|error| wire::ReserveRefused::Invalid {
            detail: error.to_string(),
        })?;
        let line = |line: &wire::Line| {
            SkuId::try_new(line.sku)
                .map(|sku| (sku, line.quantity))
                .map_err(|_| wire::ReserveRefused::UnknownSku { sku: line.sku })
        };
        let lines: Vec<(SkuId, u32)> = ask.lines.iter().map(line).collect::<Result<_, _>>()?;
        let until = Instant::from_micros(ask.until);
        let answer = open()
            .map_err(ReserveError::Store)
            .and_then(|store| app::reserve(&store, order, &lines, until, self.now));
        done(answer, |error| match error {
            ReserveError::Refused(refused) => {
                self.refused(NAME, ask.order, &refused);
                Failure::Refused(reserve_refused(&refused))
            }
            ReserveError::Store(error) => self.unavailable(NAME, ask.order, &error),
        })
    }

    fn commit<R: Reservations>(
        &self,
        open: impl FnOnce() -> Result<R, DbError>,
        ask: &wire::OrderAsk,
    ) -> Answer<Done, wire::CommitRefused> {
        let order = OrderId::try_new(ask.order).map_err(|_| wire::CommitRefused::UnknownOrder)?;
        let answer = open()
            .map_err(CommitError::Store)
            .and_then(|store| app::commit(&store, order, self.now));
        done(answer, |error| {
            self.not_committed(wire::Commit::NAME, ask.order, error)
        })
    }

    fn commit_all<R: Reservations>(
        &self,
        open: impl FnOnce() -> Result<R, DbError>,
        ask: &wire::CommitAllAsk,
    ) -> wire::CommitAllAnswer {
        let asked: Vec<Option<OrderId>> = ask
            .orders
            .iter()
            .map(|order| OrderId::try_new(*order).ok())
            .collect();
        // A number that is no order's id never reserves.
        let known: Vec<OrderId> = asked.iter().copied().flatten().collect();
        let answers = match open() {
            Ok(store) => app::commit_all(&store, &known, self.now),
            Err(error) => known.iter().map(|_| Err(error.clone().into())).collect(),
        };
        let mut answers = answers.into_iter();
        let mut is_told = false;
        let unavailable = || wire::Committed::Unavailable {
            detail: NO_ANSWER.to_owned(),
        };
        let answer = |order: &Option<OrderId>| match (order, order.and_then(|_| answers.next())) {
            (None, _) => wire::Committed::Refused {
                refusal: wire::CommitRefused::UnknownOrder,
            },
            (Some(_), Some(Ok(_))) => wire::Committed::Done,
            // An outage is the same for all, and is told once.
            (Some(_), Some(Err(CommitError::Store(error)))) if error.retryable() && is_told => unavailable(),
            (Some(order), Some(Err(error))) => {
                is_told |= matches!(&error, CommitError::Store(error) if error.retryable());
                match self.not_committed(wire::CommitAll::NAME, order.get(), error) {
                    Failure::Refused(refusal) => wire::Committed::Refused { refusal },
                    Failure::Unavailable(detail) => wire::Committed::Unavailable { detail },
                }
            }
            (Some(_), None) => unavailable(),
        };
        wire::CommitAllAnswer {
            answers: asked.iter().map(answer).collect(),
        }
    }

    fn release<R: Reservations>(
        &self,
        open: impl FnOnce() -> Result<R, DbError>,
        ask: &wire::OrderAsk,
    ) -> Answer<Done, wire::ReleaseRefused> {
        const NAME: &str = wire::Release::NAME;
        // A number that is no order's id never reserves, so there is nothing to remember.
        let Ok(order) = OrderId::try_new(ask.order) else {
            return Ok(Done {});
        };
        let answer = open()
            .map_err(ReleaseError::Store)
            .and_then(|store| app::release(&store, order, self.now));
        done(answer, |error| match error {
            ReleaseError::Refused(refused) => {
                self.refused(NAME, ask.order, &refused);
                let ReleaseRefused::Committed = refused;
                Failure::Refused(wire::ReleaseRefused::Committed)
            }
            ReleaseError::Store(error) => self.unavailable(NAME, ask.order, &error),
        })
    }

    fn take_back<R: Reservations>(
        &self,
        open: impl FnOnce() -> Result<R, DbError>,
        ask: &wire::OrderAsk,
    ) -> Answer<Done, wire::TakeBackRefused> {
        const NAME: &str = wire::TakeBack::NAME;
        let order = OrderId::try_new(ask.order).map_err(|_| wire::TakeBackRefused::NotCommitted)?;
        let answer = open()
            .map_err(TakeBackError::Store)
            .and_then(|store| app::take_back(&store, order, self.now));
        done(answer, |error| match error {
            TakeBackError::Refused(refused) => {
                self.refused(NAME, ask.order, &refused);
                let TakeBackRefused::NotCommitted = refused;
                Failure::Refused(wire::TakeBackRefused::NotCommitted)
            }
            TakeBackError::Store(error) => self.unavailable(NAME, ask.order, &error),
        })
    }

    fn level<R: Reservations>(
        &self,
        open: impl FnOnce() -> Result<R, DbError>,
        ask: &wire::LevelAsk,
    ) -> Answer<wire::LevelAnswer, wire::LevelRefused> {
        let sku = |sku: &u64| SkuId::try_new(*sku).map_err(|_| wire::LevelRefused::UnknownSku { sku: *sku });
        let skus: Vec<SkuId> = ask.skus.iter().map(sku).collect::<Result<_, _>>()?;
        let levels = open()
            .map_err(LevelError::Store)
            .and_then(|store| app::level(&store, &skus, self.now));
        match levels {
            Ok(levels) => Ok(wire::LevelAnswer {
                levels: levels.iter().map(level_view).collect(),
            }),
            Err(LevelError::UnknownSku(sku)) => Err(wire::LevelRefused::UnknownSku { sku: sku.get() }.into()),
            Err(LevelError::Store(error)) => {
                self.tell(wire::Level::NAME, "levels", &error);
                Err(Failure::Unavailable(NO_ANSWER.to_owned()))
            }
        }
    }

    fn not_committed(&self, name: &str, order: u64, error: CommitError) -> Failure<wire::CommitRefused> {
        match error {
            CommitError::Refused(refused) => {
                self.refused(name, order, &refused);
                Failure::Refused(match refused {
                    CommitRefused::UnknownOrder => wire::CommitRefused::UnknownOrder,
                    CommitRefused::Released => wire::CommitRefused::Released,
                    CommitRefused::Expired => wire::CommitRefused::Expired,
                })
            }
            CommitError::Store(error) => self.unavailable(name, order, &error),
        }
    }

    fn refused(&self, name: &str, order: u64, refused: &dyn Display) {
        web::log::info(name, &format!("{refused} (order {order}, {})", self.id()));
    }

    /// A defect looks like an outage from outside: the contract has no case for it.
    fn unavailable<R>(&self, name: &str, order: u64, error: &DbError) -> Failure<R> {
        self.tell(name, &format!("order {order}"), error);
        Failure::Unavailable(NO_ANSWER.to_owned())
    }

    fn tell(&self, name: &str, about: &str, error: &DbError) {
        let story = format!("{error} ({about}, {})", self.id());
        if error.retryable() {
            web::log::warn(name, &story);
        } else {
            web::log::error(name, &story);
        }
    }

    fn id(&self) -> String {
        format!(
            "request {}",
            self.request.header(REQUEST_ID_HEADER).unwrap_or("-")
        )
    }
}

fn done<E, R>(answer: Result<Outcome<()>, E>, failure: impl FnOnce(E) -> Failure<R>) -> Answer<Done, R> {
    answer.map(|_| Done {}).map_err(failure)
}

fn reserve_refused(refused: &ReserveRefused) -> wire::ReserveRefused {
    match refused {
        ReserveRefused::Lines(_) | ReserveRefused::UntilPassed => wire::ReserveRefused::Invalid {
            detail: refused.to_string(),
        },
        ReserveRefused::DiffersFromExisting => wire::ReserveRefused::DiffersFromExisting,
        ReserveRefused::Ended => wire::ReserveRefused::Ended,
        ReserveRefused::UnknownSku(sku) => wire::ReserveRefused::UnknownSku { sku: sku.get() },
        ReserveRefused::Insufficient(shortage) => wire::ReserveRefused::Insufficient {
            sku: shortage.sku.get(),
            free: shortage.free,
        },
    }
}

fn level_view(level: &Level) -> wire::StockLevel {
    wire::StockLevel {
        sku: level.sku.get(),
        on_hand: level.on_hand,
        reserved: level.reserved,
    }
}
