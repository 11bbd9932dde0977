//! What a statement failed of, sorted by SQLSTATE.

use crate::DbError;

/// Why a statement was not carried out.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server says no.
    Server(Box<Report>),
    /// The connection is gone or was never there; carries no word of the server's and none of the address.
    Broken(&'static str),
    /// The value or the answer is none that we can make anything of.
    Defect(DbError),
}

/// The fields of a server's complaint. Its `DETAIL` holds values of the row, so it is only looked at for names.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) detail: Option<String>,
    pub(super) table: Option<String>,
    pub(super) column: Option<String>,
    pub(super) constraint: Option<String>,
}

/// What is said of a connection that ended before the answer came.
pub(super) const BROKEN: &str = "the connection to the database broke";

/// The SQLSTATE of a table that is not there.
pub(super) const UNDEFINED_TABLE: &str = "42P01";

impl From<Fault> for DbError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Server(report) => report.sorted(),
            Fault::Broken(what) => Self::Unavailable(what.to_owned()),
            Fault::Defect(error) => error,
        }
    }
}

impl Fault {
    /// Sorts what a client library says when the server itself said nothing.
    pub(super) fn of_client(text: &str) -> Self {
        let is_conversion = ["error serializing", "error deserializing"];
        if is_conversion.iter().any(|start| text.contains(start)) {
            // It names types and places, never values.
            Self::Defect(DbError::Other(text.to_owned()))
        } else {
            Self::Broken(BROKEN)
        }
    }

    /// Whether the server says that a table is not there.
    pub(super) fn is_undefined_table(&self) -> bool {
        matches!(self, Self::Server(report) if report.code == UNDEFINED_TABLE)
    }
}

impl Report {
    fn sorted(self) -> DbError {
        let class = self.code.get(..2).unwrap_or_default();
        match (self.code.as_str(), class) {
            ("23505", _) => DbError::Conflict(self.conflicting()),
            ("23514", _) => DbError::Check(self.constraint.unwrap_or_default()),
            ("23502", _) => DbError::Check(format!(
                "{}.{} is not null",
                self.table.unwrap_or_default(),
                self.column.unwrap_or_default()
            )),
            ("23503", _) => DbError::ForeignKey,
            ("40001" | "40P01", _) => DbError::Serialization,
            // No lock in time, or the statement took too long: nothing of it happened.
            ("55P03" | "57014", _) => DbError::Busy,
            // A standby after a change of roles, a session that was idle in its transaction for too long.
            ("25006" | "25P03", _) => self.unavailable(),
            // Connection, access, the database itself, resources, an operator, the system.
            (_, "08" | "28" | "3D" | "53" | "57" | "58") => self.unavailable(),
            _ => DbError::Other(format!("{}: {}", self.code, self.message)),
        }
    }

    fn unavailable(self) -> DbError {
        DbError::Unavailable(format!("{}: {}", self.code, self.message))
    }

    /// The columns as SQLite writes them, `table.one, table.other`, if the server names them; its own name of
    /// the constraint otherwise, as servers speak many languages.
    fn conflicting(self) -> String {
        let columns = self.detail.as_deref().and_then(key_columns);
        match (self.table, columns) {
            (Some(table), Some(columns)) => {
                let columns: Vec<String> = columns.map(|column| format!("{table}.{column}")).collect();
                columns.join(", ")
            }
            _ => self.constraint.unwrap_or_default(),
        }
    }
}

/// The columns in `Key (one, other)=(…) already exists.`
fn key_columns(detail: &str) -> Option<impl Iterator<Item = &str>> {
    let (columns, _) = detail.strip_prefix("Key (")?.split_once(")=(")?;
    Some(columns.split(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(code: &str) -> Report {
        Report {
            code: code.to_owned(),
            message: "so it is".to_owned(),
            detail: Some("Key (owner, place)=(전자, 1) already exists.".to_owned()),
            table: Some("purse".to_owned()),
            column: Some("won".to_owned()),
            constraint: Some("purse_once".to_owned()),
        }
    }

    #[test]
    fn every_code_finds_its_kind() {
        let kind = |code: &str| format!("{:?}", DbError::from(Fault::Server(Box::new(report(code)))));
        assert_eq!(kind("23505"), r#"Conflict("purse.owner, purse.place")"#);
        assert_eq!(kind("23514"), r#"Check("purse_once")"#);
        assert_eq!(kind("23502"), r#"Check("purse.won is not null")"#);
        assert_eq!(kind("23503"), "ForeignKey");
        for code in ["40001", "40P01"] {
            assert_eq!(kind(code), "Serialization");
        }
        for code in ["55P03", "57014"] {
            assert_eq!(kind(code), "Busy");
        }
        for code in [
            "08006", "25006", "25P03", "28P01", "3D000", "53100", "53300", "57P01", "57P05", "58030",
        ] {
            assert_eq!(kind(code), format!(r#"Unavailable("{code}: so it is")"#));
        }
        for code in ["42601", "25P02", "", "é"] {
            assert_eq!(kind(code), format!(r#"Other("{code}: so it is")"#));
        }
    }

    #[test]
    fn a_conflict_without_readable_detail_names_the_constraint() {
        for detail in [None, Some("Schlüssel »(owner)=(x)« existiert bereits.")] {
            let report = Report {
                detail: detail.map(str::to_owned),
                ..report("23505")
            };
            let error = DbError::from(Fault::Server(Box::new(report)));
            assert!(matches!(error, DbError::Conflict(name) if name == "purse_once"));
        }
    }

    #[test]
    fn what_a_client_says_is_an_outage_unless_it_is_about_values() {
        let said = |text: &str| DbError::from(Fault::of_client(text));
        assert!(matches!(said("connection closed"), DbError::Unavailable(text) if text == BROKEN));
        assert!(matches!(
            said("error deserializing column 0: wrong"),
            DbError::Other(_)
        ));
    }
}
