use store::{Db, Migration, native, params};

/// Panics unless a component's migrations may be trusted: step by step they lead to the schema that a new
/// database gets at once, and the last one can run twice.
pub fn assert_migrations(list: &[Migration]) {
    let fresh = schema(&native::in_memory(list).unwrap());
    let mut known = Vec::new();
    let mut stepwise = native::in_memory(&[]).unwrap();
    for migration in list {
        known.push(*migration);
        stepwise = stepwise.migrated(&known).unwrap();
    }
    assert_eq!(schema(&stepwise), fresh, "step by step");
    let last = list.last().expect("a component has migrations");
    known.push(Migration {
        number: last.number + 1,
        ..*last
    });
    assert_eq!(
        schema(&native::in_memory(&known).unwrap()),
        fresh,
        "{} twice",
        last.name
    );
}

fn schema(db: &Db) -> Vec<String> {
    let statement = "select coalesce(sql, name) as text from sqlite_schema order by type, name";
    let rows = db.read(statement, params![]).unwrap();
    rows.iter().map(|row| row.get("text").unwrap()).collect()
}
