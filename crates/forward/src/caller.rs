use breaker::cells::Cells;
use breaker::shared::Breakers;
use breaker::{Admission, Outcome, Pass};
use kernel::{Instant, Millis};
use remote::{Failure, Function, Reading, Reply, read};

/// A call is tried so often at most: a service that is overloaded gets no more than this many times the load.
const MOST_TRIES: u32 = 4;

/// The first pause is up to this long, each further one up to twice as long.
const FIRST_PAUSE_MS: u32 = 50;

/// No pause of our own is longer.
const LONGEST_PAUSE_MS: u32 = 400;

/// With less time left a further try is not worth it.
const SHORTEST_TRY_MS: u32 = 50;

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// One try, until its answer is here as a whole.
    pub try_for: Millis,
    /// All tries and the pauses between them.
    pub budget: Millis,
}

/// The way to the service, the clocks and chance.
pub trait Wire {
    /// Sends a call and brings the whole reply, all within this time; or says why there is none.
    fn send(&self, path: &str, body: &[u8], limit: Millis) -> Result<Reply, String>;

    /// Lets this time pass.
    fn wait(&self, pause: Millis);

    /// Milliseconds that have passed since some moment, by a clock that never goes back.
    fn elapsed_ms(&self) -> u64;

    /// What time it is for everybody, for the breaker.
    fn now(&self) -> Instant;

    /// A random number.
    fn random(&self) -> u64;
}

/// Who asks one service.
pub struct Caller<'a, W, C> {
    /// What the service is called in logs, and its breaker.
    pub service: &'static str,
    /// The way there.
    pub wire: &'a W,
    /// Where the breaker is.
    pub breakers: Breakers<'a, C>,
    /// How long a call may take.
    pub patience: Patience,
}

/// What is read of a service's answer to this function.
type ReadingOf<F> = Reading<<F as Function>::Answer, <F as Function>::Refused>;

impl<W: Wire, C: Cells> Caller<'_, W, C> {
    /// Asks until there is an answer, or no time left.
    ///
    /// A refusal that the service does not remember is an answer only if it is about every try of the call: after one that
    /// nobody has heard of it is [`Failure::Unavailable`], since that one may still be carried out.
    pub fn ask<F: Function>(&self, ask: &F::Ask) -> Result<F::Answer, Failure<F::Refused>> {
        let body = serde_json::to_vec(ask)
            .map_err(|error| self.give_up::<F>(&format!("the call can't be written: {error}")))?;
        let start = self.wire.elapsed_ms();
        let mut tries = 0;
        // Whether a try has not been heard of: it may still be on its way, and be carried out when it arrives.
        let mut is_one_lost = false;
        loop {
            let Some(limit) = self.next_limit(start) else {
                return Err(self.give_up::<F>("there is no time left"));
            };
            tries += 1;
            let reading = self.attempt::<F>(&body, limit)?;
            let (story, wait_ms) = match &reading {
                Reading::Decided(Err(_)) if is_one_lost && !F::REMEMBERS_REFUSALS => {
                    return Err(self.give_up::<F>("it says no now, but an earlier try may still arrive"));
                }
                Reading::Decided(_) => return reading.into_answer(),
                Reading::Misfit(story) => {
                    web::log::error(F::NAME, &format!("{} does not fit: {story}", self.service));
                    return reading.into_answer();
                }
                Reading::Unavailable { detail, wait_ms } => (detail, wait_ms),
                Reading::Nonsense { story, wait_ms, .. } => {
                    is_one_lost = true;
                    (story, wait_ms)
                }
            };
            let Some(pause) = self.pause(start, tries, *wait_ms) else {
                self.tell::<F>(&format!("given up after {tries} tries: {story}"));
                return reading.into_answer();
            };
            self.tell::<F>(&format!("asked again in {} ms: {story}", pause.0));
            self.wire.wait(pause);
        }
    }

    /// One try, if the service is not having a rest.
    fn attempt<F: Function>(&self, body: &[u8], limit: Millis) -> Result<ReadingOf<F>, Failure<F::Refused>> {
        let pass = match self.breakers.admit(self.service, self.wire.now()) {
            Admission::Pass(pass) => pass,
            Admission::Refused { .. } => return Err(self.give_up::<F>("it is having a rest")),
        };
        let reading = match self.wire.send(F::PATH, body, limit) {
            Ok(reply) => read::<F>(&reply),
            Err(story) => Reading::Nonsense {
                story,
                wait_ms: None,
                runs: false,
            },
        };
        self.record(pass, &reading);
        Ok(reading)
    }

    /// Whoever says anything of its own is well, also if that is that it can't answer now: see the gateway's own rules. That there
    /// is no room for it says who runs it, and then it needs the rest.
    fn record<A, R>(&self, pass: Pass, reading: &Reading<A, R>) {
        let outcome = match reading {
            Reading::Nonsense { runs: false, .. } => Outcome::Failure,
            Reading::Nonsense { runs: true, .. }
            | Reading::Decided(_)
            | Reading::Unavailable { .. }
            | Reading::Misfit(_) => Outcome::Success,
        };
        self.breakers
            .record(self.service, pass, outcome, || self.wire.now());
    }

    /// How long the next try may take; none when there is too little time.
    fn next_limit(&self, start: u64) -> Option<Millis> {
        let left = self.left_ms(start);
        (left >= SHORTEST_TRY_MS).then(|| Millis(left.min(self.patience.try_for.0)))
    }

    fn left_ms(&self, start: u64) -> u32 {
        let used = self.wire.elapsed_ms().saturating_sub(start);
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        self.patience.budget.0.saturating_sub(used)
    }

    /// How long to wait before the next try; none when there will be none.
    fn pause(&self, start: u64, tries: u32, asked_ms: Option<u32>) -> Option<Millis> {
        if tries >= MOST_TRIES {
            return None;
        }
        let longest = FIRST_PAUSE_MS
            .saturating_mul(1 << (tries - 1))
            .min(LONGEST_PAUSE_MS);
        let jitter = self.wire.random() % u64::from(longest + 1);
        let jitter = u32::try_from(jitter).unwrap_or(longest);
        let pause = asked_ms.unwrap_or(0).saturating_add(jitter);
        let needed = pause.saturating_add(SHORTEST_TRY_MS);
        (needed <= self.left_ms(start)).then_some(Millis(pause))
    }

    fn give_up<F: Function>(&self, story: &str) -> Failure<F::Refused> {
        self.tell::<F>(story);
        Failure::Unavailable(format!("{} gives no answer: {story}", self.service))
    }

    fn tell<F: Function>(&self, story: &str) {
        web::log::warn(F::NAME, &format!("{}: {story}", self.service));
    }
}
