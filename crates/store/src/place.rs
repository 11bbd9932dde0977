use crate::DbError;

/// Where a component's database is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// With the component: the `SQLite` of its label.
    Local,
    /// Elsewhere, at this address, which holds a password.
    Postgres(String),
}

/// The variable that says where the database of this label is.
pub(crate) fn variable(label: &str) -> String {
    format!("{}_database", label.replace('-', "_"))
}

impl Place {
    /// What the variable says. The error names the variable and nothing of what stands in it.
    pub(crate) fn parse(variable: &str, text: &str) -> Result<Self, DbError> {
        let is = |scheme: &str| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty());
        if text.is_empty() || is("local://") {
            Ok(Self::Local)
        } else if is("postgres://") || is("postgresql://") {
            Ok(Self::Postgres(text.to_owned()))
        } else {
            Err(DbError::Other(format!(
                "the variable {variable} is none of local://NAME, \
                 postgres://ROLE:PASSWORD@HOST:PORT/DATABASE"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_its_variable() {
        assert_eq!(variable("stock"), "stock_database");
        assert_eq!(variable("fake-pg"), "fake_pg_database");
    }

    #[test]
    fn a_place_is_here_or_at_an_address() {
        let place = |text: &str| Place::parse("stock_database", text).ok();
        let remote = |text: &str| Some(Place::Postgres(text.to_owned()));
        assert!(place("") == Some(Place::Local));
        assert!(place("local://stock") == Some(Place::Local));
        for address in ["postgres://stock:s@db/stock", "postgresql://db/stock"] {
            assert!(place(address) == remote(address));
        }
        for wrong in [
            "local://",
            "postgres://",
            "mysql://root:hunter2@db/stock",
            " postgres://x",
        ] {
            let said = Place::parse("stock_database", wrong)
                .err()
                .map(|error| error.to_string());
            let said = said.expect("it is no place");
            assert!(
                said.contains("stock_database") && !said.contains("hunter2"),
                "{said}"
            );
        }
    }
}
