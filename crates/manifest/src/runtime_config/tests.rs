//! What is read, and every complaint as its reader sees it.

use super::*;
use expect_test::{Expect, expect};

fn parse(text: &str) -> Result<RuntimeConfig, FileError> {
    RuntimeConfig::parse(text, Path::new("conf/runtime-config.toml"))
}

fn check(text: &str, expected: Expect) {
    let error = parse(text).err().map(|error| error.to_string());
    expected.assert_eq(error.as_deref().unwrap_or("fine"));
}

#[test]
fn a_whole_config_is_read() {
    let config = parse(
        r#"
state_dir = ".bodega"
log_dir = "logs"
max_instance_memory = 67108864
[sqlite_database.order]
type = "spin"
path = "data/order.db"
[sqlite_database.scratch]
type = "spin"
allow_attach_file = true
[key_value_store.default]
type = "spin"
path = "kv.db"
[key_value_store.cache]
type = "memory"
[key_value_store.other]
type = "spin"
[[variables_provider]]
type = "static"
values = { jwt_keys = "hush" }
[[variables_provider]]
type = "env"
prefix = "SHOP"
dotenv_path = "shop.env"
"#,
    )
    .unwrap_or_else(|error| panic!("{error}"));
    let shown = format!("{config:#?}");
    assert!(!shown.contains("hush"), "{shown}");
    expect![[r#"
        RuntimeConfig {
            sqlite_databases: {
                "order": SqliteDatabase {
                    path: Some(
                        "data/order.db",
                    ),
                    allow_attach_file: false,
                },
                "scratch": SqliteDatabase {
                    path: None,
                    allow_attach_file: true,
                },
            },
            key_value_stores: {
                "cache": Memory,
                "default": File(
                    "conf/kv.db",
                ),
                "other": Memory,
            },
            variables_providers: [
                {
                    "jwt_keys",
                },
                Env {
                    prefix: Some(
                        "SHOP",
                    ),
                    dotenv_path: Some(
                        "shop.env",
                    ),
                },
            ],
            state_dir: Some(
                ".bodega",
            ),
            log_dir: Some(
                "logs",
            ),
            max_instance_memory_bytes: Some(
                67108864,
            ),
            postgres_connections: None,
        }"#]]
    .assert_eq(&shown);
}

#[test]
fn an_empty_file_says_nothing() {
    expect!["RuntimeConfig { sqlite_databases: {}, key_value_stores: {}, variables_providers: [], state_dir: None, log_dir: None, max_instance_memory_bytes: None, postgres_connections: None }"].assert_eq(&format!(
        "{:?}",
        parse("").unwrap_or_else(|error| panic!("{error}"))
    ));
}

#[test]
fn a_file_is_read_or_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("runtime-config.toml");
    let error = RuntimeConfig::load(&path).expect_err("nothing there");
    assert_eq!(error.to_string(), format!("cannot read {}", path.display()));
    std::fs::write(&path, "[key_value_store.a]\ntype = \"spin\"\npath = \"a.db\"").expect("a write");
    let config = RuntimeConfig::load(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        config.key_value_stores["a"],
        KeyValueStore::File(dir.path().join("a.db"))
    );
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    check(
        "colour = 1",
        expect![
            "conf/runtime-config.toml:1:1: unknown key `colour`, expected one of `state_dir`, `log_dir`, `max_instance_memory`, `sqlite_database`, `key_value_store`, `config_provider`, `variables_provider`, `client_tls`, `llm_compute`, `outbound_http`, `outbound_mqtt`, `outbound_mysql`, `outbound_networking`, `outbound_pg`, `outbound_redis`"
        ],
    );
    check(
        "[sqlite_database.a]\ntype = \"spin\"\npat = \"x\"\nurl = \"y\"",
        expect![[r#"
            conf/runtime-config.toml:3:1: unknown key `pat` for type `spin`, expected one of `type`, `path`, `allow_attach_file`
            conf/runtime-config.toml:4:1: unknown key `url` for type `spin`, expected one of `type`, `path`, `allow_attach_file`"#]],
    );
    check(
        "[key_value_store.a]\ntype = \"memory\"\npath = \"x\"",
        expect!["conf/runtime-config.toml:3:1: unknown key `path` for type `memory`, expected one of `type`"],
    );
    check(
        "[[variables_provider]]\ntype = \"env\"\nprefx = \"x\"",
        expect![
            "conf/runtime-config.toml:3:1: unknown key `prefx` for type `env`, expected one of `type`, `prefix`, `dotenv_path`"
        ],
    );
    check(
        "[[variables_provider]]\ntype = \"static\"\nvalue = { a = \"x\" }",
        expect![[r#"
            conf/runtime-config.toml:2:8: missing key `values` of this variables_provider
            conf/runtime-config.toml:3:1: unknown key `value` for type `static`, expected one of `type`, `values`"#]],
    );
}

#[test]
fn a_wrong_value_is_named_with_its_place() {
    check(
        "[sqlite_database.a]\npath = \"x\"",
        expect!["conf/runtime-config.toml:1:1: missing key `type` of this sqlite_database"],
    );
    check(
        "[sqlite_database.a]\ntype = 1",
        expect!["conf/runtime-config.toml:2:8: type must be a string"],
    );
    check(
        "[sqlite_database.a]\ntype = \"spin\"\npath = 1\nallow_attach_file = \"no\"",
        expect![[r#"
            conf/runtime-config.toml:3:8: path must be a string
            conf/runtime-config.toml:4:21: allow_attach_file must be true or false"#]],
    );
    check(
        "[[variables_provider]]\ntype = \"static\"\nvalues = { a = 1 }",
        expect!["conf/runtime-config.toml:3:10: values must be a table of strings"],
    );
    check(
        "state_dir = \"\"\nlog_dir = \"\"",
        expect![[r#"
        conf/runtime-config.toml:1:13: state_dir is empty; name a folder or leave it out
        conf/runtime-config.toml:2:11: log_dir is empty; name a folder or leave it out"#]],
    );
    check(
        "max_instance_memory = -1",
        expect![
            "conf/runtime-config.toml:1:23: invalid value: integer `-1`, expected a whole number from 0 on"
        ],
    );
    check(
        "[sqlite_database]\na = \"spin\"",
        expect![[r#"conf/runtime-config.toml:2:5: invalid type: string "spin", expected a table"#]],
    );
}

#[test]
fn what_this_host_cannot_do_yet_is_told_apart_from_nonsense() {
    check(
        r#"
[sqlite_database.a]
type = "libsql"
url = "https://x"
[sqlite_database.b]
type = "postgres"
[key_value_store.c]
type = "aws_dynamo"
[key_value_store.d]
type = "azure_cosmos"
[[variables_provider]]
type = "vault"
[[variables_provider]]
type = "azure_key_vault"
[llm_compute]
type = "spin"
[outbound_http]
max_connections = 1
"#,
        expect![[r#"
            conf/runtime-config.toml:3:8: sqlite_database type `libsql` is not supported by this host yet; it has `spin`
            conf/runtime-config.toml:6:8: unknown sqlite_database type `postgres`; this host has `spin`
            conf/runtime-config.toml:8:8: key_value_store type `aws_dynamo` is not supported by this host yet; it has `spin`, `memory` and `redis`
            conf/runtime-config.toml:10:8: key_value_store type `azure_cosmos` is not supported by this host yet; it has `spin`, `memory` and `redis`
            conf/runtime-config.toml:12:8: variables_provider type `vault` is not supported by this host yet; it has `static` and `env`
            conf/runtime-config.toml:14:8: variables_provider type `azure_key_vault` is not supported by this host yet; it has `static` and `env`
            conf/runtime-config.toml:15:1: llm_compute is not supported by this host yet
            conf/runtime-config.toml:17:1: outbound_http is not supported by this host yet"#]],
    );
}

#[test]
fn a_redis_has_an_address_that_nobody_sees() {
    let text = "[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://me:secret@cache:6379/1\"";
    let config = RuntimeConfig::parse(text, Path::new("conf/runtime-config.toml")).unwrap();
    let store = &config.key_value_stores["default"];
    let url = "redis://me:secret@cache:6379/1".to_owned();
    assert_eq!(*store, KeyValueStore::Redis(RedisUrl(url)));
    assert_eq!(format!("{store:?}"), "Redis(RedisUrl(\"cache:6379/1\"))");
    check(
        "[key_value_store.a]\ntype = \"redis\"",
        expect!["conf/runtime-config.toml:2:8: missing key `url` of this key_value_store"],
    );
    check(
        "[key_value_store.a]\ntype = \"redis\"\nurl = \"http://me:secret@x\"",
        expect!["conf/runtime-config.toml:3:7: url must begin with redis:// or rediss://"],
    );
}

#[test]
fn postgres_gets_as_many_connections_as_it_bears() {
    let read = |text: &str| RuntimeConfig::parse(text, Path::new("conf/runtime-config.toml")).unwrap();
    assert_eq!(read("").postgres_connections, None);
    assert_eq!(read("[outbound_pg]").postgres_connections, None);
    assert_eq!(
        read("[outbound_pg]\nmax_connections = 40").postgres_connections,
        Some(40)
    );
    check(
        "[outbound_pg]\nmax_connections = 0",
        expect!["conf/runtime-config.toml:2:19: max_connections is 0: no component could open a database"],
    );
    check(
        "[outbound_pg]\nconnections = 1",
        expect!["conf/runtime-config.toml:2:1: unknown key `connections`, expected `max_connections`"],
    );
}
