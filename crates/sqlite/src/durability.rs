//! The step between "COMMIT ran" and "the guest hears of it".

use tokio::sync::oneshot;

use crate::job::{Answer, Reply};

/// Holds the answers of committed transactions until the commits are on disk.
///
/// Today every guest's COMMIT is SQLite's own: with `synchronous = FULL` it returns after the log is
/// synced, so what is held can be let go at once. To group commits, a guest's BEGIN becomes a
/// SAVEPOINT inside one outer transaction and its COMMIT the RELEASE; the answers stay here while
/// the writer serves the next guest, and [`Durability::settle`] commits the outer transaction, once
/// for all of them, when the line is empty or a limit is reached. If that commit fails, every
/// answer held is turned into the failure: none of them was given.
#[derive(Default)]
pub(crate) struct Durability {
    held: Vec<Held>,
}

struct Held {
    reply: oneshot::Sender<Reply>,
    answer: Answer,
}

impl Durability {
    /// Answers a guest: at once, unless the answer says that something is committed. Returns how
    /// many guests were gone by now; what they committed stands all the same.
    pub(crate) fn answer(&mut self, reply: oneshot::Sender<Reply>, answer: Answer, committed: bool) -> u64 {
        if !committed {
            return u64::from(reply.send(Reply::Done(answer)).is_err());
        }
        self.held.push(Held { reply, answer });
        self.settle()
    }

    /// Makes all that is held durable and answers it.
    fn settle(&mut self) -> u64 {
        let mut gone = 0;
        for Held { reply, answer } in self.held.drain(..) {
            gone += u64::from(reply.send(Reply::Done(answer)).is_err());
        }
        gone
    }
}
