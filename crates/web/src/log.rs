//! Log lines of a component: one JSON object a line on stderr, which the host puts into its own log.

use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    level: &'a str,
    operation: &'a str,
    message: &'a str,
}

/// Somebody must act. `operation` names the exported function: `stock.reserve`.
pub fn error(operation: &str, message: &str) {
    write("error", operation, message);
}

/// Something was tried again or done another way.
pub fn warn(operation: &str, message: &str) {
    write("warn", operation, message);
}

/// A refusal, or another thing worth knowing that needs nobody.
pub fn info(operation: &str, message: &str) {
    write("info", operation, message);
}

fn write(level: &str, operation: &str, message: &str) {
    let line = Line {
        level,
        operation,
        message,
    };
    if let Ok(text) = serde_json::to_string(&line) {
        eprintln!("{text}");
    }
}
