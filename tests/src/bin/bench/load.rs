//! The load: a closed loop of clients, each on a connection of its own that is kept alive.
//!
//! A client that is busy itself is measured along with the host on the same machine, so what a client sends is
//! made before the clock runs: a request is bytes, in which at most a number changes, and of an answer no more is
//! read than where it ends.

mod ask;
mod connection;
mod open;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::task::{JoinSet, LocalSet};

pub(crate) use ask::{Ask, NUMBER, Request, Turn};
pub(crate) use open::{Arrivals, open};

use crate::figures::Figures;
use crate::process;
use connection::Connection;

/// Longer than any request may take in the host: when nobody was answered for so long, something is stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// When a load ends; what is under way is still answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After so many requests by all clients together.
    Count(usize),
    /// After this time.
    Time(Duration),
}

/// What became of a load.
#[derive(Default)]
pub(crate) struct Run {
    /// Answers by status.
    pub(crate) statuses: BTreeMap<u16, usize>,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// The processor time of the clients themselves.
    pub(crate) own_cpu: Duration,
    /// Of expected answers, by the place of their request in the ask.
    latencies: Vec<Vec<Duration>>,
}

impl Run {
    /// The figures of the answers that were expected.
    pub(crate) fn figures(&self) -> Result<Figures> {
        let mut all = self.latencies.concat();
        ensure!(!all.is_empty(), "no answer was as expected: {:?}", self.statuses);
        Ok(Figures::of(&mut all, self.elapsed))
    }

    /// The same of one of the requests that clients make in turn; none when it was never answered so.
    pub(crate) fn figures_of(&self, request: usize) -> Option<Figures> {
        let mut latencies = self.latencies.get(request)?.clone();
        (!latencies.is_empty()).then(|| Figures::of(&mut latencies, self.elapsed))
    }

    /// The figures, provided that every answer was as expected.
    pub(crate) fn strict_figures(&self) -> Result<Figures> {
        ensure!(
            self.answers() == self.expected(),
            "some answers were not as expected: {:?}",
            self.statuses
        );
        self.figures()
    }

    /// How many answers there were.
    pub(crate) fn answers(&self) -> usize {
        self.statuses.values().sum()
    }

    /// How many of them were as expected.
    pub(crate) fn expected(&self) -> usize {
        self.latencies.iter().map(Vec::len).sum()
    }

    /// The clients' share of one core.
    pub(crate) fn own_share(&self) -> f64 {
        self.own_cpu.as_secs_f64() / self.elapsed.as_secs_f64()
    }

    fn note(&mut self, request: usize, status: u16, latency: Option<Duration>) {
        *self.statuses.entry(status).or_default() += 1;
        if self.latencies.len() <= request {
            self.latencies.resize(request + 1, Vec::new());
        }
        self.latencies[request].extend(latency);
    }
}

/// Lets one client per ask go on until the end.
pub(crate) async fn drive(asks: &[Ask], until: Until) -> Result<Run> {
    let mut clients = Vec::new();
    for ask in asks {
        clients.push((ask.clone(), Connection::open(ask.address()).await?));
    }
    let run = Rc::new(RefCell::new(Run::default()));
    let (cpu, started) = (process::own_cpu()?, Instant::now());
    let turns = Rc::new(Turns::new(until, started));
    let mut loops = JoinSet::new();
    let local = LocalSet::new();
    for (ask, connection) in clients {
        loops.spawn_local_on(ask_on(ask, connection, turns.clone(), run.clone()), &local);
    }
    let ended = async {
        while let Some(ended) = loops.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    };
    let worked = async {
        tokio::select! {
            ended = ended => ended,
            stuck = stuck(&turns) => stuck,
        }
    };
    local.run_until(worked).await?;
    let mut run = run.take();
    run.elapsed = started.elapsed();
    run.own_cpu = process::own_cpu()?.saturating_sub(cpu);
    Ok(run)
}

/// Ends with an error when nobody has been answered for too long.
async fn stuck(turns: &Turns) -> Result<()> {
    loop {
        let before = turns.taken.get();
        tokio::time::sleep(PATIENCE).await;
        if turns.taken.get() == before {
            bail!("no answer in {PATIENCE:?}");
        }
    }
}

/// Who may ask again.
struct Turns {
    taken: Cell<usize>,
    most: usize,
    end: Option<Instant>,
}

impl Turns {
    fn new(until: Until, started: Instant) -> Self {
        let (most, end) = match until {
            Until::Count(count) => (count, None),
            Until::Time(time) => (usize::MAX, Some(started + time)),
        };
        Self {
            taken: Cell::new(0),
            most,
            end,
        }
    }

    fn take(&self) -> bool {
        let taken = self.taken.replace(self.taken.get() + 1);
        taken < self.most && self.end.is_none_or(|end| Instant::now() < end)
    }
}

/// One client.
async fn ask_on(
    mut ask: Ask,
    mut connection: Connection,
    turns: Rc<Turns>,
    run: Rc<RefCell<Run>>,
) -> Result<()> {
    while turns.take() {
        if connection.is_closed() {
            connection = Connection::open(ask.address()).await?;
        }
        let place = ask.advance();
        let request = ask.request(place);
        let sent = Instant::now();
        let answer = connection.ask(request.bytes()).await;
        let answer = answer.with_context(|| format!("no answer to {}", request.line()))?;
        let expected = answer.status == request.expected();
        let latency = expected.then(|| sent.elapsed());
        run.borrow_mut().note(place, answer.status, latency);
    }
    Ok(())
}
