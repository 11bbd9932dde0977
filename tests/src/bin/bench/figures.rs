//! Numbers from many measurements.

use std::time::Duration;

use serde::Serialize;

/// What a run of requests took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// Half of the requests were answered within this time, in µs.
    pub(crate) p50_us: f64,
    /// 95 of 100 were.
    pub(crate) p95_us: f64,
    /// 99 of 100 were.
    pub(crate) p99_us: f64,
    /// Requests answered in a second, by all clients.
    pub(crate) per_second: f64,
}

impl Figures {
    /// The figures of a run; there must be at least one latency.
    pub(crate) fn of(latencies: &mut [Duration], elapsed: Duration) -> Self {
        latencies.sort_unstable();
        Self {
            p50_us: micros(percentile(latencies, 50)),
            p95_us: micros(percentile(latencies, 95)),
            p99_us: micros(percentile(latencies, 99)),
            per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
        }
    }

    /// Each figure's median over several runs.
    pub(crate) fn median(runs: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(runs.iter().map(figure));
        Self {
            p50_us: of(|run| run.p50_us),
            p95_us: of(|run| run.p95_us),
            p99_us: of(|run| run.p99_us),
            per_second: of(|run| run.per_second),
        }
    }
}

/// The smallest of the sorted values that at least so many percent do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted[rank.max(1) - 1]
}

/// The value in the middle, or the mean of both.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

/// A duration in µs.
pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// A duration in ms.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(latencies_us: impl Iterator<Item = u64>) -> Figures {
        let mut latencies: Vec<_> = latencies_us.map(Duration::from_micros).collect();
        Figures::of(&mut latencies, Duration::from_secs(2))
    }

    #[test]
    fn percentiles_are_measured_values() {
        let of_many = figures((1..=200).rev());
        assert_eq!(
            [of_many.p50_us, of_many.p95_us, of_many.p99_us],
            [100.0, 190.0, 198.0]
        );
        assert_eq!(of_many.per_second, 100.0);
        let of_one = figures(std::iter::once(7));
        assert_eq!([of_one.p50_us, of_one.p99_us], [7.0, 7.0]);
    }

    #[test]
    fn a_median_needs_no_order_and_shrugs_off_one_bad_run() {
        assert_eq!(median([9.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 100.0].into_iter()), 3.0);
        let runs = [1, 2, 1000].map(|us| figures(std::iter::once(us)));
        assert_eq!(Figures::median(&runs).p95_us, 2.0);
    }
}
