/// One step of a schema, forward only, never edited after release.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// 1, 2, 3 …: its place in the list.
    pub number: u32,
    /// The file's name without `.sql`, such as `0001_create_reservation`.
    pub name: &'static str,
    /// Its statements, each ended by a `;` at the end of a line.
    pub sql: &'static str,
}

impl Migration {
    /// The statements, one by one: databases take one at a time.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &'static str> {
        let says_something = |line: &str| !line.starts_with("--") && !line.trim_end_matches(';').is_empty();
        self.sql
            .split_inclusive(";\n")
            .map(str::trim)
            .filter(move |statement| statement.lines().map(str::trim).any(says_something))
    }
}

/// The migrations of a component: `migrations!["0001_create_reservation", …]`, read from its
/// `migrations` folder at compile time.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),* $(,)?) => {{
        const LIST: &[$crate::Migration] = &{
            let mut list = [$($crate::Migration {
                number: 0,
                name: $name,
                sql: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")),
            }),*];
            let mut place = 0;
            while place < list.len() {
                list[place].number = place as u32 + 1;
                place += 1;
            }
            list
        };
        LIST
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_a_semicolon_at_the_end_of_a_line() {
        let sql = "-- a; comment\ncreate table a (b text default ';x');\n\n-- only a comment\n;\ninsert into a values (1);";
        let migration = Migration {
            number: 1,
            name: "0001_a",
            sql,
        };
        let statements: Vec<_> = migration.statements().collect();
        assert_eq!(statements.len(), 2, "{statements:?}");
    }
}
