//! Where a test breaks the shop: every call to another domain and every statement passes here.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use store::{DbError, Driver};
use store_suite::{database, gated};

/// When an answer gets lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the call did anything.
    Before,
    /// After it was done.
    After,
}

impl When {
    pub(crate) const BOTH: [Self; 2] = [Self::Before, Self::After];
}

/// Which calls to other domains get no answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) when: When,
}

/// Counts what passes, and breaks it.
#[derive(Default)]
pub(crate) struct Seam {
    points: RefCell<Vec<String>>,
    calls: Cell<u32>,
    lost: Cell<Option<Fault>>,
    crash: Cell<Option<(usize, When)>>,
    dead: Cell<bool>,
    aside: Cell<bool>,
}

impl Seam {
    /// From now on counts begin anew, and nothing is broken.
    pub(crate) fn heal(&self) {
        self.points.borrow_mut().clear();
        self.calls.set(0);
        self.lost.set(None);
        self.crash.set(None);
        self.dead.set(false);
    }

    /// Loses the answers of these calls to other domains.
    pub(crate) fn lose(&self, fault: Fault) {
        self.heal();
        self.lost.set(Some(fault));
    }

    /// Kills whoever runs at this call or statement: from then on nothing is done any more.
    pub(crate) fn crash(&self, point: usize, when: When) {
        self.heal();
        self.crash.set(Some((point, when)));
    }

    /// The same while these calls get no answer.
    pub(crate) fn lose_and_crash(&self, fault: Fault, point: usize, when: When) {
        self.lose(fault);
        self.crash.set(Some((point, when)));
    }

    /// Calls and statements since the last healing.
    pub(crate) fn points(&self) -> Vec<String> {
        self.points.borrow().clone()
    }

    /// Whether the crash that was asked for has happened.
    pub(crate) fn has_crashed(&self) -> bool {
        self.dead.get()
    }

    /// The number of the call to another domain that comes next.
    pub(crate) fn next_call(&self) -> u32 {
        self.calls.get()
    }

    /// Looks at the shop from outside: nothing of it is counted or broken.
    pub(crate) fn aside<T>(&self, look: impl FnOnce() -> T) -> T {
        self.aside.set(true);
        let found = look();
        self.aside.set(false);
        found
    }

    /// A call to another domain.
    pub(crate) fn call<T, E>(
        &self,
        name: &str,
        lost: impl Fn(String) -> E,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let number = self.calls.replace(self.calls.get() + 1);
        let fault = self.lost.get();
        let hit = fault.filter(|fault| (fault.first..=fault.last).contains(&number));
        self.pass(name, &lost, || match hit.map(|fault| fault.when) {
            None => call(),
            Some(When::Before) => Err(lost(format!("{name} was lost"))),
            Some(When::After) => {
                let _ = call();
                Err(lost(format!("the answer of {name} was lost")))
            }
        })
    }

    fn pass<T, E>(
        &self,
        name: &str,
        lost: &impl Fn(String) -> E,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        if self.aside.get() {
            return work();
        }
        let point = self.points.borrow().len();
        self.points.borrow_mut().push(name.to_owned());
        let crash = self.crash.get().filter(|(at, _)| *at == point);
        if crash.is_some_and(|(_, when)| when == When::Before) {
            self.dead.set(true);
        }
        if self.dead.get() {
            return Err(lost(format!("dead at {name}")));
        }
        let answer = work();
        if crash.is_some() {
            self.dead.set(true);
            return Err(lost(format!("died after {name}")));
        }
        answer
    }
}

/// A database in memory whose every statement passes the seam.
pub(crate) fn fragile(seam: &Rc<Seam>) -> Box<dyn Driver> {
    let inner: Rc<dyn Driver> = Rc::from(database::fresh_driver().unwrap());
    let (connection, seam, open) = (inner.clone(), seam.clone(), Cell::new(false));
    gated(inner, move |statement, run| {
        let answer = seam.pass(&first_words(statement), &DbError::Unavailable, || {
            match statement {
                "commit" | "rollback" => open.set(false),
                _ if statement == connection.begin() => open.set(true),
                _ => {}
            }
            run()
        });
        // The dead don't roll back, but their connection ends, and with it their transaction.
        if seam.has_crashed() && open.replace(false) {
            let _ = connection.execute("rollback", &[]);
        }
        answer
    })
}

/// `update order_work set …` as `update order_work set`, without its comment; every database begins in its own way.
fn first_words(statement: &str) -> String {
    if statement.starts_with("begin") {
        return "begin".to_owned();
    }
    let lines = statement.lines().filter(|line| !line.starts_with("--"));
    let words = lines.flat_map(str::split_whitespace).take(3);
    words.collect::<Vec<_>>().join(" ")
}
