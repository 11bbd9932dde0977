//! Who is asked in which order, and what is said when nobody answers.

use super::*;
use expect_test::{Expect, expect};
use std::fs;
use std::path::Path;

fn manifest() -> Manifest {
    let text = r#"
spin_manifest_version = 2
[application]
name = "shop"
[variables]
jwt_keys = { required = true, secret = true, description = "sign access tokens" }
identity_key = { required = true }
level = { default = "info" }
[component.shop]
source = "shop.wasm"
variables = { keys = "<{{ jwt_keys }}>", log = "{{ level }}" }
[component.idle]
source = "idle.wasm"
"#;
    Manifest::parse(text, Path::new("spin.toml")).expect("a manifest")
}

fn resolve(
    arguments: &[&str],
    providers: &[VariablesProvider],
    environment: &[(&str, &str)],
) -> Result<Resolver, VariablesError> {
    let cli = CliVariables::parse(arguments)?;
    let environment = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Resolver::new(&manifest(), &cli, providers, &environment)
}

/// `Resolver` has no `Debug`, so this stands in for `expect_err`.
fn error(result: Result<Resolver, VariablesError>) -> String {
    result.err().map(|error| error.to_string()).expect("an error")
}

fn level(arguments: &[&str], providers: &[VariablesProvider], environment: &[(&str, &str)]) -> String {
    let keys = ["jwt_keys=k", "identity_key=i"];
    let resolver = resolve(&[&keys[..], arguments].concat(), providers, environment);
    resolver
        .unwrap_or_else(|error| panic!("{error}"))
        .component("shop")["log"]
        .clone()
}

fn fixed(value: &str) -> VariablesProvider {
    VariablesProvider::Static {
        values: BTreeMap::from([("level".to_owned(), value.to_owned())]),
    }
}

fn env(prefix: &str) -> VariablesProvider {
    VariablesProvider::Env {
        prefix: Some(prefix.to_owned()),
        dotenv_path: None,
    }
}

#[test]
fn the_first_who_knows_is_believed() {
    let environment = [("SPIN_VARIABLE_LEVEL", "environment"), ("SHOP_LEVEL", "own")];
    let providers = [fixed("first"), fixed("second"), env("SHOP")];
    assert_eq!(level(&["level=cli"], &providers, &environment), "cli");
    assert_eq!(level(&[], &providers, &environment), "first");
    assert_eq!(level(&[], &providers[1..], &environment), "second");
    assert_eq!(level(&[], &providers[2..], &environment), "own");
    assert_eq!(level(&[], &[], &environment), "environment");
    assert_eq!(level(&[], &[], &[]), "info");
}

#[test]
fn the_last_argument_wins_and_may_be_empty() {
    assert_eq!(level(&["level=a", "level=b=c"], &[], &[]), "b=c");
    assert_eq!(level(&["level="], &[fixed("x")], &[]), "");
}

#[test]
fn each_component_has_its_own_values_only() {
    let Ok(resolver) = resolve(&["jwt_keys=k", "identity_key=i"], &[], &[]) else {
        panic!("values")
    };
    let shop: Vec<_> = resolver
        .component("shop")
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(shop, ["keys=<k>", "log=info"]);
    assert!(resolver.component("idle").is_empty() && resolver.component("ghost").is_empty());
    let template = Template::parse("redis://{{ level }}").expect("a template");
    assert_eq!(resolver.expand(&template).expect("a value"), "redis://info");
}

#[test]
fn all_that_is_missing_is_listed_with_where_to_put_it() {
    expect![[r#"
        these required variables have no value:
          identity_key
          jwt_keys  sign access tokens
        give each one as `--variable identity_key=VALUE`, as a line `identity_key = "VALUE"` of a file named with `--variable @FILE.toml`, in the environment as SPIN_VARIABLE_IDENTITY_KEY, or in a [[variables_provider]] of the runtime config"#]].assert_eq(&error(resolve(&[], &[], &[])));
    expect![[r#"
        these required variables have no value:
          identity_key
        give each one as `--variable identity_key=VALUE`, as a line `identity_key = "VALUE"` of a file named with `--variable @FILE.toml`, in the environment as SPIN_VARIABLE_IDENTITY_KEY, or in a [[variables_provider]] of the runtime config"#]].assert_eq(&error(resolve(&["jwt_keys=k"], &[], &[])));
}

#[test]
fn values_come_from_files() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).expect("a write");
        path.display().to_string()
    };
    let toml = file("secrets.toml", "level = \"from toml\"\nunused = \"x\"");
    let json = file("secrets.json", r#"{"level": "from json"}"#);
    let whole = file("level.txt", "from\ntext\n");
    assert_eq!(level(&[&format!("@{toml}")], &[], &[]), "from toml");
    assert_eq!(level(&[&format!("@{json}")], &[], &[]), "from json");
    assert_eq!(level(&[&format!("level=@{whole}")], &[], &[]), "from\ntext\n");
    let cli = CliVariables::parse(&[format!("@{toml}")]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(cli.unknown(&manifest()).collect::<Vec<_>>(), ["unused"]);
    let dotenv = file("shop.env", "# comment\nSPIN_VARIABLE_LEVEL=\"from dotenv\"\n");
    let dotenv = VariablesProvider::Env {
        prefix: None,
        dotenv_path: Some(dotenv.into()),
    };
    assert_eq!(level(&[], &[dotenv], &[]), "from dotenv");
    let absent = VariablesProvider::Env {
        prefix: None,
        dotenv_path: Some(dir.path().join("none")),
    };
    assert_eq!(level(&[], &[absent], &[]), "info");
}

#[test]
fn a_bad_source_is_named_and_its_content_is_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let check = |argument: &str, expected: Expect| {
        let argument = argument.replace("DIR", &dir.path().display().to_string());
        let text = error(resolve(&["level=x", &argument], &[], &[]));
        assert!(!text.contains("hush"), "{text}");
        expected.assert_eq(&text.replace(&dir.path().display().to_string(), "DIR"));
    };
    for (name, text) in [
        ("broken.toml", "a = \"x\"\nb = hush"),
        ("number.toml", "a = \"x\"\n\nhush = 7"),
        ("broken.json", "{\"a\":\n \"hush}"),
        ("plain.txt", "hush"),
        ("broken.env", "hush hush"),
    ] {
        fs::write(dir.path().join(name), text).expect("a write");
    }
    check(
        "hush",
        expect!["--variable number 2 must be NAME=VALUE, NAME=@FILE, @FILE.toml or @FILE.json"],
    );
    check(
        "@DIR/plain.txt",
        expect!["cannot take variables from DIR/plain.txt: its name must end in .toml or .json"],
    );
    check(
        "@DIR/none.toml",
        expect!["cannot take variables from DIR/none.toml: No such file or directory (os error 2)"],
    );
    check(
        "level=@DIR/none.txt",
        expect!["cannot take variables from DIR/none.txt: No such file or directory (os error 2)"],
    );
    check(
        "@DIR/broken.toml",
        expect![
            "cannot take variables from DIR/broken.toml: line 2 is not a name with a string as its value"
        ],
    );
    check(
        "@DIR/number.toml",
        expect![
            "cannot take variables from DIR/number.toml: line 3 is not a name with a string as its value"
        ],
    );
    check(
        "@DIR/broken.json",
        expect![
            "cannot take variables from DIR/broken.json: line 2 is not a name with a string as its value"
        ],
    );
    let dotenv = VariablesProvider::Env {
        prefix: None,
        dotenv_path: Some(dir.path().join("broken.env")),
    };
    let text = error(resolve(&[], &[dotenv], &[]));
    expect!["cannot take variables from DIR/broken.env: it is not in dotenv form, NAME=VALUE on each line"]
        .assert_eq(&text.replace(&dir.path().display().to_string(), "DIR"));
}
