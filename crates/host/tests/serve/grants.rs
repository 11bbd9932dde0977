//! A component gets what the manifest grants and is refused the rest in Spin's words.

use crate::support::{component, options, probe, start};
use expect_test::{Expect, expect};
use std::fmt::Write;

async fn check(tables: &str, actions: &[&str], expected: Expect) {
    let server = start(tables, options()).await;
    let mut table = String::new();
    for action in actions {
        let answer = server.get(&format!("/probe/{action}")).await;
        writeln!(table, "{action}: {}", answer.body).expect("a string");
    }
    expected.assert_eq(&table);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_refused() {
    let actions = [
        "sqlite-open?label=default",
        "sqlite-old?label=default",
        "kv-open?label=default",
        "fetch?url=http://probe.spin.internal/hello",
        "fetch?url=http://127.0.0.1:1/",
        "fetch?url=/probe/headers",
        "variable?name=greeting",
        "variable?name=Not-A-Name",
        "config?name=greeting",
        "config-all",
        "env",
        "read?path=/data/file.txt",
    ];
    check(
        &component("probe", "probe", "\"/probe/...\"", ""),
        &actions,
        expect![[r#"
            sqlite-open?label=default: Err(Error::AccessDenied)
            sqlite-old?label=default: Err(Error::AccessDenied)
            kv-open?label=default: Err(Error::AccessDenied)
            fetch?url=http://probe.spin.internal/hello: Http(ErrorCode::HttpRequestDenied)
            fetch?url=http://127.0.0.1:1/: Http(ErrorCode::HttpRequestDenied)
            fetch?url=/probe/headers: Http(ErrorCode::HttpRequestDenied)
            variable?name=greeting: Err(Error::Undefined("no variable for \"probe\".\"greeting\""))
            variable?name=Not-A-Name: Err(Error::InvalidName("\"Not-A-Name\": words of a-z and 0-9, each starting with a letter, joined by single underscores"))
            config?name=greeting: Ok(None)
            config-all: Ok([])
            env: Ok([])
            read?path=/data/file.txt: Err(NotFound)
        "#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_works_and_no_other_label_does() {
    let grants = "sqlite_databases = [\"default\"]\nkey_value_stores = [\"default\"]\n\
                  variables = { greeting = \"{{ word }} there\" }\nenvironment = { WHO = \"probe\" }\n";
    let tables = format!(
        "[variables]\nword = {{ default = \"hi\" }}\n{}",
        component("probe", "probe", "\"/probe/...\"", grants)
    );
    let actions = [
        "sqlite-open?label=default",
        "sqlite-open?label=other",
        "sqlite-old?label=default",
        "sqlite-row",
        "kv-open?label=default",
        "kv-open?label=other",
        "kv-set?key=a&value=b",
        "kv-get?key=a",
        "kv-get?key=none",
        "kv-atomics",
        "variable?name=greeting",
        "variable?name=word",
        "config?name=greeting",
        "config-all",
        "env",
    ];
    check(&tables, &actions, expect![[r#"
        sqlite-open?label=default: Ok(())
        sqlite-open?label=other: Err(Error::AccessDenied)
        sqlite-old?label=default: Ok(())
        sqlite-row: 2 ["i", "r", "t", "b", "n"] [Value::Integer(1), Value::Real(1.5), Value::Text("text"), Value::Blob([0, 255]), Value::Null]
        kv-open?label=default: Ok(())
        kv-open?label=other: Err(Error::AccessDenied)
        kv-set?key=a&value=b: Ok(())
        kv-get?key=a: Ok(Some("b"))
        kv-get?key=none: Ok(None)
        kv-atomics: Ok(2) Ok(5) spoilt=true Ok(6) Ok(Some("no counter")) retried=true Ok([Some("won"), None])
        variable?name=greeting: Ok("hi there")
        variable?name=word: Err(Error::Undefined("no variable for \"probe\".\"word\""))
        config?name=greeting: Ok(Some("hi there"))
        config-all: Ok([("greeting", "hi there")])
        env: Ok([("WHO", "probe")])
    "#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_can_be_read_and_not_written() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("file.txt"), "content").expect("a file");
    let source = dir.path();
    let grants = format!("files = [{{ source = {source:?}, destination = \"/data\" }}]");
    check(
        &component("probe", "probe", "\"/probe/...\"", &grants),
        &[
            "read?path=/data/file.txt",
            "read?path=/data/none.txt",
            "read?path=/data/../../etc/passwd",
            "write?path=/data/file.txt",
        ],
        expect![[r#"
            read?path=/data/file.txt: Ok("content")
            read?path=/data/none.txt: Err(NotFound)
            read?path=/data/../../etc/passwd: Err(PermissionDenied)
            write?path=/data/file.txt: Err(PermissionDenied)
        "#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_components_with_one_label_share_the_store() {
    let other = component(
        "other",
        "probe",
        "\"/other/...\"",
        "key_value_stores = [\"default\"]",
    );
    let server = start(&format!("{}{other}", probe()), options()).await;
    server.get("/probe/kv-set?key=a&value=b").await;
    assert_eq!(server.get("/other/kv-get?key=a").await.body, "Ok(Some(\"b\"))");
}
