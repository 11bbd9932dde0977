//! An open loop: requests come at their own rate, whether or not the ones before them were answered.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::LocalSet;

use super::PATIENCE;
use super::ask::Ask;
use super::connection::{Answer, Connection};

/// Connections at the same time, at most; a request for which none is left is not sent.
const CONNECTIONS: usize = 2048;

/// What became of requests that came at a rate of their own.
#[derive(Default)]
pub(crate) struct Arrivals {
    /// When each answer was there, from when its request was due, by status.
    pub(crate) latencies: BTreeMap<u16, Vec<Duration>>,
    /// Answers of 429 and 503 that do not say when to try again.
    pub(crate) without_retry_after: usize,
    /// Expected answers that were there before the last request was due.
    pub(crate) in_time: usize,
    /// Requests that found no connection.
    pub(crate) unsent: usize,
    /// Requests whose connection broke.
    pub(crate) broken: usize,
    /// How long requests came.
    pub(crate) elapsed: Duration,
}

/// Who is idle: a customer and a connection.
type Idle = Rc<RefCell<Vec<(Ask, Connection)>>>;

/// Sends so many requests a second for this time, by these clients in turn, and waits for all answers.
pub(crate) async fn open(asks: &[Ask], per_second: f64, time: Duration) -> Result<Arrivals> {
    ensure!(!asks.is_empty(), "nobody asks");
    let (idle, seen) = (Idle::default(), Rc::new(RefCell::new(Arrivals::default())));
    let under_way = Rc::new(Cell::new(0));
    let local = LocalSet::new();
    let arrivals = local.run_until(async {
        let started = Instant::now();
        let pause = Duration::from_secs_f64(1.0 / per_second);
        let mut due = started;
        let mut number = 0;
        while due < started + time {
            tokio::time::sleep_until(due.into()).await;
            while due <= Instant::now() && due < started + time {
                number += 1;
                due += pause;
                if under_way.get() == CONNECTIONS {
                    seen.borrow_mut().unsent += 1;
                    continue;
                }
                under_way.set(under_way.get() + 1);
                let idler = idle.borrow_mut().pop();
                let who = match idler {
                    Some((ask, connection)) => (ask, Some(connection)),
                    None => (asks[number % asks.len()].clone(), None),
                };
                let arrival = Arrival {
                    due,
                    end: started + time,
                };
                let (idle, seen, under_way) = (idle.clone(), seen.clone(), under_way.clone());
                tokio::task::spawn_local(async move {
                    let answered = ask(who).await;
                    seen.borrow_mut().note(&arrival, answered, &idle);
                    under_way.set(under_way.get() - 1);
                });
            }
        }
        let stopped = Instant::now();
        while under_way.get() > 0 {
            ensure!(
                stopped.elapsed() < PATIENCE,
                "{} requests without an answer",
                under_way.get()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::Ok(())
    });
    arrivals.await?;
    let mut seen = seen.take();
    seen.elapsed = time;
    Ok(seen)
}

/// One request, due at a moment.
struct Arrival {
    due: Instant,
    end: Instant,
}

/// Asks on an idle connection, or on a new one.
async fn ask((mut ask, connection): (Ask, Option<Connection>)) -> Result<(Answer, Ask, Connection)> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => Connection::open(ask.address()).await?,
    };
    let place = ask.advance();
    let answer = connection.ask(ask.request(place).bytes()).await?;
    Ok((answer, ask, connection))
}

impl Arrivals {
    fn note(&mut self, arrival: &Arrival, answered: Result<(Answer, Ask, Connection)>, idle: &Idle) {
        let Ok((answer, ask, connection)) = answered else {
            self.broken += 1;
            return;
        };
        let now = Instant::now();
        self.latencies
            .entry(answer.status)
            .or_default()
            .push(now - arrival.due);
        if matches!(answer.status, 429 | 503) && !answer.retry_after {
            self.without_retry_after += 1;
        }
        if answer.status == ask.request(0).expected() && now < arrival.end {
            self.in_time += 1;
        }
        if !connection.is_closed() {
            idle.borrow_mut().push((ask, connection));
        }
    }
}
