//! Strings with `{{ name }}` in them.

use std::fmt;

/// A string in which `{{ name }}` stands for an application variable.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

/// A template that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{{{{` without its `}}}}`")]
pub struct TemplateError;

/// A template that names a variable nobody defined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("variable `{name}` is not defined in [variables]")]
pub struct UndefinedVariable {
    /// The name as written.
    pub name: String,
}

impl Template {
    /// Reads a template; every `{{` needs its `}}`.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, tail) = after.split_once("}}").ok_or(TemplateError)?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Name(name.trim().to_owned()));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Whether there is no variable in it.
    pub fn is_literal(&self) -> bool {
        self.names().next().is_none()
    }

    /// The variables in it, in order, repeats included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Name(name) => Some(name.as_str()),
        })
    }

    /// Puts values in place of the names.
    pub fn expand<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, UndefinedVariable> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Name(name) => {
                    out.push_str(value(name).ok_or_else(|| UndefinedVariable { name: name.clone() })?)
                }
            }
        }
        Ok(out)
    }
}

/// Writes the template, not a value.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Name(name) => write!(f, "{{{{ {name} }}}}"),
        })
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let template = Template::parse(text).expect("a template");
        let names: Vec<_> = template.names().collect();
        let value = template.expand(|name| (name == "name").then_some("Min"));
        expected.assert_eq(&format!("{template} | {names:?} | {value:?}"));
    }

    #[test]
    fn values_take_the_place_of_names() {
        check("", expect![[r#" | [] | Ok("")"#]]);
        check("plain", expect![[r#"plain | [] | Ok("plain")"#]]);
        check(
            "a{{name}}b",
            expect![[r#"a{{ name }}b | ["name"] | Ok("aMinb")"#]],
        );
        check(
            "{{ name }}{{  name  }}",
            expect![[r#"{{ name }}{{ name }} | ["name", "name"] | Ok("MinMin")"#]],
        );
        check(
            "}} {{ name }} }}",
            expect![[r#"}} {{ name }} }} | ["name"] | Ok("}} Min }}")"#]],
        );
        check(
            "{{ who }}",
            expect![[r#"{{ who }} | ["who"] | Err(UndefinedVariable { name: "who" })"#]],
        );
    }

    #[test]
    fn an_open_brace_pair_is_refused() {
        assert_eq!(Template::parse("a {{ name"), Err(TemplateError));
        assert_eq!(TemplateError.to_string(), "`{{` without its `}}`");
    }
}
