//! The rules of the tree, as tests over the tree.
//!
//! Each rule is a function from files to findings, and has a test of its own which shows that it can
//! fail. A finding names the file, the line and why; nobody has to know this folder to mend one.

mod apart;
mod arrows;
mod databases;
mod documents;
mod grants;
mod memory;
mod places;
mod source;
mod tree;
mod wit;

use std::fmt;

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    why: String,
}

impl Finding {
    fn new(path: &str, line: usize, why: impl Into<String>) -> Finding {
        Finding {
            path: path.to_owned(),
            line,
            why: why.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.why)
    }
}

/// Fails with every finding on a line of its own.
fn expect_none(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

/// For the rules' own tests: the lines that a rule complains about.
fn lines(findings: &[Finding]) -> Vec<usize> {
    findings.iter().map(|finding| finding.line).collect()
}
