//! SQL given at start: `--sqlite STATEMENT` and `--sqlite @FILE[:LABEL]`, as in Spin.

use sqlite::Database;
use std::collections::BTreeMap;

/// Why SQL given at start could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The argument makes no sense.
    #[error("--sqlite {argument}: {reason}")]
    Argument {
        /// As it was given.
        argument: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file cannot be read.
    #[error("--sqlite: cannot read {file}")]
    File {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No component is granted the database.
    #[error("--sqlite: no component has a database `{0}`")]
    NoSuchDatabase(String),
    /// A statement failed.
    #[error("--sqlite: `{statement}` failed")]
    Statement {
        /// The statement.
        statement: String,
        /// Why it failed.
        source: sqlite::Error,
    },
}

/// Runs all of it, in order.
pub(crate) async fn run(
    arguments: &[String],
    databases: &BTreeMap<String, Database>,
) -> Result<(), ScriptError> {
    for argument in arguments {
        let (label, text) = match argument.strip_prefix('@') {
            Some(place) => {
                let (file, label) = file_and_label(place).map_err(|reason| ScriptError::Argument {
                    argument: argument.clone(),
                    reason,
                })?;
                let text = std::fs::read_to_string(file).map_err(|source| ScriptError::File {
                    file: file.to_owned(),
                    source,
                })?;
                (label, text)
            }
            None => ("default", argument.clone()),
        };
        let database = databases
            .get(label)
            .ok_or_else(|| ScriptError::NoSuchDatabase(label.to_owned()))?;
        let mut connection = database.connect();
        for statement in statements(&text) {
            connection
                .execute(statement, Vec::new())
                .await
                .map_err(|source| ScriptError::Statement {
                    statement: statement.to_owned(),
                    source,
                })?;
        }
    }
    Ok(())
}

fn file_and_label(place: &str) -> Result<(&str, &str), &'static str> {
    let (file, label) = place.split_once(':').unwrap_or((place, "default"));
    match (file.trim(), label.trim()) {
        ("", _) => Err("the file is missing"),
        (_, "") => Err("the label is missing"),
        pair => Ok(pair),
    }
}

/// Splits a script at the semicolons that end statements, not at those in quotes, comments or the
/// bodies of triggers.
fn statements(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut rest) = (0, text);
    let mut words: Vec<String> = Vec::new();
    while !rest.is_empty() {
        let (token, length) = token(rest);
        rest = &rest[length..];
        let end = text.len() - rest.len();
        match token {
            Token::Word(word) => words.push(word.to_ascii_lowercase()),
            Token::Semicolon if !in_trigger(&words) => {
                found.push(text[start..end].trim());
                start = end;
                words.clear();
            }
            Token::Semicolon => words.push(";".to_owned()),
            Token::Other | Token::Blank => {}
        }
    }
    let last = text[start..].trim();
    if !words.is_empty() && !last.is_empty() {
        found.push(last);
    }
    found.retain(|statement| *statement != ";");
    found
}

/// A trigger's body ends with END right after a semicolon.
fn in_trigger(words: &[String]) -> bool {
    let is_trigger = words.first().is_some_and(|word| word == "create")
        && words.iter().take(4).any(|word| word == "trigger");
    let ended =
        words.last().is_some_and(|word| word == "end") && words.len() >= 2 && words[words.len() - 2] == ";";
    is_trigger && !ended
}

enum Token<'t> {
    Word(&'t str),
    Semicolon,
    Blank,
    Other,
}

/// The first token of a non-empty text, and its length.
fn token(text: &str) -> (Token<'_>, usize) {
    let first = text.chars().next().unwrap_or(' ');
    let until = |pattern: &str, skip: usize| {
        text[skip..]
            .find(pattern)
            .map_or(text.len(), |at| skip + at + pattern.len())
    };
    if text.starts_with("--") {
        return (Token::Blank, until("\n", 2));
    }
    if text.starts_with("/*") {
        return (Token::Blank, until("*/", 2));
    }
    match first {
        ';' => (Token::Semicolon, 1),
        '\'' | '"' | '`' => (Token::Other, until(&first.to_string(), 1)),
        '[' => (Token::Other, until("]", 1)),
        letter if letter.is_alphanumeric() || letter == '_' => {
            let end = text
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(text.len());
            (Token::Word(&text[..end]), end)
        }
        blank if blank.is_whitespace() => (Token::Blank, blank.len_utf8()),
        other => (Token::Other, other.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_split_where_its_statements_end() {
        let script = "-- a; b\ncreate table t (a text); insert into t values ('x;''y'); ;\n/* ; */ select \";\" from t";
        assert_eq!(
            statements(script),
            [
                "-- a; b\ncreate table t (a text);",
                "insert into t values ('x;''y');",
                "/* ; */ select \";\" from t",
            ]
        );
    }

    #[test]
    fn a_trigger_is_one_statement() {
        let trigger = "create trigger g after insert on t begin update t set a = case when 1 then 2 end; delete from u; end;";
        assert_eq!(
            statements(&format!("{trigger} select 1;")),
            [trigger, "select 1;"]
        );
    }

    #[test]
    fn only_comments_are_nothing_to_run() {
        assert!(statements("-- nothing\n").is_empty());
    }

    #[test]
    fn a_file_may_name_its_database() {
        assert_eq!(file_and_label("a.sql"), Ok(("a.sql", "default")));
        assert_eq!(file_and_label("a.sql:stock"), Ok(("a.sql", "stock")));
        assert!(file_and_label("a.sql:").is_err());
        assert!(file_and_label(":stock").is_err());
    }
}
