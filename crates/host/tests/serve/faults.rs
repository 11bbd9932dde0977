//! The seam where tests make host calls fail.

use crate::support::{options, probe, start};
use host::{Action, Call, Faults, Kind, Moment, Options};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does something at the n-th statement that begins with these words.
struct Nth {
    words: &'static str,
    moment: Moment,
    n: usize,
    action: Action,
    seen: AtomicUsize,
}

impl Faults for Nth {
    fn decide(&self, call: &Call<'_>) -> Action {
        let ours = call.kind == Kind::Sqlite
            && call.component == "probe"
            && call.moment == self.moment
            && call.detail.starts_with(self.words);
        if ours && self.seen.fetch_add(1, Ordering::Relaxed) + 1 == self.n {
            self.action.clone()
        } else {
            Action::Go
        }
    }
}

fn at(words: &'static str, moment: Moment, n: usize, action: Action) -> Options {
    Options {
        faults: Arc::new(Nth {
            words,
            moment,
            n,
            action,
            seen: AtomicUsize::new(0),
        }),
        ..options()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_commit_can_fail_and_nothing_of_it_stays() {
    let failing = at("commit", Moment::Before, 2, Action::Fail("disk gone".to_owned()));
    let server = start(&probe(), failing).await;
    assert_eq!(server.get("/probe/tx-commit").await.body, "Ok(())");
    let second = server.get("/probe/tx-commit").await.body;
    assert!(second.contains("disk gone"), "{second}");
    assert_eq!(server.get("/probe/tx-count").await.body, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_can_happen_and_its_answer_get_lost() {
    let losing = at("commit", Moment::After, 1, Action::Fail("no answer".to_owned()));
    let server = start(&probe(), losing).await;
    let lost = server.get("/probe/tx-commit").await.body;
    assert!(lost.contains("no answer"), "{lost}");
    assert_eq!(server.get("/probe/tx-count").await.body, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_can_be_lost_in_the_middle_of_a_call() {
    let server = start(&probe(), at("insert", Moment::After, 1, Action::Trap)).await;
    server.get("/probe/tx-commit").await.assert_problem(500);
    assert_eq!(server.get("/probe/tx-count").await.body, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_can_take_its_time() {
    let time = std::time::Duration::from_millis(300);
    let server = start(&probe(), at("commit", Moment::Before, 1, Action::Delay(time))).await;
    let started = std::time::Instant::now();
    assert_eq!(server.get("/probe/tx-commit").await.body, "Ok(())");
    assert!(started.elapsed() >= time);
}
