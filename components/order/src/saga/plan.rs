/// A step of the checkout, in the order they are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Set the goods aside.
    Reserve,
    /// Take the money.
    Charge,
    /// Mark the order PAID: the point of no return.
    Pay,
    /// Let the goods go.
    Commit,
}

impl Step {
    const ALL: [Self; 4] = [Self::Reserve, Self::Charge, Self::Pay, Self::Commit];

    /// As logs and the database write it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Charge => "charge",
            Self::Pay => "pay",
            Self::Commit => "commit",
        }
    }
}

/// How often a call is made that gets no answer. Every call can be repeated, and the second one often
/// learns what became of the first.
const ATTEMPTS: usize = 2;

/// What a step or an undo answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Done, now or before.
    Ok,
    /// The business said no; nothing changed.
    Refused,
    /// No answer: it may have happened.
    Unknown,
}

/// One line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A step was tried.
    Did(Step, Answer),
    /// A step was undone.
    Undid(Step, Answer),
}

/// What has happened so far, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log(Vec<Entry>);

impl Log {
    /// Writes an answer down.
    pub fn append(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    fn did(&self, step: Step) -> Option<Answer> {
        settled(self.0.iter().filter_map(|entry| match entry {
            Entry::Did(done, answer) if *done == step => Some(*answer),
            Entry::Did(..) | Entry::Undid(..) => None,
        }))
    }

    fn undid(&self, step: Step) -> Option<Answer> {
        settled(self.0.iter().filter_map(|entry| match entry {
            Entry::Undid(undone, answer) if *undone == step => Some(*answer),
            Entry::Did(..) | Entry::Undid(..) => None,
        }))
    }
}

/// The last of several answers; none while an unanswered call is still worth repeating.
fn settled(answers: impl Iterator<Item = Answer>) -> Option<Answer> {
    let answers: Vec<Answer> = answers.collect();
    match answers.last()? {
        Answer::Unknown if answers.len() < ATTEMPTS => None,
        last => Some(*last),
    }
}

/// How a saga ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Money in, goods out.
    Paid,
    /// Everything given back: the order is to be marked FAILED.
    Failed,
}

/// What the log says must happen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Do this step.
    Do(Step),
    /// Undo this step.
    Undo(Step),
    /// All is done, or all is undone.
    Finished(End),
    /// No answer where one is needed: the order stays as it is and recovery goes on later.
    Parked(Step),
    /// An answer that must not be: a person has to look.
    Stuck(Step),
}

/// Reads the log and says what must happen now.
pub fn next(log: &Log) -> Next {
    for step in Step::ALL {
        match (log.did(step), step) {
            (None, step) => return Next::Do(step),
            (Some(Answer::Ok), _) => {}
            (Some(Answer::Refused), Step::Pay | Step::Commit) => return Next::Stuck(step),
            (Some(Answer::Unknown), Step::Pay | Step::Commit) => return Next::Parked(step),
            (Some(Answer::Refused | Answer::Unknown), Step::Reserve | Step::Charge) => return next_undo(log),
        }
    }
    Next::Finished(End::Paid)
}

/// Undoes, last step first, whatever was done or may have been.
fn next_undo(log: &Log) -> Next {
    for step in [Step::Charge, Step::Reserve] {
        let may_have_happened = matches!(log.did(step), Some(Answer::Ok | Answer::Unknown));
        match log.undid(step) {
            _ if !may_have_happened => {}
            None => return Next::Undo(step),
            Some(Answer::Ok) => {}
            Some(Answer::Refused) => return Next::Stuck(step),
            Some(Answer::Unknown) => return Next::Parked(step),
        }
    }
    Next::Finished(End::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a script of answers ("reserve ok, charge refused") and writes down what `next` asked for
    /// after the script's last step.
    fn check(script: &str, expected: &str) {
        let mut log = Log::default();
        let mut asked = Vec::new();
        let mut answers = script.split(", ").filter(|line| !line.is_empty()).peekable();
        loop {
            let wanted = match next(&log) {
                Next::Do(step) => (step, step.text().to_owned(), false),
                Next::Undo(step) => (step, format!("undo {}", step.text()), true),
                Next::Finished(End::Paid) => return assert_transcript(asked, "end paid", script, expected),
                Next::Finished(End::Failed) => {
                    return assert_transcript(asked, "end failed", script, expected);
                }
                Next::Parked(step) => {
                    return assert_transcript(asked, &format!("parked at {}", step.text()), script, expected);
                }
                Next::Stuck(step) => {
                    return assert_transcript(asked, &format!("stuck at {}", step.text()), script, expected);
                }
            };
            let (step, name, undo) = wanted;
            let scripted = answers
                .peek()
                .and_then(|line| line.strip_prefix(&format!("{name} ")));
            let answer = match scripted {
                Some("refused") => Answer::Refused,
                Some("unknown") => Answer::Unknown,
                Some("ok") => Answer::Ok,
                Some(other) => panic!("unknown answer {other}"),
                None => Answer::Ok,
            };
            if scripted.is_some() {
                answers.next();
            }
            asked.push(name);
            log.append(if undo {
                Entry::Undid(step, answer)
            } else {
                Entry::Did(step, answer)
            });
        }
    }

    #[track_caller]
    fn assert_transcript(mut asked: Vec<String>, end: &str, script: &str, expected: &str) {
        asked.push(end.to_owned());
        assert_eq!(asked.join(", "), expected, "after {script:?}");
    }

    #[test]
    fn a_checkout_without_trouble_takes_every_step_once() {
        check("", "reserve, charge, pay, commit, end paid");
    }

    #[test]
    fn refused_goods_leave_nothing_to_undo() {
        check("reserve refused", "reserve, end failed");
    }

    #[test]
    fn a_refused_charge_gives_the_goods_back() {
        check(
            "reserve ok, charge refused",
            "reserve, charge, undo reserve, end failed",
        );
    }

    #[test]
    fn a_step_without_an_answer_is_asked_once_more() {
        check(
            "reserve unknown, reserve ok",
            "reserve, reserve, charge, pay, commit, end paid",
        );
        check(
            "reserve ok, charge unknown, charge ok",
            "reserve, charge, charge, pay, commit, end paid",
        );
        check(
            "reserve ok, charge unknown, charge refused",
            "reserve, charge, charge, undo reserve, end failed",
        );
    }

    #[test]
    fn a_step_that_never_answers_is_undone_as_if_it_had_happened() {
        check(
            "reserve unknown, reserve unknown",
            "reserve, reserve, undo reserve, end failed",
        );
        check(
            "reserve ok, charge unknown, charge unknown",
            "reserve, charge, charge, undo charge, undo reserve, end failed",
        );
    }

    #[test]
    fn an_undo_that_is_refused_is_stuck_and_one_without_an_answer_is_parked() {
        let unanswered = "reserve ok, charge unknown, charge unknown";
        check(
            &format!("{unanswered}, undo charge refused"),
            "reserve, charge, charge, undo charge, stuck at charge",
        );
        check(
            &format!("{unanswered}, undo charge unknown, undo charge unknown"),
            "reserve, charge, charge, undo charge, undo charge, parked at charge",
        );
        check(
            "reserve ok, charge refused, undo reserve unknown, undo reserve unknown",
            "reserve, charge, undo reserve, undo reserve, parked at reserve",
        );
        check(
            "reserve ok, charge refused, undo reserve refused",
            "reserve, charge, undo reserve, stuck at reserve",
        );
    }

    #[test]
    fn nothing_is_undone_from_the_point_of_no_return_on() {
        let charged = "reserve ok, charge ok";
        check(
            &format!("{charged}, pay unknown, pay unknown"),
            "reserve, charge, pay, pay, parked at pay",
        );
        check(
            &format!("{charged}, pay refused"),
            "reserve, charge, pay, stuck at pay",
        );
        check(
            &format!("{charged}, pay ok, commit unknown, commit unknown"),
            "reserve, charge, pay, commit, commit, parked at commit",
        );
        check(
            &format!("{charged}, pay ok, commit refused"),
            "reserve, charge, pay, commit, stuck at commit",
        );
    }
}
