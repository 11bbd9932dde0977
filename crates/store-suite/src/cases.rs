use kernel::{Instant, OrderId, Quantity};
use store::{Db, DbError, RowError, Value, params};

use crate::schema::tables;
use crate::{BROKEN, FIRST, NARROWER, Open, SECOND, WIDER, won};

fn seeded(open: Open<'_>) -> Db {
    open(&[FIRST, SECOND]).unwrap()
}

pub(crate) fn what_a_transaction_answers_ok_stays(open: Open<'_>) {
    let db = seeded(open);
    let add = "update purse set won = won + ?1";
    let changed = db.transaction(|tx| tx.execute(add, params![5i64])).unwrap();
    assert_eq!((changed, won(&db, "a")), (1, Some(15)));
    let row = db
        .transaction(|tx| tx.query_one("update purse set won = 1 returning won", params![]))
        .unwrap();
    assert_eq!(row.unwrap().get::<i64>("won"), Ok(1));
}

pub(crate) fn a_single_statement_is_a_transaction(open: Open<'_>) {
    let (one, two) = (seeded(open), seeded(open));
    assert_eq!(
        one.execute("update purse set won = won + ?1", params![5i64])
            .unwrap(),
        1
    );
    assert_eq!(won(&two, "a"), Some(15), "nobody has to commit it");
    let none = one.execute("update purse set won = 0 where owner = 'b'", params![]);
    assert_eq!(none.unwrap(), 0);
    let more = "insert into purse (owner, won) values ('b', 1), ('c', -1)";
    assert!(matches!(one.execute(more, params![]), Err(DbError::Check(_))));
    assert_eq!(won(&two, "b"), None, "all of it, or nothing");
    let row = one.returning_one("update purse set won = 1 returning won", params![]);
    assert_eq!(row.unwrap().unwrap().get::<i64>("won"), Ok(1));
    assert_eq!(won(&two, "a"), Some(1));
    let rows = one.returning("delete from purse where owner = 'b' returning owner", params![]);
    assert!(rows.unwrap().is_empty());
    two.transaction(|tx| tx.execute("update purse set won = 2", params![]))
        .unwrap();
}

pub(crate) fn what_a_transaction_refuses_never_happened(open: Open<'_>) {
    #[derive(Debug)]
    struct No;
    impl From<DbError> for No {
        fn from(error: DbError) -> Self {
            panic!("{error}")
        }
    }
    let db = seeded(open);
    let answer: Result<(), No> = db.transaction(|tx| {
        tx.execute("update purse set won = 0", params![])?;
        Err(No)
    });
    assert!(answer.is_err());
    assert_eq!(won(&db, "a"), Some(10));
    db.transaction(|tx| tx.execute("update purse set won = 1", params![]))
        .unwrap();
}

pub(crate) fn a_failing_statement_undoes_the_whole_transaction(open: Open<'_>) {
    let db = seeded(open);
    let answer = db.transaction(|tx| {
        tx.execute("insert into purse (owner, won) values ('b', 1)", params![])?;
        tx.execute("update purse set won = won - 11 where owner = 'a'", params![])
    });
    assert!(matches!(answer, Err(DbError::Check(name)) if name == "won_not_negative"));
    assert_eq!((won(&db, "a"), won(&db, "b")), (Some(10), None));
}

pub(crate) fn a_second_connection_sees_what_was_committed(open: Open<'_>) {
    let (one, two) = (seeded(open), seeded(open));
    one.transaction(|tx| {
        tx.execute("update purse set won = 7", params![])?;
        assert_eq!(won(&two, "a"), Some(10), "not before the commit");
        Ok::<_, DbError>(())
    })
    .unwrap();
    assert_eq!(won(&two, "a"), Some(7));
}

pub(crate) fn violated_constraints_are_told_apart(open: Open<'_>) {
    let db = seeded(open);
    let run = |statement: &str| db.transaction(|tx| tx.execute(statement, params![])).unwrap_err();
    let conflict = run("insert into purse (owner, won) values ('a', 1)");
    assert!(matches!(conflict, DbError::Conflict(columns) if columns == "purse.owner"));
    assert!(matches!(
        run("insert into purse (owner) values ('c')"),
        DbError::Check(_)
    ));
    assert!(matches!(
        run("insert into coin (purse) values ('nobody')"),
        DbError::ForeignKey
    ));
    assert!(matches!(run("select nonsense"), DbError::Other(_)));
}

pub(crate) fn rows_are_read_by_name_and_type(open: Open<'_>) {
    let db = seeded(open);
    let statement = "select ?1 as id, ?2 as quantity, ?3 as at, null as absence, 'x' as word, -1 as small";
    let id = OrderId::try_new(7).unwrap();
    let row = db
        .read_one(statement, params![id, Quantity::ONE, Instant::from_micros(5)])
        .unwrap()
        .unwrap();
    assert_eq!(row.get::<OrderId>("id"), Ok(id));
    assert_eq!(row.get::<Quantity>("quantity"), Ok(Quantity::ONE));
    assert_eq!(row.get::<Instant>("at"), Ok(Instant::from_micros(5)));
    assert_eq!(row.get::<Option<i64>>("absence"), Ok(None));
    assert_eq!(row.parse("word", |word| (word == "x").then_some(1)), Ok(1));
    for (column, error) in [
        ("word", "column word: expected an integer, found Text(\"x\")"),
        ("small", "column small: -1 is out of range"),
        ("absent", "column absent: missing"),
    ] {
        let found = row
            .get::<u32>(column)
            .map_err(|error: RowError| error.to_string());
        assert_eq!(found, Err(error.to_owned()));
    }
}

pub(crate) fn every_value_survives_a_round_trip(open: Open<'_>) {
    let db = seeded(open);
    let rows = db
        .read("select ?1 as v, ?2 as w", params![i64::MIN, vec![0u8, 255]])
        .unwrap();
    assert_eq!(rows[0].get::<i64>("v"), Ok(i64::MIN));
    assert_eq!(rows[0].get::<Vec<u8>>("w"), Ok(vec![0, 255]));
    let text = "전자 'quoted' \u{1f6d2} \n";
    let rows = db
        .read(
            "select ?1 as v, ?2 as w, ?3 as x",
            params![text, true, Value::Null],
        )
        .unwrap();
    assert_eq!(rows[0].get::<String>("v").as_deref(), Ok(text));
    assert_eq!(rows[0].get::<bool>("w"), Ok(true));
    assert_eq!(rows[0].get::<Option<String>>("x"), Ok(None));
}

pub(crate) fn two_rows_where_one_was_expected_are_a_defect(open: Open<'_>) {
    let error = seeded(open)
        .read_one("select 1 as a union select 2", params![])
        .unwrap_err();
    assert!(matches!(error, DbError::Other(_)) && !error.retryable());
}

pub(crate) fn a_database_migrated_in_steps_equals_a_fresh_one(open: Open<'_>) {
    drop(open(&[FIRST]).unwrap());
    let stepwise = open(&[FIRST, SECOND]).unwrap();
    drop(open(&[FIRST, SECOND]).unwrap());
    assert_eq!(won(&stepwise, "a"), Some(10), "the last one ran once");
    assert_eq!(tables(&stepwise), ["coin", "purse"]);
}

pub(crate) fn a_migration_that_fails_leaves_the_schema_as_it_was(open: Open<'_>) {
    drop(open(&[FIRST, SECOND]).unwrap());
    let error = open(&[FIRST, SECOND, BROKEN]).err().unwrap();
    assert!(error.to_string().starts_with("migration 0003_break: "), "{error}");
    let db = open(&[FIRST, SECOND]).unwrap();
    assert!(db.read("select * from x", params![]).is_err());
}

pub(crate) fn an_older_program_does_not_touch_a_newer_database(open: Open<'_>) {
    drop(open(&[FIRST, SECOND]).unwrap());
    assert!(matches!(
        open(&[FIRST]),
        Err(DbError::TooNew { found: 2, known: 1 })
    ));
}

pub(crate) fn an_older_program_works_beside_what_was_added(open: Open<'_>) {
    drop(open(&[FIRST, SECOND]).unwrap());
    drop(open(&[FIRST, SECOND, WIDER]).unwrap());
    let older = open(&[FIRST, SECOND]).unwrap();
    assert_eq!(won(&older, "a"), Some(10));
    older
        .execute("insert into purse (owner, won) values ('b', 3)", params![])
        .unwrap();
    let newer = open(&[FIRST, SECOND, WIDER]).unwrap();
    assert_eq!(won(&newer, "b"), Some(3), "each reads what the other wrote");
    assert!(
        matches!(open(&[FIRST]), Err(DbError::TooNew { found: 3, known: 1 })),
        "the second one is not known to leave everything in place"
    );
}

pub(crate) fn an_older_program_is_refused_once_something_is_taken_away(open: Open<'_>) {
    drop(open(&[FIRST, SECOND, WIDER]).unwrap());
    drop(open(&[FIRST, SECOND, WIDER, NARROWER]).unwrap());
    for (older, known) in [(&[FIRST, SECOND][..], 2), (&[FIRST, SECOND, WIDER][..], 3)] {
        match open(older) {
            Err(DbError::TooNew {
                found: 4,
                known: says,
            }) => assert_eq!(says, known),
            other => panic!("{:?}", other.map(drop)),
        }
    }
}
