//! What a statement does to the session that runs it, as far as its text tells.

/// What has to be known of a statement to clean up after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habit {
    pub(crate) transaction: Transaction,
    /// It may leave something in the session that outlives its transaction.
    pub(crate) leaves_traces: bool,
}

/// What becomes of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transaction {
    /// It begins.
    Begins,
    /// It ends for good.
    Ends,
    /// It ends without a trace.
    RollsBack,
    /// It stays what it was, and others wait for its end (`lock table`).
    Locks,
    /// It stays what it was.
    Stays,
    /// Nobody can tell from the text.
    Unclear,
}

impl Habit {
    /// Reads a statement's first word and looks for what changes a session. What a function of the
    /// database's owner does inside, no text tells.
    pub(crate) fn of(statement: &str) -> Self {
        let text = uncommented(statement).to_ascii_lowercase();
        let first = if text.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            words(&text).next().unwrap_or_default()
        } else {
            ""
        };
        let transaction = match first {
            "begin" | "start" => Transaction::Begins,
            "lock" => Transaction::Locks,
            "commit" | "end" | "rollback" | "abort" => ending(first, &text),
            "select" | "insert" | "update" | "delete" | "with" | "values" => Transaction::Stays,
            "create" | "alter" | "drop" | "savepoint" | "release" | "set" | "show" => Transaction::Stays,
            _ => Transaction::Unclear,
        };
        Self {
            transaction,
            leaves_traces: transaction == Transaction::Unclear
                || first == "set"
                || words(&text).any(leaves_traces),
        }
    }
}

/// Whether a word makes something that stays with the session.
fn leaves_traces(word: &str) -> bool {
    let is_lock = word.starts_with("pg_advisory") || word.starts_with("pg_try_advisory");
    is_lock
        || matches!(
            word,
            "set_config" | "temp" | "temporary" | "pg_temp" | "nextval" | "setval"
        )
}

/// The statement without the comments before it.
fn uncommented(statement: &str) -> &str {
    let mut text = statement.trim_start();
    loop {
        let after = match (text.strip_prefix("--"), text.strip_prefix("/*")) {
            (Some(comment), _) => comment.split_once('\n'),
            (_, Some(comment)) => comment.split_once("*/"),
            (None, None) => return text,
        };
        match after {
            Some((_, rest)) => text = rest.trim_start(),
            None => return "",
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.split(move |letter| !in_word(letter))
        .filter(|word| !word.is_empty())
}

/// `rollback to` goes back to a savepoint, `and chain` begins anew.
fn ending(first: &str, text: &str) -> Transaction {
    let rest: Vec<&str> = words(text).skip(1).collect();
    match rest.as_slice() {
        [] | ["work" | "transaction"] if matches!(first, "rollback" | "abort") => Transaction::RollsBack,
        [] | ["work" | "transaction"] => Transaction::Ends,
        ["to", ..] | ["work" | "transaction", "to", ..] => Transaction::Stays,
        _ => Transaction::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_tells_what_becomes_of_the_transaction() {
        use Transaction::{Begins, Ends, Locks, RollsBack, Stays, Unclear};
        for (text, expected) in [
            ("begin isolation level serializable", Begins),
            (" START TRANSACTION", Begins),
            ("commit", Ends),
            ("END;", Ends),
            ("rollback", RollsBack),
            ("ROLLBACK WORK", RollsBack),
            ("rollback to savepoint x", Stays),
            ("commit and chain", Unclear),
            ("rollback prepared 'x'", Unclear),
            ("select 1", Stays),
            ("lock table t in exclusive mode", Locks),
            ("-- begin\nselect 1", Stays),
            ("/* x */ -- y\n commit", Ends),
            ("-- begin", Unclear),
            ("(select 1)", Unclear),
            ("/* */ vacuum", Unclear),
            ("", Unclear),
        ] {
            assert_eq!(Habit::of(text).transaction, expected, "{text}");
        }
    }

    #[test]
    fn what_outlives_a_transaction_is_cleaned_away() {
        let traces = |text: &str| Habit::of(text).leaves_traces;
        for text in [
            "set role other",
            "select set_config('a.b', 'c', false)",
            "select pg_advisory_lock(1)",
            "create temp table x (y int)",
            "create table pg_temp.x (y int)",
            "select nextval('numbers')",
            "listen news",
            "declare c cursor with hold for select 1",
            "vacuum",
        ] {
            assert!(traces(text), "{text}");
        }
        for text in [
            "update stock set reserved = reserved + $1 where sku_id = $2",
            "insert into t (a) values ($1) on conflict (a) do update set a = 1",
            "select * from pg_payment",
            "select on_hand from stock_level where sku_id = $1",
            "begin isolation level serializable",
            "commit",
            "rollback",
        ] {
            assert!(!traces(text), "{text}");
        }
    }
}
