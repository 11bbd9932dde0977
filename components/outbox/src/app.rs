//! One run: publish what is due, do the jobs of every domain, and publish what the jobs made.
//!
//! Publishing comes first, so that no sale waits for a refund whose gateway is slow. Everything may run
//! twice at once and be cut off anywhere: the domains take leases, and an event that was not published is
//! due again after its back-off. What fails does not stop the rest.

mod report;

use relay::message::{Parcel, channel, pack};
use relay::{Delivery, acknowledgement};

pub use report::{Account, Level, Report, Tally, Trouble};

/// Orders or refunds that one job looks at in one run.
const CHORE_LIMIT: u32 = 50;

/// Events in one drain.
const BATCH: u32 = 500;

/// Drains in one go, when they are all full; the next run carries on.
const BATCHES: u32 = 4;

/// A bus that refused so many messages in a row is left alone until the next run.
const MOST_REFUSALS: u32 = 3;

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
}

/// One run.
pub fn run(jobs: &impl Jobs, bus: &impl Bus, acknowledgements: &impl Acknowledgements) -> Report {
    let mut accounts: Vec<Account> = PLANS.iter().map(Account::new).collect();
    for (plan, account) in PLANS.iter().zip(&mut accounts) {
        publish(plan, account, jobs, bus, acknowledgements);
    }
    for (plan, account) in PLANS.iter().zip(&mut accounts) {
        do_chores(plan, account, jobs);
    }
    // A job of one domain makes events in others as well: an order's recovery refunds its payment.
    let made_events = accounts.iter().any(Account::did_something);
    for (plan, account) in PLANS.iter().zip(&mut accounts) {
        if made_events && account.bus_answers() {
            publish(plan, account, jobs, bus, acknowledgements);
        }
    }
    Report { accounts }
}

impl Account {
    const fn new(plan: &Plan) -> Self {
        Self {
            producer: plan.producer,
            chores: Vec::new(),
            published: 0,
            troubles: Vec::new(),
        }
    }

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

fn do_chores(plan: &Plan, account: &mut Account, jobs: &impl Jobs) {
    for &chore in plan.chores {
        match jobs.run(chore, CHORE_LIMIT) {
            Ok(tally) => account.chores.push((chore, tally)),
            Err(why) => account.met(Trouble::Chore {
                chore: chore.name(),
                why,
            }),
        }
    }
}

/// Publishes what is due, batch by batch while they are full and the bus takes them.
fn publish(
    plan: &Plan,
    account: &mut Account,
    jobs: &impl Jobs,
    bus: &impl Bus,
    acknowledgements: &impl Acknowledgements,
) {
    let acknowledged = acknowledged(plan, account, acknowledgements);
    for _ in 0..BATCHES {
        let due = match jobs.drain(plan.producer, acknowledged, BATCH) {
            Ok(due) => due,
            Err(why) => return account.met(Trouble::Drain(why)),
        };
        send(plan.producer, &due, account, bus);
        if due.len() < BATCH as usize || !account.bus_answers() {
            return;
        }
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

fn send(producer: Producer, due: &[Delivery], account: &mut Account, bus: &impl Bus) {
    let packed = pack(producer.name(), due);
    for (position, why) in packed.refused {
        account.met(Trouble::Event { position, why });
    }
    let channel = channel(producer.name());
    let (mut refusals, mut unpublished, mut last) = (0, 0, None);
    for Parcel { text, events } in packed.parcels {
        if refusals == MOST_REFUSALS {
            unpublished += events;
            continue;
        }
        match bus.publish(&channel, &text) {
            Ok(()) => {
                account.published += events;
                refusals = 0;
            }
            Err(why) => {
                unpublished += events;
                refusals += 1;
                last = Some(why);
            }
        }
    }
    if let Some(why) = last {
        account.met(Trouble::Publish {
            events: unpublished,
            why,
        });
    }
}
