//! How the database goes about what is asked for lists and jobs: whatever there is, it looks up, and reads no
//! more than it answers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use order::store::MIGRATIONS;
use store::{Value, native};

/// How SQLite goes about a statement, one step a line.
fn plan(statement: &str) -> String {
    let db = native::in_memory(MIGRATIONS).unwrap();
    let count = (1..=9).take_while(|number| statement.contains(&format!("?{number}")));
    let wanted = vec![Value::Integer(1); count.count()];
    let rows = db
        .read(&format!("explain query plan {statement}"), &wanted)
        .unwrap();
    let steps = rows.iter().map(|row| row.get::<String>("detail").unwrap());
    steps.map(|step| format!("    {step}\n")).collect()
}

macro_rules! statements {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../src/sql/", $name, ".sql")))),*]
    };
}

#[test]
fn no_list_and_no_job_scans_a_table() {
    let statements = statements![
        "list_all",
        "list_by_state",
        "list_orders",
        "list_stuck",
        "load_lines",
        "load_order",
        "find_order",
        "load_history",
        "find_key",
        "lapsed",
        "expired",
        "has_finished",
        "take_finished",
        "forget_work",
        "take_over",
        "claim_expiry",
        "insert_work",
        "count_waiting",
        "keep_reply",
        "free_key",
    ];
    let mut table = String::new();
    for (name, statement) in statements {
        let numbers = if name == "load_lines" { "?1, ?2" } else { "?2, ?3" };
        let plan = plan(&statement.replace("{orders}", numbers));
        let scans = plan
            .lines()
            .filter(|step| step.contains("SCAN ") && !step.contains("CONSTANT ROW"));
        assert_eq!(scans.count(), 0, "{name}:\n{plan}");
        table += &format!("{name}\n{plan}");
    }
    expect_test::expect![[r#"
        list_all
            SEARCH o USING INTEGER PRIMARY KEY (rowid<?)
            SEARCH w USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
            SEARCH c USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
        list_by_state
            SEARCH o USING INDEX customer_order_by_state (state=? AND order_id<?)
            SEARCH w USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
            SEARCH c USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
        list_orders
            SEARCH o USING INDEX customer_order_by_user (user_id=? AND order_id<?)
            SEARCH w USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
            SEARCH c USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
        list_stuck
            SEARCH w USING INDEX order_work_stuck (order_id<?)
            SEARCH o USING INTEGER PRIMARY KEY (rowid=?)
            SEARCH c USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
        load_lines
            SEARCH l USING INDEX sqlite_autoindex_order_line_1 (order_id=?)
        load_order
            SEARCH o USING INTEGER PRIMARY KEY (rowid=?)
            SEARCH w USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
            SEARCH c USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
        find_order
            SEARCH o USING INTEGER PRIMARY KEY (rowid=?)
            SEARCH w USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
            SEARCH c USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
        load_history
            SEARCH order_history USING INDEX sqlite_autoindex_order_history_1 (order_id=?)
            USE TEMP B-TREE FOR ORDER BY
        find_key
            SEARCH command_key USING INDEX sqlite_autoindex_command_key_1 (user_id=? AND idempotency_key=?)
        lapsed
            SEARCH order_work USING INDEX order_work_lapsed (lease_until<?)
        expired
            SEARCH order_work USING COVERING INDEX order_work_awaiting (expires_at<?)
        has_finished
            SEARCH order_work USING INDEX order_work_finish (lease_until<?)
        take_finished
            SEARCH order_work USING INTEGER PRIMARY KEY (rowid=?)
            LIST SUBQUERY 1
            SEARCH order_work USING INDEX order_work_finish (lease_until<?)
            CREATE BLOOM FILTER
        forget_work
            SEARCH order_work USING INTEGER PRIMARY KEY (rowid=?)
        take_over
            SEARCH order_work USING INTEGER PRIMARY KEY (rowid=?)
        claim_expiry
            SEARCH order_work USING INTEGER PRIMARY KEY (rowid=?)
        insert_work
            SCAN CONSTANT ROW
            SCALAR SUBQUERY 1
            SEARCH waiting USING INDEX order_work_waiting (user_id=?)
        count_waiting
            SEARCH order_work USING INDEX order_work_waiting (user_id=?)
        keep_reply
            SEARCH command_key USING INDEX sqlite_autoindex_command_key_1 (user_id=? AND idempotency_key=?)
        free_key
            SEARCH command_key USING INDEX sqlite_autoindex_command_key_1 (user_id=? AND idempotency_key=?)
    "#]]
    .assert_eq(&table);
}
