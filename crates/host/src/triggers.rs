//! What runs components without a request: cron expressions and messages.
//!
//! Each trigger is a task. Cron: a component runs one tick at a time; a tick that comes while it still
//! runs is skipped, and one that was missed is not made up for. Messages: each trigger handles one at a
//! time; a broker that is away is waited for. What goes wrong in a handler is logged, and the next tick
//! or message is run.

use crate::app::{App, Cron, Listener, Shared};
use crate::clock::{Clock, SystemClock};
use crate::event::{self, Event, TriggerError};
use broker::{Message, Subscription, Verdict};
use manifest::Schedule;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a wait for a far tick goes on before the clock is looked at again: it may have been set.
const NAP: Duration = Duration::from_secs(20);

/// How late a tick may come that is still run: a busy machine is no machine that slept.
const LATE: Duration = Duration::from_secs(1);

/// The running triggers of an application. Dropping them ends them at once.
pub struct Triggers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    drain: Duration,
}

impl Triggers {
    /// Starts them all: from here on the application runs by itself.
    pub fn start(app: &App) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for cron in &app.shared.crons {
            tasks.spawn(tick(app.shared.clone(), cron.clone(), stopped.clone()));
        }
        for listener in &app.shared.listeners {
            tasks.spawn(listen(app.shared.clone(), listener.clone(), stopped.clone()));
        }
        Self {
            stop,
            tasks,
            drain: app.shared.bounds.drain,
        }
    }

    /// Starts no more runs and lets those end that are going on, as long as the drain timeout allows.
    /// Returns whether all of them did.
    pub async fn stop(mut self) -> bool {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        timeout(self.drain, ended).await.is_ok()
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // It fails when the sender is gone, which means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn tick(app: Arc<Shared>, cron: Cron, stop: watch::Receiver<bool>) {
    let mut last = SystemClock.now();
    loop {
        let pause = match Turn::at(&cron.schedule, last, SystemClock.now()) {
            Turn::Run => {
                run_tick(&app, &cron.component).await;
                // Ticks that came meanwhile are not made up for.
                last = SystemClock.now();
                Duration::ZERO
            }
            Turn::Missed(now) => {
                tracing::info!(component = %cron.component, "a tick was missed, and is not made up for");
                last = now;
                Duration::ZERO
            }
            Turn::In(pause) => {
                // A clock that was set back begins anew, so that nobody waits for the old time.
                last = last.min(SystemClock.now());
                pause.min(NAP)
            }
            Turn::Never => {
                tracing::warn!(component = %cron.component, expression = %cron.schedule, "no tick will come any more");
                return stopped(stop).await;
            }
        };
        tokio::select! {
            biased;
            () = stopped(stop.clone()) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// What a schedule says at a moment.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Run,
    /// A tick came while nobody looked, before this moment: the machine slept, or its clock was set.
    Missed(Duration),
    In(Duration),
    Never,
}

impl Turn {
    /// `last` is the moment up to which ticks are dealt with; times count from 1970.
    fn at(schedule: &Schedule, last: Duration, now: Duration) -> Self {
        match schedule.next_after(last.min(now)) {
            None => Self::Never,
            Some(due) if due > now => Self::In(due - now),
            Some(due) if now - due > LATE => Self::Missed(now),
            Some(_) => Self::Run,
        }
    }
}

async fn run_tick(app: &Arc<Shared>, component: &str) {
    let guest = app.guests.get(component);
    let Ok(_ticking) = guest.map(|guest| guest.ticking.try_lock()).transpose() else {
        tracing::debug!(component, "a tick was skipped: the component still runs");
        return;
    };
    // In a task of its own, since what panics in it must not be the end of all ticks; it ends with this one.
    let mut alone = JoinSet::new();
    let (app, id) = (app.clone(), component.to_owned());
    alone.spawn(async move { event::run(&app, &id, Event::Tick).await });
    match alone.join_next().await {
        Some(Ok(done)) => log(component, &done),
        Some(Err(error)) => tracing::error!(component, %error, "a run panicked"),
        None => {}
    }
}

async fn listen(app: Arc<Shared>, listener: Listener, stop: watch::Receiver<bool>) {
    let subscription = Subscription {
        address: listener.address.clone(),
        channel: listener.channel.clone(),
        name: listener.component.clone(),
    };
    let handle = |message: Message| {
        let (app, component) = (app.clone(), listener.component.clone());
        let arrived = Event::Message {
            payload: message.payload,
            channel: listener.channel.clone(),
        };
        async move {
            let done = event::run(&app, &component, arrived).await;
            log(&component, &done);
            match done {
                Ok(()) => Verdict::Done,
                Err(_) => Verdict::Failed,
            }
        }
    };
    let broker = app.broker.clone();
    broker.subscribe(subscription, handle, stopped(stop)).await;
}

/// The one place where a failed run is told of.
fn log(component: &str, done: &Result<(), TriggerError>) {
    match done {
        Ok(()) => {}
        Err(TriggerError::Broken { source, .. }) => {
            tracing::error!(component, error = format!("{source:#}"), "the instance broke off");
        }
        Err(error) => tracing::error!(component, %error, "a run failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;

    fn at(last: u64, now: u64) -> Turn {
        let hourly = Schedule::parse("0 0 * * * *").unwrap();
        Turn::at(&hourly, Duration::from_secs(last), Duration::from_secs(now))
    }

    #[test]
    fn a_tick_is_run_when_it_comes_and_not_when_it_is_over() {
        assert_eq!(at(10, 20), Turn::In(Duration::from_secs(HOUR - 20)));
        assert_eq!(at(10, HOUR), Turn::Run);
        assert_eq!(at(10, HOUR + 1), Turn::Run);
        assert_eq!(at(10, HOUR + 2), Turn::Missed(Duration::from_secs(HOUR + 2)));
        assert_eq!(
            at(10, 9 * HOUR + 1_800),
            Turn::Missed(Duration::from_secs(9 * HOUR + 1_800))
        );
        // A run that took longer than an hour: the next one comes in its own time.
        assert_eq!(
            at(2 * HOUR + 60, 2 * HOUR + 60),
            Turn::In(Duration::from_secs(HOUR - 60))
        );
        // A clock that was set back.
        assert_eq!(at(9 * HOUR, HOUR - 5), Turn::In(Duration::from_secs(5)));
    }

    #[test]
    fn a_schedule_may_have_an_end() {
        let past = Schedule::parse("0 0 0 1 1 * 2020").unwrap();
        let now = Duration::from_secs(1_790_000_000);
        assert_eq!(Turn::at(&past, now, now), Turn::Never);
    }
}
