//! The databases of a Postgres: made by the script that containers run, dumped and restored by the one of the runbook.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::servers::{DATABASES, Postgres};

use crate::tools::{ask, root};

/// `PATH` with the programs of the newest Postgres that Debian has installed, which no path leads to.
fn path() -> String {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let newest = folders.pop().unwrap_or_default();
    format!(
        "{}:{}",
        newest.display(),
        std::env::var("PATH").unwrap_or_default()
    )
}

/// An administrator as a managed service has one: makes roles and databases, and is no superuser.
const MANAGED: &str = "managed";

/// A script of ours, as an administrator of this server whose password is its name.
fn script_of(admin: &str, server: &Postgres, words: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.args(words).current_dir(root()).env("PATH", path());
    command
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", server.port().to_string());
    command.env("PGUSER", admin).env("PGPASSWORD", admin);
    command
}

/// The same as the one who may do everything.
fn script(server: &Postgres, words: &[&str]) -> Command {
    script_of("postgres", server, words)
}

fn provision_as(admin: &str, server: &Postgres) -> Result<String, String> {
    let mut command = script_of(admin, server, &["infra/postgres/init.sh"]);
    command.env("PROVISION_SQL", "infra/postgres/provision.sql");
    for label in DATABASES {
        command.env(
            format!("{}_PASSWORD", label.to_uppercase()),
            format!("bodega_{label}"),
        );
    }
    ask(&mut command)
}

fn provision(server: &Postgres) -> Result<String, String> {
    provision_as("postgres", server)
}

fn make_managed(server: &Postgres) {
    let create = format!("create role {MANAGED} login createrole createdb password '{MANAGED}'");
    server.run_sql("postgres", &[&create]);
}

/// Dump and restore of one server into one folder.
struct Backup<'a> {
    server: &'a Postgres,
    admin: &'static str,
    home: tempfile::TempDir,
}

impl<'a> Backup<'a> {
    fn of(server: &'a Postgres, admin: &'static str) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { server, admin, home }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("dump")
    }

    fn command(&self, verb: &str) -> Command {
        let target = self.folder().display().to_string();
        script_of(
            self.admin,
            self.server,
            &["infra/backup/postgres.sh", verb, &target],
        )
    }

    fn run(&self, verb: &str) -> Result<String, String> {
        ask(&mut self.command(verb))
    }

    fn done(&self, verb: &str) -> String {
        self.run(verb).unwrap_or_else(|complaint| panic!("{complaint}"))
    }

    /// Restores with these scripts in the place of programs. The real `pg_restore` is `$REAL` to them.
    fn restore_with(&self, programs: &[(&str, &str)]) -> Result<String, String> {
        let folder = self.home.path().join("programs");
        fs::create_dir_all(&folder).unwrap();
        for (name, script) in programs {
            let program = folder.join(name);
            fs::write(&program, format!("#!/bin/bash\n{script}\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut command = self.command("restore");
        command.env("PATH", format!("{}:{}", folder.display(), path()));
        command.env("REAL", real("pg_restore"));
        ask(&mut command)
    }
}

/// Where a program is that is not the test's own.
fn real(name: &str) -> PathBuf {
    let path = path();
    let folders = path.split(':').map(Path::new);
    let mut found = folders.map(|folder| folder.join(name));
    found.find(|file| file.is_file()).expect("it is installed")
}

/// Each domain has a table with a row that names it.
fn notes(server: &Postgres) {
    for label in DATABASES {
        let own = server.shop_address(label);
        for statement in [
            "create table note (text text primary key)",
            &format!("insert into note values ('{label}')"),
        ] {
            select(server, &own, statement).unwrap_or_else(|complaint| panic!("{complaint}"));
        }
    }
}

/// What the databases of the shop hold, by their labels with this at their end.
fn told(server: &Postgres, ending: &str, statement: &str) -> Vec<String> {
    let ask_one = |label: &&str| {
        let text = server.run_sql(&format!("{label}{ending}"), &[statement]);
        text.trim().replace('\n', " ")
    };
    DATABASES.iter().map(ask_one).collect()
}

const NOTES: &str = "select text from note order by text = 'later', text";

/// The databases that are there beside those of the shop and of Postgres itself.
fn others(server: &Postgres) -> Vec<String> {
    let text = server.run_sql(
        "postgres",
        &["select datname from pg_database where not datistemplate and datname <> 'postgres' order by 1"],
    );
    let names = text.lines().map(str::to_owned);
    names.filter(|name| !DATABASES.contains(&name.as_str())).collect()
}

/// What a database is beside its tables, and what only a role's session shows.
fn nature(server: &Postgres) -> String {
    let databases = "select datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit, \
        (select string_agg(entry::text, ' ' order by entry::text) from unnest(datacl) as entry) \
        from pg_database where datname !~ 'before|template|postgres' order by 1";
    let settings = "select datname, coalesce(rolname, '-'), setconfig from pg_db_role_setting \
        join pg_database on pg_database.oid = setdatabase left join pg_roles on pg_roles.oid = setrole \
        where datname !~ 'before' order by 1, 2";
    server.run_sql("postgres", &[databases, settings])
}

/// What a role sees in a database of its own or another's.
fn select(server: &Postgres, address: &str, statement: &str) -> Result<String, String> {
    let mut command = script(
        server,
        &["-c", "psql --no-psqlrc -At --dbname \"$0\" --command \"$1\""],
    );
    ask(command.args([address, statement])).map(|text| text.trim().to_owned())
}

#[test]
fn whoever_makes_roles_and_databases_provisions_without_being_a_superuser() {
    let Some(server) = Postgres::start() else {
        return;
    };
    make_managed(&server);
    for _ in 0..2 {
        let told = provision_as(MANAGED, &server).unwrap_or_else(|complaint| panic!("{complaint}"));
        assert_eq!(told.trim(), "the databases of the shop are there");
    }
    notes(&server);
    for label in DATABASES {
        for other in DATABASES.iter().filter(|other| *other != label) {
            let theirs = server.address(&format!("bodega_{label}"), other);
            let refused = select(&server, &theirs, "select 1").expect_err("it is another's");
            assert!(refused.contains("permission denied for database"), "{refused}");
        }
    }
    // What was dumped as such an administrator can be restored as one.
    let backup = Backup::of(&server, MANAGED);
    backup.done("dump");
    server.run_sql("order", &["insert into note values ('later')"]);
    backup.done("restore");
    assert_eq!(told(&server, "", NOTES), DATABASES);
}

#[test]
fn a_role_that_may_do_more_than_log_in_is_not_left_so() {
    let Some(server) = Postgres::start() else {
        return;
    };
    make_managed(&server);
    provision_as(MANAGED, &server).unwrap_or_else(|complaint| panic!("{complaint}"));
    let strong = "select count(*) from pg_roles where rolname like 'bodega\\_%' \
        and (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls)";
    let count = || server.run_sql("postgres", &[strong]).trim().to_owned();
    // What everybody can take who makes roles and databases.
    server.run_sql("postgres", &["alter role bodega_cart createdb createrole"]);
    provision_as(MANAGED, &server).unwrap_or_else(|complaint| panic!("{complaint}"));
    assert_eq!(count(), "0");
    // What only a superuser can take: others say so and stop, a superuser takes it.
    for attribute in ["superuser", "bypassrls", "replication"] {
        server.run_sql(
            "postgres",
            &[&format!("alter role bodega_order {attribute} createdb")],
        );
        let refused = provision_as(MANAGED, &server).expect_err(attribute);
        assert!(refused.contains("superuser"), "{attribute}: {refused}");
        assert_eq!(count(), "1");
        provision(&server).unwrap_or_else(|complaint| panic!("{complaint}"));
        assert_eq!(count(), "0", "{attribute}");
    }
}

#[test]
fn a_door_that_stays_open_is_no_success() {
    let Some(server) = Postgres::start() else {
        return;
    };
    provision(&server).unwrap_or_else(|complaint| panic!("{complaint}"));
    server.run_sql("postgres", &["grant connect on database stock to bodega_order"]);
    let refused = provision(&server).expect_err("order can connect to stock");
    assert!(refused.contains("bodega_order at stock"), "{refused}");
}

#[test]
fn what_was_dumped_comes_back_whole_and_belongs_to_its_role() {
    let Some(server) = Postgres::start() else {
        return;
    };
    for _ in 0..2 {
        provision(&server).unwrap_or_else(|complaint| panic!("{complaint}"));
    }
    notes(&server);
    // What no dump holds: settings of a database and of roles in it, and who else gets in.
    server.run_sql(
        "postgres",
        &[
            "create role reader login password 'reader'",
            "grant connect on database stock to reader",
            r#"alter database "order" set search_path = "$user", public"#,
            "alter database stock set timezone = 'Asia/Seoul'",
            r#"alter role bodega_order in database "order" set work_mem = '5MB'"#,
            "alter database cart connection limit 77",
        ],
    );
    let before = nature(&server);
    for expected in ["reader=c", "work_mem=5MB", "Asia/Seoul", "|77|", "$user"] {
        assert!(before.contains(expected), "no {expected}: {before}");
    }

    let backup = Backup::of(&server, "postgres");
    backup.done("dump");
    assert!(backup.run("dump").unwrap_err().contains("is there already"));
    for label in DATABASES {
        let own = server.shop_address(label);
        select(&server, &own, "insert into note values ('later')")
            .unwrap_or_else(|complaint| panic!("{complaint}"));
    }
    let told = backup.done("restore");
    assert!(told.contains("kept as LABEL_before_"), "{told}");
    assert_eq!(nature(&server), before);
    for label in DATABASES {
        let own = server.shop_address(label);
        assert_eq!(
            select(&server, &own, "select text from note").as_deref(),
            Ok(*label)
        );
        select(&server, &own, "drop table note")
            .unwrap_or_else(|complaint| panic!("{label} lost its table: {complaint}"));
    }
    let foreign = server.address("bodega_order", "stock");
    assert!(
        select(&server, &foreign, "select 1").is_err(),
        "order reads the stock's database"
    );
}

#[test]
fn nothing_of_an_upgrade_stays_and_what_was_there_is_kept() {
    let Some(server) = Postgres::start() else {
        return;
    };
    provision(&server).unwrap_or_else(|complaint| panic!("{complaint}"));
    notes(&server);
    let backup = Backup::of(&server, "postgres");
    backup.done("dump");
    // The next release: a table that needs one of those in the dump, a table that needs none, and new rows.
    for label in DATABASES {
        let own = server.shop_address(label);
        for statement in [
            "insert into note values ('later')",
            "create table line (note text references note)",
            "create table alone (text text)",
        ] {
            select(&server, &own, statement).unwrap_or_else(|complaint| panic!("{complaint}"));
        }
    }
    // One that was killed half-way left this behind.
    server.run_sql("postgres", &["create database payment_restored"]);
    backup.done("restore");
    assert_eq!(told(&server, "", NOTES), DATABASES);
    let tables =
        "select string_agg(tablename, ' ' order by tablename) from pg_tables where schemaname = 'public'";
    assert_eq!(told(&server, "", tables), ["note"; 8]);
    for label in DATABASES {
        // As the migration of that release does, when the new program starts again.
        select(
            &server,
            &server.shop_address(label),
            "create table alone (text text)",
        )
        .unwrap_or_else(|complaint| panic!("{label} can't be upgraded again: {complaint}"));
    }
    let kept = others(&server);
    assert_eq!(kept.len(), 8, "{kept:?}");
    let (_, moment) = kept[0].split_once("_before_").unwrap();
    assert!(moment.len() == 16 && moment.ends_with('Z'), "{moment}");
    let ending = format!("_before_{moment}");
    assert_eq!(told(&server, &ending, tables), ["alone line note"; 8]);
    assert_eq!(
        told(&server, &ending, NOTES),
        DATABASES
            .iter()
            .map(|label| format!("{label} later"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_restore_that_ends_half_way_changes_nothing() {
    let Some(server) = Postgres::start() else {
        return;
    };
    provision(&server).unwrap_or_else(|complaint| panic!("{complaint}"));
    notes(&server);
    let backup = Backup::of(&server, "postgres");
    backup.done("dump");
    for label in DATABASES {
        server.run_sql(label, &["insert into note values ('later')"]);
    }
    let untouched: Vec<String> = DATABASES.iter().map(|label| format!("{label} later")).collect();
    let before = nature(&server);
    let check = |refused: Result<String, String>, why: &str| {
        let complaint = refused.expect_err(why);
        assert!(complaint.contains("nothing was restored"), "{why}: {complaint}");
        assert!(complaint.contains(why), "{why}: {complaint}");
        assert_eq!(told(&server, "", NOTES), untouched, "{why}");
        assert_eq!(others(&server), Vec::<String>::new(), "{why}");
        assert_eq!(nature(&server), before, "{why}");
    };
    // After some were filled, one fails.
    let full =
        r#"case "$*" in *order_restored*) echo "the disk is full" >&2; exit 1 ;; esac; exec "$REAL" "$@""#;
    check(backup.restore_with(&[("pg_restore", full)]), "the disk is full");
    // All are filled, and somebody has come in meanwhile.
    let visitor = r#"case "$*" in *settlement_restored*)
            psql --no-psqlrc --dbname=settlement --command 'select pg_sleep(600)' >/dev/null 2>&1 &
            until [ "$(psql --no-psqlrc -At --dbname=postgres --command \
                "select count(*) from pg_stat_activity where datname = 'settlement' and state = 'active'")" = 1 ]; do sleep 0.1; done ;;
        esac; exec "$REAL" "$@""#;
    check(
        backup.restore_with(&[("pg_restore", visitor)]),
        "postgres at settlement",
    );
    server.run_sql(
        "postgres",
        &["select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = 'settlement'"],
    );
    // The last of them can't change places, since its name is taken: those before it are put back.
    server.run_sql("postgres", &["create database settlement_before_now"]);
    let complaint = backup
        .restore_with(&[("pg_restore", r#"exec "$REAL" "$@""#), ("date", "echo now")])
        .expect_err("a name is taken");
    for expected in ["already exists", "nothing was restored"] {
        assert!(complaint.contains(expected), "{complaint}");
    }
    assert_eq!(told(&server, "", NOTES), untouched);
    assert_eq!(others(&server), ["settlement_before_now"]);
    assert_eq!(nature(&server), before);
}

#[test]
fn nothing_is_restored_beside_a_shop_that_runs_or_from_half_a_dump() {
    let Some(server) = Postgres::start() else {
        return;
    };
    provision(&server).unwrap_or_else(|complaint| panic!("{complaint}"));
    let backup = Backup::of(&server, "postgres");
    backup.done("dump");
    let mut session = script(
        &server,
        &[
            "-c",
            "exec psql --no-psqlrc -At --dbname \"$0\" --command 'select pg_sleep(60)'",
        ],
    );
    let mut session = session.arg(server.shop_address("order")).spawn().unwrap();
    let refused = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        backup.run("restore").is_err_and(|complaint| {
            complaint.contains("(bodega_order at order): stop it first")
                && !complaint.contains("nothing was restored")
        })
    });
    session.kill().unwrap();
    session.wait().unwrap();
    assert!(refused, "it was restored beside a session of the shop");
    fs::remove_file(backup.folder().join("order.dump")).unwrap();
    assert!(
        backup
            .run("restore")
            .unwrap_err()
            .contains("order.dump is missing")
    );
}
