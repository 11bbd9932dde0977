//! One run: the jobs that need no gateway, what is due, the jobs that may wait for a gateway, and what they
//! made.
//!
//! Publishing stands between, so that neither can starve the other: no sale waits for a refund whose gateway
//! is slow, and a bus that is silent costs a run one message, not its time. Everything may run twice at once
//! and be cut off anywhere: the domains take leases, and an event that was not published is due again after
//! its back-off. What fails does not stop the rest.

mod report;

use std::cell::Cell;

use kernel::Instant;
use relay::message::{Parcel, channel, pack};
use relay::{Delivery, acknowledgement};

pub use report::{Account, Level, Report, Tally, Trouble};

/// Orders or refunds that one job looks at in one run.
const CHORE_LIMIT: u32 = 50;

/// Events in one drain.
const BATCH: u32 = 500;

/// Drains in one go, when they are all full; the next run carries on.
const BATCHES: u32 = 4;

/// After so many refusals in a row nothing more of a domain is published until the next run.
const MOST_REFUSALS: u32 = 3;

/// How long a domain's messages may take the bus in one run: none is begun later. The host ends a run after
/// 15 s, and the one message that is under way may take the bus several seconds.
const BUS_TIME_US: i64 = 1_000_000;

/// A domain that has jobs and events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Producer {
    /// Orders.
    Order,
    /// Payments.
    Payment,
}

/// A job of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chore {
    /// Finishes the orders that a crash or an outage left behind.
    RecoverOrders,
    /// Gives the orders back that were not paid in time.
    ExpireOrders,
    /// Carries on the refunds that a crash or a silent gateway left behind.
    RecoverPayments,
}

/// What is done for a domain.
struct Plan {
    producer: Producer,
    chores: &'static [Chore],
    /// Who reads its events: an event is published again until all of them have it.
    consumers: &'static [&'static str],
}

const PLANS: &[Plan] = &[
    Plan {
        producer: Producer::Order,
        chores: &[Chore::RecoverOrders, Chore::ExpireOrders],
        consumers: &["settlement"],
    },
    Plan {
        producer: Producer::Payment,
        chores: &[Chore::RecoverPayments],
        consumers: &["settlement"],
    },
];

/// What the domains do when they are asked to. An error is a sentence for the log.
pub trait Jobs {
    /// Does a job for up to `limit` of whatever it is about.
    fn run(&self, chore: Chore, limit: u32) -> Result<Tally, String>;

    /// Up to `limit` events that are due, given what every consumer has.
    fn drain(&self, producer: Producer, acknowledged: u64, limit: u32) -> Result<Vec<Delivery>, String>;
}

/// Where events are published. An error is a sentence for the log.
pub trait Bus {
    /// Sends a message to whoever listens on `channel`.
    fn publish(&self, channel: &str, text: &str) -> Result<(), String>;
}

/// Where consumers say how far they are. An error is a sentence for the log.
pub trait Acknowledgements {
    /// What stands under a key, if anything does.
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, String>;
}

impl Producer {
    /// Its name in channels, keys and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
        }
    }
}

impl Chore {
    /// Its name in the reports of its domain.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RecoverOrders | Self::RecoverPayments => "recover",
            Self::ExpireOrders => "expire",
        }
    }

    /// Whether it may have to wait for a payment company.
    const fn needs_gateway(self) -> bool {
        match self {
            Self::ExpireOrders => false,
            Self::RecoverOrders | Self::RecoverPayments => true,
        }
    }
}

/// One run. The clock is asked how long the bus takes.
pub fn run(
    jobs: &impl Jobs,
    bus: &impl Bus,
    acknowledgements: &impl Acknowledgements,
    clock: &impl Fn() -> Instant,
) -> Report {
    let run = Run {
        jobs,
        bus,
        acknowledgements,
        clock,
        bus_is_silent: Cell::new(false),
    };
    let mut turns: Vec<Turn> = PLANS.iter().map(Turn::new).collect();
    for turn in &mut turns {
        run.do_chores(turn, |chore| !chore.needs_gateway());
    }
    for turn in &mut turns {
        run.publish(turn);
    }
    for turn in &mut turns {
        run.do_chores(turn, Chore::needs_gateway);
    }
    // A job of one domain makes events in others as well: an order's recovery refunds its payment.
    if turns.iter().any(|turn| turn.account.did_something()) {
        for turn in &mut turns {
            run.publish(turn);
        }
    }
    let accounts = turns.into_iter().map(|turn| turn.account).collect();
    Report { accounts }
}

/// What a run works with.
struct Run<'a, J, B, A, C> {
    jobs: &'a J,
    bus: &'a B,
    acknowledgements: &'a A,
    clock: &'a C,
    /// It kept a message waiting and did not take it: it is left alone, whosever the next would be.
    bus_is_silent: Cell<bool>,
}

/// What is done for one domain in a run.
struct Turn {
    plan: &'static Plan,
    account: Account,
    /// How long its messages took the bus, in microseconds.
    on_bus_us: i64,
}

impl Turn {
    const fn new(plan: &'static Plan) -> Self {
        let account = Account {
            producer: plan.producer,
            chores: Vec::new(),
            published: 0,
            troubles: Vec::new(),
        };
        Self {
            plan,
            account,
            on_bus_us: 0,
        }
    }

    const fn is_over(&self) -> bool {
        self.on_bus_us >= BUS_TIME_US
    }
}

impl Account {
    fn did_something(&self) -> bool {
        self.chores.iter().any(|(_, tally)| *tally != Tally::default())
    }

    fn bus_answers(&self) -> bool {
        let silent = |trouble: &Trouble| matches!(trouble, Trouble::Publish { .. } | Trouble::Drain(_));
        !self.troubles.iter().any(silent)
    }

    /// Keeps a trouble, unless this very one was met before in this run.
    fn met(&mut self, trouble: Trouble) {
        if !self.troubles.contains(&trouble) {
            self.troubles.push(trouble);
        }
    }
}

impl<J: Jobs, B: Bus, A: Acknowledgements, C: Fn() -> Instant> Run<'_, J, B, A, C> {
    fn do_chores(&self, turn: &mut Turn, wanted: impl Fn(Chore) -> bool) {
        for &chore in turn.plan.chores.iter().filter(|&&chore| wanted(chore)) {
            match self.jobs.run(chore, CHORE_LIMIT) {
                Ok(tally) => turn.account.chores.push((chore, tally)),
                Err(why) => turn.account.met(Trouble::Chore {
                    chore: chore.name(),
                    why,
                }),
            }
        }
    }

    /// Publishes what is due, batch by batch while they are full and the bus takes them. What is drained
    /// counts as published, so nothing is drained for a bus that is to be left alone.
    fn publish(&self, turn: &mut Turn) {
        if !self.may_publish(turn) {
            return;
        }
        let acknowledged = acknowledged(turn.plan, &mut turn.account, self.acknowledgements);
        for _ in 0..BATCHES {
            let due = match self.jobs.drain(turn.plan.producer, acknowledged, BATCH) {
                Ok(due) => due,
                Err(why) => return turn.account.met(Trouble::Drain(why)),
            };
            self.send(turn, &due);
            if due.len() < BATCH as usize || !self.may_publish(turn) {
                return;
            }
        }
    }

    fn may_publish(&self, turn: &Turn) -> bool {
        !self.bus_is_silent.get() && !turn.is_over() && turn.account.bus_answers()
    }

    fn send(&self, turn: &mut Turn, due: &[Delivery]) {
        let producer = turn.plan.producer.name();
        let packed = pack(producer, due);
        for (position, why) in packed.refused {
            turn.account.met(Trouble::Event { position, why });
        }
        let channel = channel(producer);
        let (mut refusals, mut unpublished, mut last) = (0, 0, None);
        for Parcel { text, events } in packed.parcels {
            if refusals == MOST_REFUSALS || turn.is_over() {
                unpublished += events;
                continue;
            }
            match self.hand_over(turn, &channel, &text) {
                Ok(()) => {
                    turn.account.published += events;
                    refusals = 0;
                }
                Err(why) => {
                    unpublished += events;
                    refusals += 1;
                    last = Some(why);
                }
            }
        }
        if unpublished > 0 {
            let why = last.unwrap_or_else(|| "the bus is too slow for them".to_owned());
            let events = unpublished;
            turn.account.met(Trouble::Publish { events, why });
        }
    }

    /// Gives the bus one message, and looks at the clock meanwhile.
    fn hand_over(&self, turn: &mut Turn, channel: &str, text: &str) -> Result<(), String> {
        let began = (self.clock)();
        let answer = self.bus.publish(channel, text);
        turn.on_bus_us += ((self.clock)().micros() - began.micros()).max(0);
        if answer.is_err() && turn.is_over() {
            self.bus_is_silent.set(true);
        }
        answer
    }
}

/// The position up to which every consumer has everything: that of the slowest.
fn acknowledged(plan: &Plan, account: &mut Account, acknowledgements: &impl Acknowledgements) -> u64 {
    let mut least = None;
    for consumer in plan.consumers {
        let key = acknowledgement::key(plan.producer.name(), consumer);
        let position = position(acknowledgements, &key).unwrap_or_else(|why| {
            account.met(Trouble::Acknowledgement { key, why });
            0
        });
        least = Some(least.map_or(position, |least: u64| least.min(position)));
    }
    least.unwrap_or(0)
}

/// Not knowing is 0: events go out once too often rather than once too rarely.
fn position(acknowledgements: &impl Acknowledgements, key: &str) -> Result<u64, String> {
    match acknowledgements.read(key)? {
        None => Ok(0),
        Some(value) => acknowledgement::parse(&value).ok_or_else(|| "not a position, ignored".to_owned()),
    }
}
