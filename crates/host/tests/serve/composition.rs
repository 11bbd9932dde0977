//! Dependencies get what they inherit and nothing else.

use crate::support::{component, guest, load, options, start};
use expect_test::{Expect, expect};
use host::{Part, plug};
use std::fmt::Write;

/// The caller with the tool composed in; both would like everything.
fn tables(dependency: &str, inherit: &str) -> String {
    let path = guest(dependency);
    let grants = format!(
        "sqlite_databases = [\"default\"]\nkey_value_stores = [\"default\"]\n\
         allowed_outbound_hosts = [\"http://probe.spin.internal\", \"local://bus\"]\n\
         variables = {{ greeting = \"hello\" }}\nenvironment = {{ WHO = \"caller\" }}\n\
         [component.caller.dependencies]\n\
         \"test:tool/tool@0.1.0\" = {{ path = {path:?}{inherit} }}"
    );
    let caller = component("caller", "caller", "\"/...\"", &grants);
    let probe = component("probe", "hello", "{ private = true }", "");
    format!("{caller}{probe}")
}

async fn check(inherit: &str, expected: Expect) {
    let server = start(&tables("tool", inherit), options()).await;
    let mut table = String::new();
    for what in [
        "sqlite",
        "key-value",
        "variables",
        "outbound",
        "redis",
        "environment",
        "files",
    ] {
        let answer = server.get(&format!("/{what}")).await;
        writeln!(table, "{what}: {}", answer.body).expect("a string");
    }
    expected.assert_eq(&table);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_that_inherits_nothing_is_refused_everything() {
    check(
        "",
        expect![[r#"
            sqlite: Err(Error::AccessDenied)
            key-value: Err(Error::AccessDenied)
            variables: Err(Error::Undefined("greeting"))
            outbound: Err(Http(ErrorCode::InternalError(Some("\"wasi:http/outgoing-handler\" is not permitted"))))
            redis: Err(Error::Other("\"fermyon:spin/redis\" is not permitted"))
            environment: Ok([])
            files: Err(NotFound)
        "#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_gets_exactly_what_it_inherits() {
    check(
        ", inherit_configuration = [\"sqlite_databases\", \"environment\"]",
        expect![[r#"
            sqlite: Ok(())
            key-value: Err(Error::AccessDenied)
            variables: Err(Error::Undefined("greeting"))
            outbound: Err(Http(ErrorCode::InternalError(Some("\"wasi:http/outgoing-handler\" is not permitted"))))
            redis: Err(Error::Other("\"fermyon:spin/redis\" is not permitted"))
            environment: Ok([("WHO", "caller")])
            files: Err(NotFound)
        "#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_may_inherit_everything() {
    check(
        ", inherit_configuration = true",
        expect![[r#"
            sqlite: Ok(())
            key-value: Ok(())
            variables: Ok("hello")
            outbound: Ok(200)
            redis: Ok(())
            environment: Ok([("WHO", "caller")])
            files: Err(NotFound)
        "#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn atomics_without_their_store_keep_the_application_from_loading() {
    let (app, _dir) = load(&tables("probe", ""), options()).await;
    let Err(error) = app else { panic!("it loaded") };
    let text = format!("{:#}", anyhow::Error::from(error));
    expect!["component `caller`: dependency `test:tool/tool@0.1.0` imports `wasi:keyvalue/atomics@0.2.0-draft2`, which needs `key_value_stores` inherited"].assert_eq(&text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_nobody_imports_is_an_error() {
    let tables = tables("tool", "").replace("test:tool/tool@0.1.0", "test:tool/other@0.1.0");
    let (app, _dir) = load(&tables, options()).await;
    let Err(error) = app else { panic!("it loaded") };
    let text = format!("{:#}", anyhow::Error::from(error));
    assert!(
        text.contains("`test:tool/other@0.1.0` fits none of its imports"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_whose_import_nobody_satisfies_does_not_load() {
    let (app, _dir) = load(&component("caller", "caller", "\"/...\"", ""), options()).await;
    let Err(error) = app else { panic!("it loaded") };
    let text = format!("{:#}", anyhow::Error::from(error));
    assert!(
        text.contains("component `caller`") && text.contains("test:tool/tool"),
        "{text}"
    );
}

fn part(name: &str) -> Part {
    Part {
        name: name.to_owned(),
        bytes: std::fs::read(guest(name)).expect("a guest"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_plugged_in_beforehand_needs_no_dependency() {
    let composed = plug(&part("caller"), &[part("tool")]).expect("they fit");
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("whole.wasm");
    std::fs::write(&path, composed).expect("a file");
    let tables = format!(
        "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"whole\"\n[component.whole]\nsource = {path:?}\n"
    );
    let server = start(&tables, options()).await;
    assert_eq!(server.get("/nonsense").await.body, "cannot try nonsense");
}

#[test]
fn a_plug_that_satisfies_nothing_is_refused() {
    let Err(error) = plug(&part("caller"), &[part("tool"), part("hello")]) else {
        panic!("it was taken")
    };
    assert_eq!(error.to_string(), "`hello` satisfies no import of `caller`");
}
