//! What keeps an application from starting, and what it remembers when it starts again.

use crate::support::{component, guest, load, options, probe, start};
use expect_test::{Expect, expect};
use host::Options;
use manifest::{CliVariables, Manifest};

async fn check_refused(tables: &str, expected: Expect) {
    let (app, dir) = load(tables, options()).await;
    let Err(error) = app else { panic!("it loaded") };
    let text = format!("{:#}", anyhow::Error::from(error));
    expected.assert_eq(&text.replace(&dir.path().display().to_string(), "DIR"));
}

fn redis_trigger(address: &str, component: &str) -> String {
    format!("[[trigger.redis]]\nchannel = \"c\"\naddress = {address:?}\ncomponent = {component:?}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_needs_the_export_that_its_trigger_calls() {
    let refused = async |trigger: &str| {
        let (app, _dir) = load(&format!("{}{trigger}", probe()), options()).await;
        let Err(error) = app else { panic!("it loaded") };
        error.to_string()
    };
    let cron = "[[trigger.cron]]\ncron_expression = \"0 * * * * *\"\ncomponent = \"probe\"\n";
    expect![
        "component `probe`: it has a cron trigger but exports no handle-cron-event (fermyon:spin-cron@2.0.0)"
    ]
    .assert_eq(&refused(cron).await);
    let redis = redis_trigger("local://bus", "probe");
    expect!["component `probe`: it has a Redis trigger but exports no fermyon:spin/inbound-redis"]
        .assert_eq(&refused(&redis).await);
    let nats = "[[trigger.nats]]\nsubject = \"a\"\naddress = \"nats://localhost\"\ncomponent = \"probe\"\n";
    expect!["component `probe`: it has a NATS trigger but exports no fermyon:spin/inbound-redis"]
        .assert_eq(&refused(nats).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_listens_at_a_place_that_makes_sense() {
    let check = async |trigger: &str, expected: Expect| {
        let variables = "[variables]\nplace = { default = \"somewhere\" }\n";
        check_refused(&format!("{variables}{}{trigger}", probe()), expected).await;
    };
    check(
        &redis_trigger("somewhere", "probe"),
        expect![
            "trigger `probe-redis-trigger`: an address of a broker begins with local://, redis:// or nats://"
        ],
    )
    .await;
    check(
        &redis_trigger("{{ place }}", "probe"),
        expect![
            "trigger `probe-redis-trigger`: an address of a broker begins with local://, redis:// or nats://"
        ],
    )
    .await;
    check(&redis_trigger("redis://:hush@", "probe"), expect!["trigger `probe-redis-trigger`: the address is not redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]"]).await;
    check(&redis_trigger("nats://localhost?colour=red", "probe"), expect![[r#"trigger `probe-redis-trigger`: the parameter "colour" of the address is not known: there are queue, stream, durable, max_deliver and ack_wait_ms"#]]).await;
    let nats = |more: &str| format!("[[trigger.nats]]\ncomponent = \"probe\"\n{more}\n");
    check(
        &nats("address = \"redis://localhost\"\nsubject = \"a\""),
        expect!["trigger `probe-nats-trigger`: the address of a NATS trigger begins with nats://"],
    )
    .await;
    check(
        &nats("address = \"nats://localhost\"\nsubject = \"a..b\""),
        expect![[r#"trigger `probe-nats-trigger`: "a..b" cannot be a channel of nats://localhost:4222: a subject is one or more words with a dot between"#]],
    )
    .await;
    check(
        &nats("address = \"nats://localhost\"\nsubject = \"a\"\ndurable = \"d\""),
        expect![[r#"trigger `probe-nats-trigger`: the parameter "durable" of the address needs a stream"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_components_that_are_asked_for_are_loaded() {
    let tables = format!(
        "{}[[trigger.cron]]\ncron_expression = \"0 * * * * *\"\ncomponent = \"ticker\"\n{}",
        probe(),
        redis_trigger("local://bus", "ticker")
    );
    let tables = format!("{tables}[component.ticker]\nsource = {:?}\n", guest("ticker"));
    let only = |component: &str| Options {
        only: vec![component.to_owned()],
        ..options()
    };
    let (app, _dir) = load(&tables, only("probe")).await;
    let app = app.unwrap_or_else(|error| panic!("{error}"));
    assert!(app.schedules().is_empty() && app.channels().is_empty());
    let (app, _dir) = load(&tables, only("ticker")).await;
    let app = app.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(app.schedules(), [("ticker".to_owned(), "0 * * * * *".to_owned())]);
    let (app, _dir) = load(&tables, only("nobody")).await;
    let Err(error) = app else { panic!("it loaded") };
    assert_eq!(error.to_string(), "there is no component `nobody` with a trigger");
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let text = "spin_manifest_version = 2\n[application]\nname = \"test\"\ncolour = \"red\"\n";
    let error = Manifest::parse(text, "spin.toml".as_ref()).expect_err("an unknown key");
    let text = error.to_string();
    assert!(text.starts_with("spin.toml:4:"), "{text}");
    assert!(text.contains("colour"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_variable_must_have_a_value() {
    let tables = format!(
        "[variables]\nsecret = {{ required = true, secret = true }}\n{}",
        probe()
    );
    check_refused(&tables, expect![[r#"
        these required variables have no value:
          secret
        give each one as `--variable secret=VALUE`, as a line `secret = "VALUE"` of a file named with `--variable @FILE.toml`, in the environment as SPIN_VARIABLE_SECRET, or in a [[variables_provider]] of the runtime config"#]]).await;
    let given = Options {
        variables: CliVariables::parse(&["secret=x"]).expect("an argument"),
        ..options()
    };
    assert!(load(&tables, given).await.0.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_missing_or_no_component_is_named() {
    let missing =
        "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n[component.a]\nsource = \"none.wasm\"\n";
    check_refused(
        missing,
        expect!["component `a`: cannot read DIR/none.wasm: No such file or directory (os error 2)"],
    )
    .await;
    let nonsense = missing.replace("none.wasm", "spin.toml");
    let (app, _dir) = load(&nonsense, options()).await;
    let Err(error) = app else { panic!("it loaded") };
    assert_eq!(error.to_string(), "component `a`: it does not compile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_without_http_cannot_have_an_http_trigger() {
    let (app, _dir) = load(&component("tool", "tool", "\"/\"", ""), options()).await;
    let Err(error) = app else { panic!("it loaded") };
    assert!(
        error
            .to_string()
            .contains("exports no wasi:http/incoming-handler"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_is_there_after_a_restart() {
    let state = tempfile::tempdir().expect("a folder");
    let kept = || Options {
        state_dir: Some(state.path().to_owned()),
        ..options()
    };
    let mut first = start(&probe(), kept()).await;
    assert_eq!(first.get("/probe/tx-commit").await.body, "Ok(())");
    first.stop();
    let app = first.app.clone();
    assert!(first.drained().await);
    app.close().await;
    drop(app);
    assert!(state.path().join("default.db").exists());
    let second = start(&probe(), kept()).await;
    assert_eq!(second.get("/probe/tx-count").await.body, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_and_values_can_be_given_at_the_start() {
    let given = Options {
        sqlite: vec![
            "create table note (text text not null)".to_owned(),
            "insert into note values ('a'), ('b')".to_owned(),
        ],
        key_values: vec![("a".to_owned(), "1".to_owned())],
        ..options()
    };
    let server = start(&probe(), given).await;
    assert_eq!(server.get("/probe/tx-count").await.body, "2");
    assert_eq!(server.get("/probe/kv-get?key=a").await.body, "Ok(Some(\"1\"))");
}
