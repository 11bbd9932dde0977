//! The generic cell rate algorithm, in whole microseconds.
//!
//! All that is kept of a client is one moment: when its next request would be due if it came evenly (the
//! theoretical arrival time, TAT). How far that lies ahead of now says how much of the burst is used up.

/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;

/// How many requests are admitted: one each interval, and a burst of some at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    per_minute: u32,
    burst: u32,
}

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Whether it may go through.
    pub admitted: bool,
    /// How far the client's TAT lies ahead afterwards; from 0, when nothing is used up, to [`Quota::window_us`].
    pub ahead_us: i64,
}

impl Quota {
    /// No burst is longer than this, so no TAT lies further ahead.
    pub const LONGEST_US: i64 = MINUTE_US + MINUTE_US;

    /// So many requests a minute, all at once if need be; none for 0, which means that there is no limit.
    pub fn per_minute(requests: u32) -> Option<Self> {
        (requests > 0).then_some(Self {
            per_minute: requests,
            burst: requests,
        })
    }

    /// The same rate with at most this many at once, at least one.
    pub fn with_burst(self, burst: u32) -> Self {
        Self {
            burst: burst.clamp(1, self.per_minute),
            ..self
        }
    }

    /// How many requests fit into a minute.
    pub const fn requests_per_minute(self) -> u32 {
        self.per_minute
    }

    /// The time between two requests that come evenly, rounded up: never more than was allowed.
    pub const fn interval_us(self) -> i64 {
        MINUTE_US.div_euclid(self.per_minute as i64) + (MINUTE_US % self.per_minute as i64 != 0) as i64
    }

    /// How far a TAT may lie ahead: then the whole burst is used up.
    pub const fn window_us(self) -> i64 {
        self.interval_us() * self.burst as i64
    }

    /// Takes one request at `now`. Beside the answer stands the TAT to keep, if it is another one than before.
    ///
    /// A refused request costs nothing. A TAT further ahead than it can be comes from a clock that went back
    /// since, and counts as a burst just used up: not less, so nothing more is admitted, and not more, so nobody
    /// is locked out until the old time comes again.
    pub fn take(self, tat_us: Option<i64>, now_us: i64) -> (Taken, Option<i64>) {
        let (interval, window) = (self.interval_us(), self.window_us());
        let kept = tat_us.map_or(0, |tat| tat.saturating_sub(now_us));
        let ahead_us = kept.clamp(0, window);
        if ahead_us + interval > window {
            let refused = Taken {
                admitted: false,
                ahead_us,
            };
            return (refused, (kept > window).then(|| now_us.saturating_add(window)));
        }
        let ahead_us = ahead_us + interval;
        let admitted = Taken {
            admitted: true,
            ahead_us,
        };
        (admitted, Some(now_us.saturating_add(ahead_us)))
    }

    /// How many more are admitted at once.
    pub const fn remaining(self, taken: Taken) -> i64 {
        (self.window_us() - taken.ahead_us) / self.interval_us()
    }

    /// Until when the next one is not admitted; 0 when it is.
    pub const fn wait_us(self, taken: Taken) -> i64 {
        let early = taken.ahead_us + self.interval_us() - self.window_us();
        if early > 0 { early } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: i64 = 1_790_000_000_000_000;

    /// The requests of one client, one after the other; which of them were admitted, by their times.
    fn admitted(quota: Quota, times: &[i64]) -> Vec<i64> {
        let mut tat = None;
        let admit = |now: &i64| {
            let (taken, next) = quota.take(tat, *now);
            tat = next.or(tat);
            taken.admitted
        };
        let mut all = times.to_vec();
        let mut admit = admit;
        all.retain(|now| admit(now));
        all
    }

    fn quota() -> impl Strategy<Value = Quota> {
        (1_u32..=3_000, 1_u32..=3_000)
            .prop_map(|(rate, burst)| Quota::per_minute(rate).unwrap().with_burst(burst))
    }

    /// Steps of a clock that mostly lie close together, in terms of `1` = a thousandth of an interval.
    fn steps() -> impl Strategy<Value = Vec<i64>> {
        proptest::collection::vec(prop_oneof![Just(0), 0_i64..300, 0_i64..3_000], 1..400)
    }

    fn moments(quota: Quota, steps: &[i64]) -> Vec<i64> {
        let mut now = START;
        let step = |step: &i64| {
            now += step * quota.interval_us() / 1_000;
            now
        };
        steps.iter().map(step).collect()
    }

    proptest! {
        #[test]
        fn no_window_admits_more_than_burst_and_rate(quota in quota(), steps in steps()) {
            let admitted = admitted(quota, &moments(quota, &steps));
            let burst = quota.window_us() / quota.interval_us();
            for (first, from) in admitted.iter().enumerate() {
                for (last, until) in admitted.iter().enumerate().skip(first) {
                    let most = burst + (until - from) / quota.interval_us();
                    prop_assert!((last - first + 1) as i64 <= most);
                }
            }
        }

        #[test]
        fn who_comes_evenly_is_never_refused(quota in quota(), late in proptest::collection::vec(0_i64..2_000_000, 1..300)) {
            let mut now = START;
            let times: Vec<i64> = late.iter().map(|late| { now += quota.interval_us() + late; now }).collect();
            prop_assert_eq!(admitted(quota, &times), times);
        }

        #[test]
        fn a_refused_request_costs_nothing(quota in quota(), steps in steps()) {
            let times = moments(quota, &steps);
            let once = admitted(quota, &times);
            // Without the refused ones, the same are admitted; and with all of them twice as often, too.
            prop_assert_eq!(&admitted(quota, &once), &once);
            let (mut tat, mut insisting) = (None, Vec::new());
            for now in times {
                let (taken, next) = quota.take(tat, now);
                tat = next.or(tat);
                if taken.admitted {
                    insisting.push(now);
                    continue;
                }
                for _ in 0..3 {
                    prop_assert_eq!(quota.take(tat, now), (taken, None));
                }
            }
            prop_assert_eq!(insisting, once);
        }

        #[test]
        fn what_it_says_of_the_future_is_true(quota in quota(), steps in steps()) {
            let mut tat = None;
            for now in moments(quota, &steps) {
                let (taken, next) = quota.take(tat, now);
                tat = next.or(tat);
                let wait = quota.wait_us(taken);
                prop_assert!(quota.take(tat, now + wait).0.admitted);
                if wait > 0 {
                    prop_assert!(!quota.take(tat, now + wait - 1).0.admitted);
                }
                let at_once = vec![now; usize::try_from(quota.remaining(taken)).unwrap() + 1];
                let mut then = tat;
                let more = at_once.iter().filter(|now| {
                    let (taken, next) = quota.take(then, **now);
                    then = next.or(then);
                    taken.admitted
                });
                prop_assert_eq!(more.count() as i64, quota.remaining(taken));
            }
        }

        /// Real time goes on while the clock jumps: what is admitted is counted in real time.
        #[test]
        fn a_clock_that_goes_back_admits_no_more_and_locks_nobody_out(
            quota in quota(),
            steps in proptest::collection::vec((0_i64..3_000, 0_i64..50_000_000), 1..200),
        ) {
            let (mut real, mut skew, mut tat) = (START, 0, None);
            let (mut admitted, mut refused_since) = (Vec::new(), None);
            for (step, back) in steps {
                real += step * quota.interval_us() / 1_000;
                skew += if back % 7 == 0 { back } else { 0 };
                let (taken, next) = quota.take(tat, real - skew);
                tat = next.or(tat);
                if taken.admitted {
                    admitted.push(real);
                    refused_since = None;
                } else {
                    let since = if back % 7 == 0 { real } else { refused_since.unwrap_or(real) };
                    refused_since = Some(since);
                    // With a clock that stood still since, one interval is the longest wait.
                    prop_assert!(real - since < quota.interval_us());
                }
            }
            let burst = quota.window_us() / quota.interval_us();
            for (first, from) in admitted.iter().enumerate() {
                for (last, until) in admitted.iter().enumerate().skip(first) {
                    let most = burst + (until - from) / quota.interval_us();
                    prop_assert!((last - first + 1) as i64 <= most);
                }
            }
        }
    }

    #[test]
    fn a_burst_goes_at_once_and_then_one_each_interval() {
        let quota = Quota::per_minute(120).unwrap();
        assert_eq!((quota.interval_us(), quota.window_us()), (500_000, 60_000_000));
        let mut times = vec![START; 130];
        times.extend([499_999, 500_000, 500_000, 1_000_000].map(|later| START + later));
        let mut expected = vec![START; 120];
        expected.extend([500_000, 1_000_000].map(|later| START + later));
        assert_eq!(admitted(quota, &times), expected);
        let small = Quota::per_minute(600).unwrap().with_burst(10);
        assert_eq!((small.interval_us(), small.window_us()), (100_000, 1_000_000));
        assert_eq!(Quota::per_minute(7).unwrap().interval_us(), 8_571_429);
        assert_eq!(Quota::per_minute(0), None);
    }

    #[test]
    fn no_kept_moment_breaks_it() {
        let quota = Quota::per_minute(60).unwrap();
        for tat in [i64::MIN, -1, 0, 1, START, i64::MAX] {
            for now in [i64::MIN, 0, START, i64::MAX] {
                let (taken, _) = quota.take(Some(tat), now);
                assert!((0..=quota.window_us()).contains(&taken.ahead_us), "{tat} {now}");
            }
        }
    }
}
