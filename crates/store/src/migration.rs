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

/// How the first line of a migration begins which leaves in place all that the program before it reads and writes.
const EXPAND: &str = "-- expand: ";

impl Migration {
    /// Whether the program before it works on beside it: its file begins with `-- expand: ` and the reason why.
    pub fn expands(&self) -> bool {
        self.sql.starts_with(EXPAND)
    }

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

/// The oldest program that works on a schema of these migrations, by the newest migration that it knows: the last
/// one that takes something away or changes what it means.
pub(crate) fn floor(migrations: &[Migration]) -> u32 {
    let breaks = migrations.iter().rev().find(|migration| !migration.expands());
    breaks.map_or(0, |migration| migration.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_the_last_migration_that_does_more_than_expand() {
        let of = |texts: &[&'static str]| {
            let number = |(place, &sql): (usize, &&'static str)| Migration {
                number: place as u32 + 1,
                name: "000x_x",
                sql,
            };
            floor(&texts.iter().enumerate().map(number).collect::<Vec<_>>())
        };
        let (breaks, expands) = (
            "create table a (b text);",
            "-- expand: nobody reads it\ncreate table a (b text);",
        );
        assert_eq!(of(&[]), 0);
        assert_eq!(of(&[breaks]), 1);
        assert_eq!(of(&[breaks, expands, expands]), 1);
        assert_eq!(of(&[breaks, expands, breaks, expands]), 3);
        assert_eq!(of(&["-- says expand: later\ncreate table a (b text);"]), 1);
    }

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
