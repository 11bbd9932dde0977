use kernel::{Instant, Millis};

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// So many failures in a row open it; 0 never does.
    pub failures: u32,
    /// All of them within this time.
    pub window: Millis,
    /// It stays open for this long.
    pub open: Millis,
    /// A probe that gave no answer for this long is given up.
    pub lease: Millis,
}

/// What is known about a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It gets all requests. These failed, since the last one that did not.
    Closed {
        /// When they failed, the oldest first.
        failures: Vec<Instant>,
    },
    /// It gets none until then.
    Open {
        /// The end of its rest.
        until: Instant,
    },
    /// It gets one, to see how it is: half-open.
    Probing {
        /// When the probe counts as lost.
        until: Instant,
        /// Whose request the probe is.
        by: u64,
    },
}

/// How a breaker stands for whoever looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// All requests go on.
    Closed,
    /// The next request goes on, or one is on its way, to see how the component is.
    HalfOpen,
    /// No request goes on.
    Open,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// Its name in readiness and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

/// What a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It goes on.
    Pass(Pass),
    /// It does not; after so many microseconds another one may.
    Refused {
        /// The time to wait.
        wait_us: i64,
    },
}

/// How a request went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Nothing was held against the component, so a success is no news.
    Clean,
    /// Some requests before it failed.
    Suspected,
    /// It is the one that shows whether the component is well again.
    Probe,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The component answered, whatever it said.
    Success,
    /// It is not there, does not answer, or what runs it says that it can't.
    Failure,
    /// The client had a part in it, so it says nothing about the component.
    Unknown,
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: Vec::new() }
    }
}

impl State {
    /// Its name as it is kept, whatever time it is. What operators see is [`State::at`].
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Closed { .. } => Standing::Closed.name(),
            Self::Open { .. } => Standing::Open.name(),
            Self::Probing { .. } => Standing::HalfOpen.name(),
        }
    }

    /// How it stands at this moment.
    ///
    /// Nobody writes down that a rest is over: the next request finds it out. Until one comes it would look open for ever,
    /// though whoever asks gets through.
    pub fn at(&self, now: Instant) -> Standing {
        match self {
            Self::Closed { .. } => Standing::Closed,
            Self::Open { until } if *until <= now => Standing::HalfOpen,
            Self::Open { .. } => Standing::Open,
            Self::Probing { .. } => Standing::HalfOpen,
        }
    }

    /// Asks for a request, by somebody with this number. Beside the answer stands the next state, if it changes.
    ///
    /// A moment further away than it can be comes from a clock that went back, and is brought nearer.
    pub fn admit(&self, thresholds: &Thresholds, now: Instant, by: u64) -> (Option<Self>, Admission) {
        let probe = || Self::Probing {
            until: now.after(thresholds.lease),
            by,
        };
        match self {
            Self::Closed { failures } if failures.is_empty() => (None, Admission::Pass(Pass::Clean)),
            Self::Closed { .. } => (None, Admission::Pass(Pass::Suspected)),
            Self::Open { until } | Self::Probing { until, .. } if *until <= now => {
                (Some(probe()), Admission::Pass(Pass::Probe))
            }
            Self::Open { until } => {
                let latest = now.after(thresholds.open);
                let nearer = (*until > latest).then_some(Self::Open { until: latest });
                let wait_us = (*until).min(latest).micros() - now.micros();
                (nearer, Admission::Refused { wait_us })
            }
            Self::Probing { until, by } => {
                let latest = now.after(thresholds.lease);
                let nearer = (*until > latest).then_some(Self::Probing {
                    until: latest,
                    by: *by,
                });
                // Nobody knows when the probe ends; mostly that is soon.
                (nearer, Admission::Refused { wait_us: 1 })
            }
        }
    }

    /// What an ended request changes. It opens the breaker where the next state is [`State::Open`] with a rest.
    pub fn record(&self, thresholds: &Thresholds, now: Instant, end: End) -> Option<Self> {
        let open = || {
            Some(Self::Open {
                until: now.after(thresholds.open),
            })
        };
        match (self, end.outcome) {
            (Self::Closed { failures }, Outcome::Success) => (!failures.is_empty()).then(Self::default),
            (Self::Closed { failures }, Outcome::Failure) => {
                let failures = recent(failures, thresholds, now);
                match failures.len() >= thresholds.failures as usize {
                    true => open(),
                    false => Some(Self::Closed { failures }),
                }
            }
            (Self::Closed { .. }, Outcome::Unknown) | (Self::Open { .. }, _) => None,
            (Self::Probing { by, .. }, _) if end.pass != Pass::Probe || end.by != *by => None,
            (Self::Probing { .. }, Outcome::Success) => Some(Self::default()),
            (Self::Probing { .. }, Outcome::Failure) => open(),
            // The next one may probe at once.
            (Self::Probing { .. }, Outcome::Unknown) => Some(Self::Open { until: now }),
        }
    }

    /// As it is kept.
    pub fn text(&self) -> String {
        match self {
            Self::Closed { failures } => failures.iter().fold("closed".to_owned(), |text, failure| {
                format!("{text} {}", failure.micros())
            }),
            Self::Open { until } => format!("open {}", until.micros()),
            Self::Probing { until, by } => format!("probing {} {by}", until.micros()),
        }
    }

    /// Reads what was kept. What can't be read holds nothing against the component.
    pub fn parse(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(bytes).ok()?.split(' ');
        let name = words.next()?;
        let rest: Vec<&str> = words.collect();
        let moment = |word: &str| word.parse().ok().map(Instant::from_micros);
        match (name, rest.as_slice()) {
            ("closed", failures) => {
                let failures = failures.iter().map(|word| moment(word)).collect::<Option<_>>()?;
                Some(Self::Closed { failures })
            }
            ("open", [until]) => Some(Self::Open {
                until: moment(until)?,
            }),
            ("probing", [until, by]) => Some(Self::Probing {
                until: moment(until)?,
                by: by.parse().ok()?,
            }),
            _ => None,
        }
    }
}

/// The end of a request: whose it was, how it went on, and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The number it was admitted under.
    pub by: u64,
    /// How it went on.
    pub pass: Pass,
    /// How it ended.
    pub outcome: Outcome,
}

/// The failures that still count, with one more now. Failures of a time to come are of a clock that went back.
fn recent(failures: &[Instant], thresholds: &Thresholds, now: Instant) -> Vec<Instant> {
    let counts = |failure: &&Instant| **failure <= now && failure.after(thresholds.window) > now;
    let kept = failures.iter().filter(counts).copied();
    kept.chain([now]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const RULES: Thresholds = Thresholds {
        failures: 3,
        window: Millis(10),
        open: Millis(5),
        lease: Millis(20),
    };

    fn at(ms: i64) -> Instant {
        Instant::from_micros(ms * 1_000)
    }

    fn states() -> Vec<State> {
        let closed = |failures: &[i64]| State::Closed {
            failures: failures.iter().map(|ms| at(*ms)).collect(),
        };
        vec![
            closed(&[]),
            closed(&[95]),
            closed(&[90, 91]),
            closed(&[91, 92]),
            closed(&[200, 300]),
            State::Open { until: at(100) },
            State::Open { until: at(101) },
            State::Open { until: at(999) },
            State::Probing {
                until: at(100),
                by: 1,
            },
            State::Probing {
                until: at(101),
                by: 1,
            },
            State::Probing {
                until: at(999),
                by: 1,
            },
        ]
    }

    /// Everything at 100 ms; times in ms.
    fn shown(state: &Option<State>) -> String {
        let text = state.as_ref().map_or("same".to_owned(), State::text);
        let words = text.split(' ').map(|word| match word.parse::<i64>() {
            Ok(micros) if micros >= 1_000 => (micros / 1_000).to_string(),
            _ => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_state_asked_for_a_request() {
        let line = |state: &State| {
            let (next, admission) = state.admit(&RULES, at(100), 2);
            let admission = match admission {
                Admission::Pass(pass) => format!("{pass:?}"),
                Admission::Refused { wait_us } => format!("refused for {wait_us} us"),
            };
            format!(
                "{} | {admission} | {}\n",
                shown(&Some(state.clone())),
                shown(&next)
            )
        };
        let table: String = states().iter().map(line).collect();
        expect![[r#"
            closed | Clean | same
            closed 95 | Suspected | same
            closed 90 91 | Suspected | same
            closed 91 92 | Suspected | same
            closed 200 300 | Suspected | same
            open 100 | Probe | probing 120 2
            open 101 | refused for 1000 us | same
            open 999 | refused for 5000 us | open 105
            probing 100 1 | Probe | probing 120 2
            probing 101 1 | refused for 1 us | same
            probing 999 1 | refused for 1 us | probing 120 1
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn every_state_told_of_every_end() {
        let end = |pass, outcome| End { by: 1, pass, outcome };
        let line = |state: &State| {
            let of = |pass| {
                [Outcome::Success, Outcome::Failure, Outcome::Unknown]
                    .map(|outcome| shown(&state.record(&RULES, at(100), end(pass, outcome))))
                    .join(", ")
            };
            let (passed, probed) = (of(Pass::Clean), of(Pass::Probe));
            assert_eq!(passed, of(Pass::Suspected));
            format!("{} | {passed} | {probed}\n", shown(&Some(state.clone())))
        };
        let table: String = states().iter().map(line).collect();
        // state | success, failure, unknown of a request that passed | the same of the probe with number 1
        expect![[r#"
            closed | same, closed 100, same | same, closed 100, same
            closed 95 | closed, closed 95 100, same | closed, closed 95 100, same
            closed 90 91 | closed, closed 91 100, same | closed, closed 91 100, same
            closed 91 92 | closed, open 105, same | closed, open 105, same
            closed 200 300 | closed, closed 100, same | closed, closed 100, same
            open 100 | same, same, same | same, same, same
            open 101 | same, same, same | same, same, same
            open 999 | same, same, same | same, same, same
            probing 100 1 | same, same, same | closed, open 105, open 100
            probing 101 1 | same, same, same | closed, open 105, open 100
            probing 999 1 | same, same, same | closed, open 105, open 100
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn a_rest_that_is_over_is_half_open_though_nobody_came() {
        let line =
            |state: &State| format!("{} | {}\n", shown(&Some(state.clone())), state.at(at(100)).name());
        let table: String = states().iter().map(line).collect();
        expect![[r#"
            closed | closed
            closed 95 | closed
            closed 90 91 | closed
            closed 91 92 | closed
            closed 200 300 | closed
            open 100 | half-open
            open 101 | open
            open 999 | open
            probing 100 1 | half-open
            probing 101 1 | half-open
            probing 999 1 | half-open
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn only_the_probe_itself_ends_the_probing() {
        let state = State::Probing {
            until: at(101),
            by: 1,
        };
        for outcome in [Outcome::Success, Outcome::Failure, Outcome::Unknown] {
            let end = End {
                by: 2,
                pass: Pass::Probe,
                outcome,
            };
            assert_eq!(state.record(&RULES, at(100), end), None);
        }
    }

    #[test]
    fn a_state_is_read_as_it_was_kept_and_nothing_else_is_one() {
        for state in states() {
            assert_eq!(State::parse(state.text().as_bytes()), state);
        }
        for bytes in [
            b"".as_slice(),
            &[0; 8],
            b"0",
            b"open",
            b"open x",
            b"probing 1",
            b"closed 1 x",
            b"\xff",
        ] {
            assert_eq!(State::parse(bytes), State::default(), "{bytes:?}");
        }
    }
}
