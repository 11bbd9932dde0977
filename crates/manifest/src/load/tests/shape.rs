//! Complaints about keys and values that do not fit, as their reader sees them.

use super::*;
use expect_test::expect;

#[test]
fn only_version_2_is_read() {
    check_whole(
        "spin_version = \"1\"\nname = \"old\"",
        expect!["shop/spin.toml:1:1: missing key `spin_manifest_version`, which must be 2"],
    );
    check_whole(
        "spin_manifest_version = \"1\"\nname = \"old\"",
        expect!["shop/spin.toml:1:25: this host reads manifests with `spin_manifest_version = 2` only"],
    );
    check_whole(
        "# 한글\nspin_manifest_version = 3",
        expect!["shop/spin.toml:2:25: this host reads manifests with `spin_manifest_version = 2` only"],
    );
}

#[test]
fn broken_toml_names_its_place() {
    check(
        "[component.a\nsource = 1",
        expect!["shop/spin.toml:4:13: unclosed table, expected `]`"],
    );
    check(
        "[variables]\na = { default = \"x }",
        expect!["shop/spin.toml:5:21: unclosed inline table, expected `}`"],
    );
    check("name = \"again\"", expect!["shop/spin.toml:4:1: duplicate key"]);
    check_whole(
        "spin_manifest_version = 2",
        expect!["shop/spin.toml:1:1: missing key `application`"],
    );
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    check_whole(
        &format!("colour = 1\n{HEAD}"),
        expect![
            "shop/spin.toml:1:1: unknown key `colour`, expected one of `spin_manifest_version`, `application`, `variables`, `trigger`, `component`"
        ],
    );
    check(
        "colour = 1",
        expect![
            "shop/spin.toml:4:1: unknown key `colour`, expected one of `name`, `version`, `description`, `authors`, `targets`, `trigger`, `tool`"
        ],
    );
    check(
        "[application.trigger.http]\nbasis = \"/\"",
        expect!["shop/spin.toml:5:1: unknown key `basis`, expected `base`"],
    );
    check(
        "[application.trigger.sqs]\nx = 1",
        expect!["shop/spin.toml:4:22: unknown key `sqs`, expected one of `http`, `redis`, `nats`, `cron`"],
    );
    check(
        "[application.tool.bodega]\nmemory_limit = 1",
        expect![
            "shop/spin.toml:5:1: unknown key `memory_limit`, expected one of `metrics`, `memory_limit_bytes`, `request_timeout_ms`, `max_concurrent_requests`, `max_waiting_requests`, `body_limit_bytes`, `header_limit_bytes`"
        ],
    );
    check(
        "[variables]\n가 = 1\na = { defualt = \"x\" }",
        expect!["shop/spin.toml:5:1: invalid unquoted key, expected letters, numbers, `-`, `_`"],
    );
    check(
        "[variables]\na = { default = \"x\", secrets = true }",
        expect![
            "shop/spin.toml:5:22: unknown key `secrets`, expected one of `description`, `default`, `required`, `secret`"
        ],
    );
    check(
        "[[trigger.sqs]]\nqueue = \"x\"",
        expect!["shop/spin.toml:4:11: unknown key `sqs`, expected one of `http`, `redis`, `cron`, `nats`"],
    );
    check(
        "[[trigger.http]]\nroute = { private = true, public = false }\ncomponent = \"a\"",
        expect!["shop/spin.toml:5:27: unknown key `public`, expected `private`"],
    );
    check(
        "[[trigger.http]]\nroute = \"/\"\ncomponent = { sauce = \"x\" }",
        expect![
            "shop/spin.toml:6:15: unknown key `sauce`, expected one of `source`, `description`, `variables`, `environment`, `files`, `exclude_files`, `allowed_http_hosts`, `allowed_outbound_hosts`, `key_value_stores`, `sqlite_databases`, `ai_models`, `targets`, `build`, `tool`, `dependencies_inherit_configuration`, `dependencies`, `profile`"
        ],
    );
    check(
        "[[trigger.redis]]\nchanel = \"x\"",
        expect![
            "shop/spin.toml:5:1: unknown key `chanel`, expected one of `id`, `component`, `channel`, `address`"
        ],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\nsqlite_database = [\"x\"]",
        expect![
            "shop/spin.toml:6:1: unknown key `sqlite_database`, expected one of `source`, `description`, `variables`, `environment`, `files`, `exclude_files`, `allowed_http_hosts`, `allowed_outbound_hosts`, `key_value_stores`, `sqlite_databases`, `ai_models`, `targets`, `build`, `tool`, `dependencies_inherit_configuration`, `dependencies`, `profile`"
        ],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\ntool = { bodega = { requests = 2 }, other = { x = 1 } }",
        expect!["shop/spin.toml:6:21: unknown key `requests`, expected `requests_per_instance`"],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\ntool = { bodega = { requests_per_instance = 0 } }",
        expect!["shop/spin.toml:6:45: invalid value: integer `0`, expected a nonzero u32"],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\nbuild = { command = \"x\", dir = \"y\" }",
        expect!["shop/spin.toml:6:26: unknown key `dir`, expected one of `command`, `workdir`, `watch`"],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\nfiles = [{ source = \"x\", target = \"/\" }]",
        expect!["shop/spin.toml:6:26: unknown key `target`, expected `source` or `destination`"],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\n[component.a.dependencies]\n\"a:b\" = { path = \"x\", inherit = true }",
        expect![
            "shop/spin.toml:7:23: unknown key `inherit`, expected one of `path`, `component`, `export`, `inherit_configuration`, `version`, `registry`, `package`, `url`, `digest`"
        ],
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_place() {
    check(
        "[component.a]\nsource = 7",
        expect!["shop/spin.toml:5:10: invalid type: integer `7`, expected a string or a table"],
    );
    check(
        "[component.a]\ndescription = \"x\"",
        expect!["shop/spin.toml:4:1: missing key `source`"],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\nbuild = { command = 7 }",
        expect!["shop/spin.toml:6:21: invalid type: integer `7`, expected a string or a list of strings"],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\nkey_value_stores = [1]",
        expect!["shop/spin.toml:6:21: invalid type: integer `1`, expected a string"],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\n[component.a.dependencies]\nx = { path = \"x\", inherit_configuration = \"all\" }",
        expect![[
            r#"shop/spin.toml:7:43: invalid type: string "all", expected true, false or a list of strings"#
        ]],
    );
    check(
        "[application.tool.bodega]\nmemory_limit_bytes = -1\nbody_limit_bytes = 0",
        expect!["shop/spin.toml:5:22: invalid value: integer `-1`, expected a whole number from 0 on"],
    );
    check(
        "[application.tool.bodega]\nbody_limit_bytes = 0",
        expect![
            "shop/spin.toml:5:20: a limit of 0 would let nothing through; leave the key out for the default"
        ],
    );
}
