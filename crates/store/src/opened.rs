use std::collections::BTreeMap;

/// What an instance remembers of the databases that it has opened: that the schema of one was current, and
/// which settings a new connection needs. So only the first opening asks.
///
/// An instance may live for many calls. What it remembers stays true, because a schema is migrated by a newer
/// program alone: it takes the place of this one, and every instance of this one ends with its process. Where
/// several processes share a database and are replaced one after the other, an older one goes on for a while
/// beside the newer schema; for that a change of a schema is made in steps that both can work with (expand, move,
/// contract; [`crate::Migration::expands`]), as it must be anyhow for calls that are under way. A new file under a running
/// program is not provided for.
#[derive(Debug, Default)]
pub(crate) struct Opened(BTreeMap<String, Found>);

#[derive(Debug)]
struct Found {
    schema: u32,
    settings: Vec<&'static str>,
}

impl Opened {
    /// What a new connection to this database has to be told, if it is known to have this schema.
    pub(crate) fn settings(&self, label: &str, schema: u32) -> Option<&[&'static str]> {
        let found = self.0.get(label)?;
        (found.schema == schema).then_some(&found.settings)
    }

    /// Remembers that this database has this schema, and that a connection to it had to be told so.
    pub(crate) fn remember(&mut self, label: &str, schema: u32, settings: Vec<&'static str>) {
        self.0.insert(label.to_owned(), Found { schema, settings });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_known_once_it_was_found_as_this_program_wants_it() {
        let mut opened = Opened::default();
        assert_eq!(opened.settings("stock", 5), None);
        opened.remember("stock", 5, vec!["pragma foreign_keys = on"]);
        assert_eq!(
            opened.settings("stock", 5),
            Some(&["pragma foreign_keys = on"][..])
        );
        assert_eq!(opened.settings("stock", 6), None, "another program's list");
        assert_eq!(opened.settings("order", 5), None, "another database");
        opened.remember("stock", 6, Vec::new());
        assert_eq!(opened.settings("stock", 6), Some(&[][..]));
    }
}
