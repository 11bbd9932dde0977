//! One seam between the payment component and everything outside it, where a call can be lost or fatal.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use store::{DbError, Driver};
use store_suite::{database, gated};

/// What goes wrong, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It did not happen, and the component is told that there is no answer.
    LostBefore,
    /// It happened, and the component is told that there is no answer.
    LostAfter,
    /// It did not happen, and the component is gone.
    CrashBefore,
    /// It happened, and the component is gone.
    CrashAfter,
}

pub(crate) const MODES: [Mode; 4] = [
    Mode::LostBefore,
    Mode::LostAfter,
    Mode::CrashBefore,
    Mode::CrashAfter,
];

/// Counts every statement and every call of the gateway, and lets one of them go wrong.
#[derive(Default)]
pub(crate) struct Seam {
    count: Cell<u32>,
    statements: Cell<u32>,
    fault: Cell<Option<(u32, Mode)>>,
    connection: Cell<Option<Rc<dyn Driver>>>,
}

/// The end of a component.
struct Crash;

impl Seam {
    /// Runs one call of the component, whose `number`th touch of the outside goes wrong. None: it crashed.
    pub(crate) fn disturbed<T>(&self, fault: Option<(u32, Mode)>, call: impl FnOnce() -> T) -> Option<T> {
        self.count.set(0);
        self.fault.set(fault);
        let answer = catch_unwind(AssertUnwindSafe(call));
        self.fault.set(None);
        self.hang_up();
        match answer {
            Ok(answer) => Some(answer),
            Err(story) if story.is::<Crash>() => None,
            Err(story) => resume_unwind(story),
        }
    }

    /// How many statements were sent so far.
    pub(crate) fn statements(&self) -> u32 {
        self.statements.get()
    }

    /// How often the last call touched the outside.
    pub(crate) fn touched(&self) -> u32 {
        self.count.get()
    }

    /// Goes through the seam: `work` is what happens, `lost` what the component is told otherwise.
    pub(crate) fn through<T>(&self, lost: impl FnOnce() -> T, work: impl FnOnce() -> T) -> T {
        let number = self.count.get() + 1;
        self.count.set(number);
        match self.fault.get().filter(|(at, _)| *at == number) {
            None => work(),
            Some((_, Mode::LostBefore)) => lost(),
            Some((_, Mode::LostAfter)) => {
                work();
                lost()
            }
            Some((_, Mode::CrashBefore)) => resume_unwind(Box::new(Crash)),
            Some((_, Mode::CrashAfter)) => {
                work();
                resume_unwind(Box::new(Crash))
            }
        }
    }

    /// The connection ends with the call, and an open transaction with it.
    fn hang_up(&self) {
        if let Some(connection) = self.connection.take() {
            let _ = connection.execute("rollback", &[]);
            self.connection.set(Some(connection));
        }
    }
}

/// A database in memory behind the seam.
pub(crate) fn in_memory(seam: &Rc<Seam>) -> Box<dyn Driver> {
    let inner: Rc<dyn Driver> = Rc::from(database::fresh_driver().unwrap());
    seam.connection.set(Some(inner.clone()));
    let seam = seam.clone();
    gated(inner, move |_, run| {
        seam.statements.set(seam.statements.get() + 1);
        seam.through(|| Err(DbError::Unavailable("lost".to_owned())), run)
    })
}
