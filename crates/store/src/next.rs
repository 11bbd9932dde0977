//! What stands for the next release (feature `next-release`): a test replaces this one by it while it sells.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::Migration;

thread_local! {
    /// The longer lists, by the name of their first migration; of this instance.
    static LISTS: RefCell<BTreeMap<&'static str, &'static [Migration]>> = RefCell::default();
}

/// The migrations of the next release: these, and one that gives the first table that they made one more column.
pub(crate) fn with_one_more(migrations: &[Migration]) -> &'static [Migration] {
    let Some(first) = migrations.first() else {
        return &[];
    };
    LISTS.with_borrow_mut(|lists| {
        *lists.entry(first.name).or_insert_with(|| {
            let number = migrations.len() as u32 + 1;
            let mut longer = migrations.to_vec();
            longer.extend(table(first).map(|table| added(number, table)));
            longer.leak()
        })
    })
}

/// The first table that a migration makes.
fn table(first: &Migration) -> Option<&'static str> {
    let (_, behind) = first.sql.split_once("create table ")?;
    let name = behind.strip_prefix("if not exists ").unwrap_or(behind);
    name.split_whitespace().next()
}

fn added(number: u32, table: &str) -> Migration {
    let sql = format!("-- expand: may be empty\nalter table {table} add column next_release integer;\n");
    Migration {
        number,
        name: "next_release",
        sql: sql.leak(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_release_has_one_migration_more() {
        let first = Migration {
            number: 1,
            name: "0001_create_purse",
            sql: "-- who has how much\ncreate table if not exists purse (\n  won integer\n);\n",
        };
        let longer = with_one_more(&[first]);
        let [_, more] = longer else {
            panic!("{longer:?}");
        };
        assert_eq!(more.number, 2);
        assert!(more.expands());
        let statements: Vec<_> = more.statements().collect();
        assert_eq!(
            statements,
            ["-- expand: may be empty\nalter table purse add column next_release integer;"]
        );
        assert!(std::ptr::eq(longer, with_one_more(&[first])), "made once");
        assert!(with_one_more(&[]).is_empty());
    }
}
