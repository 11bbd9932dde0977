//! The faults: one host call of a story fails, its instance dies, or it is held until it is let go.

use std::sync::Mutex;

use host::{Action, Call, Faults, Gate, Kind, Moment};

/// What becomes of the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Harm {
    /// The guest gets an error, nothing was done.
    ErrorBefore,
    /// It was done, and the guest gets an error.
    ErrorAfter,
    /// The instance is gone, nothing was done.
    DeathBefore,
    /// It was done, and the instance is gone.
    DeathAfter,
}

impl Harm {
    pub(crate) const ALL: [Self; 4] = [
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::DeathBefore,
        Self::DeathAfter,
    ];

    const fn moment(self) -> Moment {
        match self {
            Self::ErrorBefore | Self::DeathBefore => Moment::Before,
            Self::ErrorAfter | Self::DeathAfter => Moment::After,
        }
    }

    fn action(self) -> Action {
        match self {
            // One that a database says of itself, to be tried again; and one that nobody knows.
            Self::ErrorBefore => Action::Fail("disk I/O error".to_owned()),
            Self::ErrorAfter => Action::Fail("the test says so".to_owned()),
            Self::DeathBefore | Self::DeathAfter => Action::Trap,
        }
    }
}

/// What the switch is set to.
#[derive(Default)]
enum Plan {
    /// Nothing is disturbed.
    #[default]
    Off,
    /// The n-th call from now on is harmed.
    Harm {
        left: usize,
        harm: Harm,
        hit: Option<String>,
    },
    /// The n-th call from now on waits at the gate, before it is done.
    Hold { left: usize, gate: Gate },
    /// Every call of this component to its database waits at the gate.
    Hang { component: &'static str, gate: Gate },
}

/// Decides about every host call of the world.
#[derive(Default)]
pub(crate) struct Switch {
    plan: Mutex<Plan>,
}

impl Switch {
    fn set(&self, plan: Plan) -> Plan {
        std::mem::replace(&mut self.plan.lock().unwrap(), plan)
    }

    /// Harms the call with this number, from 0.
    pub(crate) fn harm(&self, number: usize, harm: Harm) {
        self.set(Plan::Harm {
            left: number,
            harm,
            hit: None,
        });
    }

    /// Holds the call with this number, from 0, at the gate that is answered.
    pub(crate) fn hold(&self, number: usize) -> Gate {
        let gate = Gate::new();
        self.set(Plan::Hold {
            left: number,
            gate: gate.clone(),
        });
        gate
    }

    /// Holds whatever this component asks of its database, at the gate that is answered.
    pub(crate) fn hang(&self, component: &'static str) -> Gate {
        let gate = Gate::new();
        self.set(Plan::Hang {
            component,
            gate: gate.clone(),
        });
        gate
    }

    /// Disturbs nothing any more, and answers the call that was harmed.
    pub(crate) fn off(&self) -> Option<String> {
        match self.set(Plan::Off) {
            Plan::Harm { hit, .. } => hit,
            Plan::Off | Plan::Hold { .. } | Plan::Hang { .. } => None,
        }
    }
}

fn name(call: &Call<'_>) -> String {
    let detail: String = call.detail.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = detail.chars().take(60).collect();
    format!("{} {} {short}", call.component, call.kind.name())
}

impl Faults for Switch {
    fn decide(&self, call: &Call<'_>) -> Action {
        let mut plan = self.plan.lock().unwrap();
        match &mut *plan {
            Plan::Off => Action::Go,
            Plan::Harm { hit: Some(_), .. } => Action::Go,
            Plan::Harm { left, harm, hit } => {
                if call.moment != harm.moment() {
                    return Action::Go;
                }
                if *left > 0 {
                    *left -= 1;
                    return Action::Go;
                }
                *hit = Some(name(call));
                harm.action()
            }
            Plan::Hold { left, gate } => {
                if call.moment != Moment::Before {
                    return Action::Go;
                }
                if *left > 0 {
                    *left -= 1;
                    return Action::Go;
                }
                let gate = gate.clone();
                *plan = Plan::Off;
                Action::Hold(gate)
            }
            Plan::Hang { component, gate } => {
                let held = call.moment == Moment::Before && call.kind == Kind::Sqlite;
                if held && call.component == *component {
                    Action::Hold(gate.clone())
                } else {
                    Action::Go
                }
            }
        }
    }
}
