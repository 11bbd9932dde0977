//! What a guest may ask SQLite for. Connections are shared between guests, so nothing that stays
//! behind on a connection is allowed.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization, TransactionOperation};

use crate::class::{Class, Record};
use crate::engine::TURN;
use crate::{Options, Rows, Value};

/// What becomes of one step of a statement.
#[derive(Debug, PartialEq)]
enum Verdict {
    Allow,
    /// Allowed, and it makes the statement one of this class.
    Is(Class),
    /// Not carried out, and answered as if it had been.
    Accept(Rows),
    Refuse(String),
}

/// What the verdict depends on besides the step itself.
pub(crate) struct Circumstances<'a> {
    pub(crate) options: &'a Options,
    pub(crate) in_memory: bool,
    pub(crate) in_transaction: bool,
}

/// Pragmas that only inquire, whatever their argument.
const INQUIRIES: [&str; 14] = [
    "collation_list",
    "compile_options",
    "database_list",
    "foreign_key_check",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas that act even without an argument, and whose action is the host's.
const MAINTENANCE: [&str; 3] = ["incremental_vacuum", "shrink_memory", "wal_checkpoint"];

/// Writes down what SQLite is about to allow a statement, and decides.
pub(crate) fn note(
    record: &mut Record,
    context: &AuthContext<'_>,
    given: &Circumstances<'_>,
) -> Authorization {
    if record.of_host {
        return Authorization::Allow;
    }
    let outermost = context.accessor.is_none();
    match &context.action {
        AuthAction::Insert { .. } if outermost => {
            record.changes_rows = true;
            record.inserts_rows = true;
        }
        AuthAction::Update { .. } | AuthAction::Delete { .. } if outermost => record.changes_rows = true,
        AuthAction::Insert { .. } | AuthAction::Update { .. } | AuthAction::Delete { .. } => {}
        AuthAction::Read { .. }
        | AuthAction::Select
        | AuthAction::Function { .. }
        | AuthAction::Recursive => {}
        _ => record.changes_schema = true,
    }
    match judge(&context.action, context.database_name, given) {
        Verdict::Allow => Authorization::Allow,
        Verdict::Is(class) => {
            record.special.get_or_insert(class);
            Authorization::Allow
        }
        Verdict::Accept(rows) => {
            record.special.get_or_insert(Class::Accepted(rows));
            Authorization::Ignore
        }
        Verdict::Refuse(why) => {
            record.refusal = Some(why);
            Authorization::Deny
        }
    }
}

/// Decides on one step of a statement, which concerns the schema `database` if any.
fn judge(action: &AuthAction<'_>, database: Option<&str>, given: &Circumstances<'_>) -> Verdict {
    use TransactionOperation::{Begin, Release, Rollback};
    match action {
        AuthAction::Transaction { operation: Begin } => Verdict::Is(Class::Begin),
        AuthAction::Transaction { operation: Rollback } => Verdict::Is(Class::Rollback),
        // COMMIT and END: the only operation left, which rusqlite has no name for.
        AuthAction::Transaction { .. } => Verdict::Is(Class::Commit),
        AuthAction::Savepoint { savepoint_name, .. } if savepoint_name.eq_ignore_ascii_case(TURN) => {
            refuse("savepoints of this name are the host's")
        }
        AuthAction::Savepoint {
            operation,
            savepoint_name,
        } => Verdict::Is(match operation {
            Begin => Class::Savepoint(savepoint_name.to_ascii_lowercase()),
            Release => Class::Release(savepoint_name.to_ascii_lowercase()),
            _ => Class::RollbackTo(savepoint_name.to_ascii_lowercase()),
        }),
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => pragma(&pragma_name.to_ascii_lowercase(), *pragma_value, given),
        AuthAction::Attach { .. } => refuse("ATTACH is not allowed, nor is VACUUM, which needs it"),
        AuthAction::Detach { .. } => refuse("DETACH is not allowed"),
        AuthAction::Function { function_name } if function_name.eq_ignore_ascii_case("load_extension") => {
            refuse("loading extensions is not allowed")
        }
        _ if makes_temporary(action, database) => {
            refuse("temporary tables, views and triggers are not allowed: connections are shared")
        }
        _ => Verdict::Allow,
    }
}

fn makes_temporary(action: &AuthAction<'_>, database: Option<&str>) -> bool {
    match action {
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => true,
        AuthAction::CreateIndex { .. }
        | AuthAction::CreateTable { .. }
        | AuthAction::CreateTrigger { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::CreateVtable { .. } => database == Some("temp"),
        _ => false,
    }
}

fn pragma(name: &str, value: Option<&str>, given: &Circumstances<'_>) -> Verdict {
    if name == "writable_schema" {
        return refuse("PRAGMA writable_schema is not allowed");
    }
    if MAINTENANCE.contains(&name) {
        return Verdict::Refuse(format!("PRAGMA {name} is left to the host"));
    }
    match value {
        _ if name == "optimize" => Verdict::Is(Class::Setting),
        _ if INQUIRIES.contains(&name) => Verdict::Is(Class::Read),
        None => Verdict::Is(Class::Read),
        Some(value) => setting(name, value, given),
    }
}

fn setting(name: &str, value: &str, given: &Circumstances<'_>) -> Verdict {
    let is = |spellings: &[&str]| {
        spellings
            .iter()
            .any(|spelling| value.eq_ignore_ascii_case(spelling))
    };
    match name {
        "user_version" | "application_id" => Verdict::Is(Class::Setting),
        "defer_foreign_keys" if given.in_transaction => Verdict::Is(Class::Setting),
        "defer_foreign_keys" => refuse("PRAGMA defer_foreign_keys is allowed inside a transaction only"),
        "journal_mode" if is(&["wal"]) => {
            let mode = if given.in_memory { "memory" } else { "wal" };
            Verdict::Accept(one("journal_mode", Value::Text(mode.to_owned())))
        }
        "journal_mode" => refuse("PRAGMA journal_mode is WAL here and cannot be changed"),
        "synchronous" if is(&given.options.synchronous.spellings()) => Verdict::Accept(Rows::default()),
        "synchronous" => Verdict::Refuse(format!(
            "PRAGMA synchronous is {} here and cannot be changed",
            given.options.synchronous.spellings()[0]
        )),
        "foreign_keys" if is(&["on", "1", "true", "yes"]) => Verdict::Accept(Rows::default()),
        "foreign_keys" => refuse("PRAGMA foreign_keys is ON here and cannot be changed"),
        // Tuning that no answer depends on: the host has done its own.
        "busy_timeout" => Verdict::Accept(one("timeout", number(value))),
        "mmap_size" | "wal_autocheckpoint" | "journal_size_limit" => {
            Verdict::Accept(one(name, number(value)))
        }
        "cache_size" | "temp_store" => Verdict::Accept(Rows::default()),
        _ => Verdict::Refuse(format!("PRAGMA {name} is set by the host and cannot be changed")),
    }
}

fn refuse(why: &str) -> Verdict {
    Verdict::Refuse(why.to_owned())
}

fn one(column: &str, value: Value) -> Rows {
    Rows {
        columns: vec![column.to_owned()],
        rows: vec![vec![value]],
    }
}

/// A number as SQLite reads one from a pragma: what is none is 0.
fn number(text: &str) -> Value {
    Value::Integer(text.parse().unwrap_or_default())
}
