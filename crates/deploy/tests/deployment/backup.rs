//! The backup of SQLite files: of one moment over all of them, while others write; whole; and back again.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::tools::{ask, left_out, root};

/// Writes a number into one file, then into the other: at every moment they are equal, or the first is one ahead.
const WRITER: &str = r#"
import sqlite3, sys
first, second = (sqlite3.connect(f"{sys.argv[1]}/{name}.db", timeout=30, isolation_level=None) for name in ("order", "stock"))
for database in (first, second):
    database.executescript("pragma journal_mode=wal; pragma synchronous=off; create table n (n integer); create table fill (x blob); insert into n values (0)")
print("ready", flush=True)
while True:
    for database in (first, second):
        database.execute("begin immediate")
        database.execute("update n set n = n + 1")
        database.execute("insert into fill values (randomblob(500))")
        database.execute("commit")
"#;

struct Writer(Child);

impl Writer {
    fn start(folder: &Path) -> Writer {
        let mut child = Command::new("python3")
            .args(["-c", WRITER])
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("it is piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        assert_eq!(line, "ready\n");
        Writer(child)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn has_python() -> bool {
    let works = Command::new("python3").args(["-c", "import sqlite3"]).output();
    works.is_ok_and(|output| output.status.success())
        || left_out::<()>("python3 with sqlite3 is missing").is_some()
}

fn run(verb: &str, paths: &[&Path]) -> Result<String, String> {
    let mut command = Command::new("python3");
    command
        .arg("-B")
        .arg(root().join("infra/backup/sqlite.py"))
        .arg(verb)
        .args(paths);
    ask(&mut command)
}

/// What both files say.
fn numbers(folder: &Path) -> (u64, u64) {
    let ask_one = |name: &str| {
        let code = "import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute('select n from n').fetchone()[0])";
        let mut command = Command::new("python3");
        let text = ask(command.args(["-c", code]).arg(folder.join(name))).unwrap();
        text.trim().parse().unwrap()
    };
    (ask_one("order.db"), ask_one("stock.db"))
}

#[test]
fn copies_are_of_one_moment_while_others_write() {
    if !has_python() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (state, mut last) = (home.path().join("state"), 0);
    fs::create_dir(&state).unwrap();
    let _writer = Writer::start(&state);
    for round in 0..6 {
        let target = home.path().join(format!("backup-{round}"));
        run("backup", &[&state, &target]).unwrap_or_else(|complaint| panic!("{complaint}"));
        let (first, second) = numbers(&target);
        assert!(
            first == second || first == second + 1,
            "order.db says {first}, stock.db {second}"
        );
        assert!(first > last, "the writer stood still");
        last = first;
    }
}

#[test]
fn a_backup_comes_back_once_nobody_writes() {
    if !has_python() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (state, target) = (home.path().join("state"), home.path().join("backup"));
    fs::create_dir(&state).unwrap();
    fs::write(state.join("secrets.toml"), "jwt_keys = \"a\"\n").unwrap();
    let writer = Writer::start(&state);
    run("backup", &[&state, &target]).unwrap_or_else(|complaint| panic!("{complaint}"));
    let expected = numbers(&target);
    assert!(
        run("backup", &[&state, &target])
            .unwrap_err()
            .contains("is there already")
    );
    let refusal = run("restore", &[&target, &state]).unwrap_err();
    assert!(refusal.contains("stop the shop first"), "{refusal}");
    drop(writer);
    run("restore", &[&target, &state]).unwrap_or_else(|complaint| panic!("{complaint}"));
    assert_eq!(numbers(&state), expected);
    assert_eq!(
        fs::read_to_string(state.join("secrets.toml")).unwrap(),
        "jwt_keys = \"a\"\n"
    );
    let kept = fs::read_dir(home.path()).unwrap().flatten();
    let kept: Vec<_> = kept
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("state.before-"))
        .collect();
    assert_eq!(kept.len(), 1, "what was there is gone");
    assert!(kept[0].path().join("order.db").exists());
}

#[test]
fn a_damaged_or_missing_backup_is_refused_and_changes_nothing() {
    if !has_python() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (state, target, none) = (
        home.path().join("state"),
        home.path().join("backup"),
        home.path().join("none"),
    );
    for folder in [&state, &none] {
        fs::create_dir(folder).unwrap();
    }
    drop(Writer::start(&state));
    run("backup", &[&state, &target]).unwrap_or_else(|complaint| panic!("{complaint}"));
    let file = target.join("order.db");
    let mut bytes = fs::read(&file).unwrap();
    let from = bytes.len() / 2;
    bytes[from..].fill(0xA5);
    fs::write(&file, bytes).unwrap();
    let before = numbers(&state);
    assert!(run("verify", &[&target]).is_err());
    assert!(run("restore", &[&target, &state]).is_err());
    assert_eq!(numbers(&state), before);
    assert!(
        run("restore", &[&none, &state])
            .unwrap_err()
            .contains("has no databases")
    );
    assert!(
        run("backup", &[&none, &home.path().join("x")])
            .unwrap_err()
            .contains("has no databases")
    );
    assert!(run("explode", &[]).unwrap_err().contains("sqlite.py backup"));
}
