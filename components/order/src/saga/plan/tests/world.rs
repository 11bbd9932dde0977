use crate::saga::{Answer, Plan, Step};

/// What the steps do to the world, in the simplest form: each may be repeated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct World {
    pub(super) reserved: bool,
    pub(super) released: bool,
    pub(super) charged: bool,
    pub(super) voided: bool,
    pub(super) waiting: bool,
    pub(super) given_up: bool,
    pub(super) paid: bool,
    pub(super) sold: bool,
    pub(super) emptied: bool,
}

impl World {
    /// The world in which a plan begins.
    pub(super) fn before(plan: Plan) -> Self {
        let start = Self::default();
        let held = Self {
            reserved: true,
            waiting: true,
            ..start
        };
        let paid = Self {
            reserved: true,
            charged: true,
            paid: true,
            ..start
        };
        match plan {
            Plan::Place { .. } | Plan::Await => start,
            Plan::Confirm { .. } | Plan::Expire => held,
            Plan::Undo => Self {
                reserved: true,
                charged: true,
                ..start
            },
            Plan::Finish { .. } => paid,
            Plan::Cancel => Self { sold: true, ..paid },
        }
    }

    pub(super) fn does(&mut self, step: Step) -> Answer {
        match step {
            Step::Reserve if self.released => return Answer::Refused,
            Step::Reserve => self.reserved = true,
            Step::Charge if self.voided => return Answer::Refused,
            Step::Charge => self.charged = true,
            Step::Pay | Step::Wait if self.given_up => return Answer::Refused,
            Step::Wait => self.waiting = true,
            Step::Pay => self.paid = true,
            Step::GiveUp if self.paid => return Answer::Refused,
            Step::GiveUp => self.given_up = true,
            Step::Commit if self.released => return Answer::Refused,
            Step::Commit => self.sold = true,
            Step::Empty => self.emptied = true,
            Step::Void => self.voided = true,
            Step::Release if self.sold => return Answer::Refused,
            Step::Release => self.released = true,
            Step::TakeBack => (self.released, self.sold) = (true, false),
        }
        Answer::Ok
    }

    pub(super) const fn keeps_money(&self) -> bool {
        self.charged && !self.voided
    }

    pub(super) const fn keeps_goods(&self) -> bool {
        self.sold || self.reserved && !self.released
    }
}
