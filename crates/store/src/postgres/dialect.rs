//! Our statements in Postgres' words.
//!
//! SQLite gives every value its kind when it comes, Postgres wants to know all kinds when it reads the statement.
//! So each placeholder gets the kind of its value, and what is null becomes the word itself, which suits any column.

use crate::{DbError, Value};

/// A statement as Postgres reads it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translated {
    /// The text, with `$1`, `$2` and so on.
    pub(super) text: String,
    /// Which of the values are `$1`, `$2` and so on; the others are null and stand in the text.
    pub(super) sent: Vec<usize>,
    /// Whether it answers rows, maybe none, rather than a count of changed ones.
    pub(super) answers_rows: bool,
}

/// Puts `statement` and the kinds of its values into Postgres' words.
pub(super) fn translate(statement: &str, params: &[Value]) -> Result<Translated, DbError> {
    let mut reader = Verb::default();
    let mut text = String::with_capacity(statement.len() + 16 * params.len());
    let mut sent = Vec::new();
    let mut highest = 0;
    for token in Tokens(statement) {
        reader.see(&token);
        match token {
            Token::Placeholder(digits) => {
                let number = number(digits, params.len())?;
                highest = highest.max(number);
                text.push_str(&placeholder(&mut sent, number - 1, &params[number - 1]));
            }
            // In SQLite every `integer` column has 64 bits; here that is a `bigint`.
            Token::Word(word) if reader.is_definition && word.eq_ignore_ascii_case("integer") => {
                text.push_str("bigint");
            }
            Token::Word(other) | Token::Other(other) => text.push_str(other),
        }
    }
    if highest < params.len() {
        let count = params.len();
        return Err(DbError::Other(format!(
            "the statement has {highest} parameters, got {count}"
        )));
    }
    let answers_rows = reader.answers_rows();
    Ok(Translated {
        text,
        sent,
        answers_rows,
    })
}

fn number(digits: &str, count: usize) -> Result<usize, DbError> {
    match digits.parse() {
        Ok(number) if (1..=count).contains(&number) => Ok(number),
        _ => Err(DbError::Other(format!(
            "the statement asks for parameter ?{digits}, of {count}"
        ))),
    }
}

fn placeholder(sent: &mut Vec<usize>, index: usize, value: &Value) -> String {
    let kind = match value {
        Value::Integer(_) => "bigint",
        Value::Real(_) => "float8",
        Value::Text(_) => "text",
        Value::Blob(_) => "bytea",
        Value::Null => return "null".to_owned(),
    };
    let place = sent.iter().position(|&known| known == index).unwrap_or_else(|| {
        sent.push(index);
        sent.len() - 1
    });
    format!("${}::{kind}", place + 1)
}

/// What kind of statement it is, found while its words go by.
#[derive(Default)]
struct Verb {
    depth: i32,
    first: Option<String>,
    main: Option<String>,
    is_definition: bool,
    has_returning: bool,
}

/// What a statement does, as its first word or, behind `with`, the first of these that stands in no parentheses.
const MAIN: &[&str] = &["select", "values", "insert", "update", "delete", "show"];

impl Verb {
    fn see(&mut self, token: &Token<'_>) {
        match token {
            Token::Other("(") => self.depth += 1,
            Token::Other(")") => self.depth -= 1,
            Token::Word(word) if self.depth == 0 => {
                let word = word.to_ascii_lowercase();
                if self.first.is_none() {
                    self.is_definition = matches!(word.as_str(), "create" | "alter");
                    self.first = Some(word.clone());
                }
                if self.main.is_none() && MAIN.contains(&word.as_str()) {
                    self.main = Some(word.clone());
                }
                self.has_returning |= word == "returning";
            }
            Token::Word(_) | Token::Placeholder(_) | Token::Other(_) => {}
        }
    }

    fn answers_rows(&self) -> bool {
        if self.is_definition {
            return false;
        }
        match self.main.as_deref() {
            Some("select" | "values" | "show") => true,
            _ => self.has_returning,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    /// The number of a `?1`.
    Placeholder(&'a str),
    /// A name or a keyword.
    Word(&'a str),
    /// A parenthesis alone; or anything else in one piece, such as a whole string or comment.
    Other(&'a str),
}

/// The statement in pieces, from front to back.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let first = self.0.chars().next()?;
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let piece = match first {
            '\'' | '"' => self.take(quoted(self.0, first)),
            '-' if self.0.starts_with("--") => self.take(self.0.find('\n').unwrap_or(self.0.len())),
            '/' if self.0.starts_with("/*") => self.take(self.0.find("*/").map_or(self.0.len(), |at| at + 2)),
            '?' => {
                let digits = self.0[1..].find(|c: char| !c.is_ascii_digit());
                let piece = self.take(digits.map_or(self.0.len(), |length| length + 1));
                return Some(Token::Placeholder(&piece[1..]));
            }
            c if is_name(c) => {
                let length = self.0.find(|c: char| !is_name(c));
                let piece = self.take(length.unwrap_or(self.0.len()));
                return Some(Token::Word(piece));
            }
            other => self.take(other.len_utf8()),
        };
        Some(Token::Other(piece))
    }
}

impl<'a> Tokens<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (piece, rest) = self.0.split_at(length);
        self.0 = rest;
        piece
    }
}

/// The length of a string or a quoted name, in which the quote itself stands twice.
fn quoted(text: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(at) = text[from..].find(quote) {
        from += at + 1;
        if !text[from..].starts_with(quote) {
            return from;
        }
        from += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    fn text(statement: &str, params: &[Value]) -> String {
        translate(statement, params).map_or_else(|error| error.to_string(), |it| it.text)
    }

    #[test]
    fn placeholders_get_the_kind_of_their_value() {
        let params = params![1i64, "a", vec![0u8], Value::Real(0.5)];
        assert_eq!(
            text("select ?1, ?2, ?3, ?4, -?1", params),
            "select $1::bigint, $2::text, $3::bytea, $4::float8, -$1::bigint"
        );
    }

    #[test]
    fn null_is_written_and_the_others_are_counted_anew() {
        let params = params![Value::Null, 5i64, Value::Null, "b"];
        let translated = translate("values (?1, ?4, ?3, ?2, ?4)", params).unwrap();
        assert_eq!(
            translated.text,
            "values (null, $1::text, null, $2::bigint, $1::text)"
        );
        assert_eq!(translated.sent, [3, 1]);
    }

    #[test]
    fn strings_names_and_comments_stay_as_they_are() {
        let quiet = "select '?1 it''s ?2', \"a\"\"?1\", 'integer' -- ?1 'x\n /* ?2 \" */ from t where a = ";
        assert_eq!(
            text(&format!("{quiet}?1"), params![1i64]),
            format!("{quiet}$1::bigint")
        );
        assert_eq!(
            text("select '전자 ?1", &[]),
            "select '전자 ?1",
            "an end that is missing"
        );
        assert_eq!(text("select 1 -- ?1", &[]), "select 1 -- ?1");
        assert_eq!(text("select 1 /* ?1", &[]), "select 1 /* ?1");
    }

    #[test]
    fn ten_is_not_one_and_a_zero() {
        let params: Vec<Value> = (0..11).map(|number: i64| number.into()).collect();
        let list: Vec<String> = (1..12).rev().map(|number| format!("?{number}")).collect();
        let translated = translate(&format!("select {}", list.join(",")), &params).unwrap();
        assert_eq!(translated.sent, (0..11).rev().collect::<Vec<_>>());
        assert!(translated.text.ends_with("$11::bigint"), "{}", translated.text);
    }

    #[test]
    fn a_statement_and_its_values_fit_or_it_is_said() {
        let wrong = |statement: &str, count: usize| {
            let params = vec![Value::Integer(1); count];
            let error = translate(statement, &params).expect_err("they do not fit");
            assert!(!error.retryable());
            error.to_string()
        };
        assert_eq!(wrong("select ?2", 1), "the statement asks for parameter ?2, of 1");
        assert_eq!(wrong("select ?0", 1), "the statement asks for parameter ?0, of 1");
        assert_eq!(wrong("select ?", 1), "the statement asks for parameter ?, of 1");
        assert_eq!(wrong("select ?1", 2), "the statement has 1 parameters, got 2");
    }

    #[test]
    fn integer_columns_are_wide_and_only_columns() {
        assert_eq!(
            text(
                "-- integer\ncreate table a (b integer primary key, c INTEGER default 1, \"integer\" text, integers text)",
                &[]
            ),
            "-- integer\ncreate table a (b bigint primary key, c bigint default 1, \"integer\" text, integers text)"
        );
        assert_eq!(
            text("alter table a add column d integer", &[]),
            "alter table a add column d bigint"
        );
        let cast = "select cast(1 as integer)";
        assert_eq!(text(cast, &[]), cast, "a function may want it narrow");
    }

    #[test]
    fn who_answers_rows_is_known_beforehand() {
        let answers = |statement: &str| translate(statement, &[]).unwrap().answers_rows;
        for rows in [
            "-- why\nselect 1",
            "values (1)",
            "insert into a select 1 returning b",
            "with x as (insert into a values (1)) select 2",
            "with recursive run (p) as (select 1) update a set b = 1 returning b",
            "show server_version",
        ] {
            assert!(answers(rows), "{rows}");
        }
        for none in [
            "insert into a select 1",
            "update a set b = (select 1)",
            "with x as (delete from a returning b) insert into c select b from x",
            "delete from a where b = 'returning'",
            "create table a as select 1",
            "begin",
            "commit",
        ] {
            assert!(!answers(none), "{none}");
        }
    }
}
