//! What one request of a scenario takes of the host, by part.

use std::collections::{BTreeMap, BTreeSet};

use ::tests::Counts;
use serde::Serialize;

use crate::figures::median;
use crate::process::Cpu;
use crate::table::Table;

/// Everything is for one request, with its share of what the jobs did meanwhile.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Parts {
    /// Processor time of the whole process, in µs.
    cpu_us: f64,
    /// The part of it inside the kernel.
    system_us: f64,
    /// Processor time by the kind of thread.
    threads_us: BTreeMap<String, f64>,
    /// Time on a thread by component, what the host did for it there included.
    guests_us: BTreeMap<String, f64>,
    /// The part of it in calls of each database.
    sqlite_us: BTreeMap<String, f64>,
    /// SQL statements.
    statements: f64,
    /// Commits.
    commits: f64,
    /// Fsyncs of the databases, where the host counts them.
    syncs: Option<f64>,
    /// Instances.
    instances: f64,
}

impl Parts {
    /// Columns for [`Parts::cells`].
    pub(crate) const HEAD: [&str; 9] = [
        "CPU µs",
        "system",
        "tokio",
        "writer",
        "other",
        "SQL",
        "commits",
        "fsyncs",
        "instances",
    ];

    /// Of so many requests.
    pub(crate) fn of(counts: &Counts, cpu: &Cpu, requests: usize) -> Self {
        let each = |count: u64| count as f64 / requests.max(1) as f64;
        let all = |counts: &BTreeMap<String, u64>| {
            counts
                .iter()
                .map(|(name, count)| (name.clone(), each(*count)))
                .collect()
        };
        let work = counts.in_all();
        Self {
            cpu_us: cpu.total_us(),
            system_us: cpu.system_us,
            threads_us: cpu
                .threads_us
                .iter()
                .map(|(kind, us)| ((*kind).to_owned(), *us))
                .collect(),
            guests_us: all(&counts.guests_us),
            sqlite_us: all(&counts.sqlite_us),
            statements: each(work.statements),
            commits: each(work.commits),
            syncs: work.syncs.map(each),
            instances: each(counts.instances),
        }
    }

    /// Each by itself over several rounds.
    pub(crate) fn median(rounds: &[&Self]) -> Self {
        let of = |part: fn(&Self) -> f64| median(rounds.iter().map(|round| part(round)));
        let each = |parts: fn(&Self) -> &BTreeMap<String, f64>| {
            let names: BTreeSet<&String> = rounds.iter().flat_map(|round| parts(round).keys()).collect();
            let middle = |name: &String| {
                median(
                    rounds
                        .iter()
                        .map(|round| parts(round).get(name).copied().unwrap_or_default()),
                )
            };
            names
                .into_iter()
                .map(|name| (name.clone(), middle(name)))
                .collect()
        };
        let counted = rounds.iter().any(|round| round.syncs.is_some());
        Self {
            cpu_us: of(|round| round.cpu_us),
            system_us: of(|round| round.system_us),
            threads_us: each(|round| &round.threads_us),
            guests_us: each(|round| &round.guests_us),
            sqlite_us: each(|round| &round.sqlite_us),
            statements: of(|round| round.statements),
            commits: of(|round| round.commits),
            syncs: counted.then(|| of(|round| round.syncs.unwrap_or_default())),
            instances: of(|round| round.instances),
        }
    }

    /// One for each of [`Parts::HEAD`].
    pub(crate) fn cells(&self) -> Vec<String> {
        let thread = |kind: &str| self.threads_us.get(kind).copied().unwrap_or_default();
        let (tokio, writer) = (thread("tokio"), thread("sqlite-writer"));
        let others = self.threads_us.values().sum::<f64>() - tokio - writer;
        let times = [self.cpu_us, self.system_us, tokio, writer, others];
        let mut cells: Vec<String> = times.iter().map(|us| format!("{us:.0}")).collect();
        let syncs = self.syncs.map_or("?".to_owned(), |syncs| format!("{syncs:.2}"));
        cells.extend([self.statements, self.commits].map(|count| format!("{count:.1}")));
        cells.push(syncs);
        cells.push(format!("{:.1}", self.instances));
        cells
    }

    /// Where the processor time of a checkout goes.
    pub(crate) fn table(&self, clients: usize) -> Table {
        let title = format!("where the time of a checkout goes, {clients} clients");
        let mut table = Table::new(&[&title, "µs", "%"]);
        let mut row = |name: String, us: f64| {
            table.row([
                name,
                format!("{us:.0}"),
                format!("{:.0}", 100.0 * us / self.cpu_us),
            ]);
        };
        let guests: f64 = self.guests_us.values().sum();
        let inside: f64 = self.sqlite_us.values().sum();
        for (id, us) in self.guests_us.iter().filter(|(_, us)| **us >= 0.5) {
            row(format!("guests of {id}, with their calls"), *us);
        }
        for (label, us) in self.sqlite_us.iter().filter(|(_, us)| **us >= 0.5) {
            row(format!("  of all guests: calls of the database {label}"), *us);
        }
        row(
            "  of all guests: the rest, WebAssembly and WASI".to_owned(),
            guests - inside,
        );
        let tokio = self.threads_us.get("tokio").copied().unwrap_or_default();
        row(
            "tokio's threads beside guests: HTTP, waking, instances".to_owned(),
            tokio - guests,
        );
        for (kind, us) in self.threads_us.iter().filter(|(kind, _)| *kind != "tokio") {
            row(format!("threads: {kind}"), *us);
        }
        row("in all".to_owned(), self.cpu_us);
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_shares_of_one_request_and_medians_are_taken_part_by_part() {
        let text = r#"{"requests": 4, "instances": 8, "host_calls": {}, "guests_us": {"gateway": 400},
            "databases": {"order": {"statements": 40, "commits": 4, "syncs": 1}, "pg": {"statements": 4, "commits": 0}}}"#;
        let counts: Counts = serde_json::from_str(text).unwrap();
        let cpu = Cpu {
            user_us: 100.0,
            system_us: 20.0,
            threads_us: [("tokio", 110.0), ("others", 10.0)].into(),
        };
        let one = Parts::of(&counts, &cpu, 4);
        assert_eq!(
            [one.cpu_us, one.statements, one.commits, one.instances],
            [120.0, 11.0, 1.0, 2.0]
        );
        assert_eq!((one.syncs, one.guests_us["gateway"]), (Some(0.25), 100.0));
        let slow = Parts {
            cpu_us: 900.0,
            ..one.clone()
        };
        let middle = Parts::median(&[&one, &slow, &one]);
        assert_eq!([middle.cpu_us, middle.guests_us["gateway"]], [120.0, 100.0]);
        assert_eq!(one.cells().len(), Parts::HEAD.len());
    }
}
