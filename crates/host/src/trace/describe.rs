//! What spans are called and what they say: OpenTelemetry's conventions, as far as nobody is named by them.

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind};

/// Longer statements are cut: a span is no place to keep them.
const STATEMENT_BYTES: usize = 2_000;

/// A request from outside. Its route is added when it is known.
pub(crate) fn request(method: &http::Method) -> SpanBuilder {
    let method = method_name(method);
    SpanBuilder::from_name(method)
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", method),
            KeyValue::new("url.scheme", "http"),
        ])
}

/// A request that a component sends: to another one, whose name is not an address, or to the network.
pub(crate) fn sent(method: &http::Method, host: &str) -> SpanBuilder {
    let method = method_name(method);
    SpanBuilder::from_name(format!("{method} {host}"))
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("http.request.method", method),
            KeyValue::new("server.address", host.to_owned()),
        ])
}

/// The instance of a component that a request came to: from outside, or from another component.
pub(crate) fn component(id: &str, chained: bool) -> SpanBuilder {
    let kind = if chained {
        SpanKind::Server
    } else {
        SpanKind::Internal
    };
    called(id.to_owned(), id).with_kind(kind)
}

/// Something else that a component runs for.
pub(crate) fn called(name: String, component: &str) -> SpanBuilder {
    SpanBuilder::from_name(name)
        .with_kind(SpanKind::Internal)
        .with_attributes([KeyValue::new("bodega.component", component.to_owned())])
}

/// A statement of SQL. Its parameters stand elsewhere; what stands in quotes is left out all the same.
pub(crate) fn statement(system: &'static str, label: &str, sql: &str) -> SpanBuilder {
    let text = without_literals(sql);
    let operation = operation(&text);
    SpanBuilder::from_name(format!("{operation} {label}"))
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("db.system.name", system),
            KeyValue::new("db.namespace", label.to_owned()),
            KeyValue::new("db.operation.name", operation),
            KeyValue::new("db.query.text", text),
        ])
}

/// An operation on a key-value store. The key is left out: it may name somebody.
pub(crate) fn key_value(operation: &'static str) -> SpanBuilder {
    SpanBuilder::from_name(format!("{operation} key-value"))
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("db.system.name", "spin.key_value"),
            KeyValue::new("db.operation.name", operation),
        ])
}

/// A command of Redis, without its arguments.
pub(crate) fn redis(command: &str) -> SpanBuilder {
    let plain = |letter: &char| letter.is_ascii_alphanumeric();
    let command: String = command.chars().filter(plain).take(32).collect();
    let command = command.to_ascii_uppercase();
    SpanBuilder::from_name(format!("{command} redis"))
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("db.system.name", "redis"),
            KeyValue::new("db.operation.name", command),
        ])
}

/// Anybody may make methods up, and each would be a name of its own.
pub(crate) fn method_name(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

/// The first word of a statement.
fn operation(sql: &str) -> String {
    let word = sql
        .split(|letter: char| !letter.is_ascii_alphabetic())
        .find(|word| !word.is_empty());
    word.unwrap_or("?")
        .chars()
        .take(20)
        .collect::<String>()
        .to_ascii_uppercase()
}

/// The statement on one line, without comments and with `?` for everything in quotes.
fn without_literals(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len().min(STATEMENT_BYTES));
    let mut rest = sql;
    while let Some(letter) = rest.chars().next() {
        if text.len() >= STATEMENT_BYTES {
            text.push('…');
            break;
        }
        rest = if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else if letter == '\'' {
            text.push('?');
            after_literal(&rest[1..])
        } else {
            if !letter.is_whitespace() {
                text.push(letter);
            } else if !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
            &rest[letter.len_utf8()..]
        };
    }
    text.truncate(text.trim_end().len());
    text
}

/// What follows a literal that has begun; a quote in it is doubled.
fn after_literal(mut rest: &str) -> &str {
    while let Some((_, after)) = rest.split_once('\'') {
        match after.strip_prefix('\'') {
            Some(more) => rest = more,
            None => return after,
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_says_what_it_does_and_nothing_it_does_it_with() {
        let check = |sql: &str, expected: &str| assert_eq!(without_literals(sql), expected);
        check(
            "-- why\nselect a\n  from b\n where c = ?1\n",
            "select a from b where c = ?1",
        );
        check(
            "insert into t values ('kim@shop.kr', 'it''s', '')",
            "insert into t values (?, ?, ?)",
        );
        check("select 'open", "select ?");
        check("", "");
        let long = without_literals(&"가나 ".repeat(2_000));
        assert!(long.len() < STATEMENT_BYTES + 8, "{}", long.len());
        assert_eq!(operation("select 1"), "SELECT");
        assert_eq!(operation("(1)"), "?");
    }

    #[test]
    fn methods_that_nobody_knows_are_one() {
        let other = http::Method::from_bytes(b"BREW").expect("a method");
        assert_eq!(method_name(&other), "_OTHER");
        assert_eq!(method_name(&http::Method::PATCH), "PATCH");
    }
}
