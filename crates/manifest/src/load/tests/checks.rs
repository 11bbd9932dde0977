//! Complaints about what fits but makes no sense, as their reader sees them.

use super::*;
use expect_test::expect;

#[test]
fn what_this_host_refuses_says_so() {
    check(
        "[component.a]\nsource = { url = \"https://x/a.wasm\", digest = \"sha256:0\" }",
        expect![
            "shop/spin.toml:5:10: source of component `a`: this host fetches nothing; download the file and write its path here"
        ],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\nai_models = [\"llama2-chat\"]",
        expect!["shop/spin.toml:6:14: ai_models: `llama2-chat`: AI models are not supported by this host"],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\nallowed_http_hosts = []",
        expect!["shop/spin.toml:6:22: allowed_http_hosts is an old form: write allowed_outbound_hosts"],
    );
    check(
        "[[trigger.http]]\nroute = \"/\"\nexecutor = { type = \"wagi\", argv = \"x\" }\ncomponent = { source = \"a.wasm\" }",
        expect![
            "shop/spin.toml:6:21: the wagi executor is not supported by this host; export wasi:http instead"
        ],
    );
    check(
        "[[trigger.http]]\nroute = \"/\"\nexecutor = { type = \"cgi\" }\ncomponent = { source = \"a.wasm\" }",
        expect![[
            r#"shop/spin.toml:6:21: unknown executor `cgi`; leave it out, or write `{ type = "spin" }`"#
        ]],
    );
    check(
        "[[trigger.http]]\nroute = \"/\"\nstatic_response = { body = \"x\" }",
        expect!["shop/spin.toml:6:19: trigger.http: static_response is not supported by this host yet"],
    );
    check(
        "[[trigger.http]]\nroute = \"/\"",
        expect!["shop/spin.toml:5:9: this trigger names no component"],
    );
}

#[test]
fn dependencies_are_checked() {
    let check = |lines: &str, expected: Expect| {
        check(
            &format!(
                "[component.b]\nsource = \"b.wasm\"\nfiles = [\"x\"]\n[component.a]\nsource = \"a.wasm\"\n\
                 [component.a.dependencies]\n{lines}"
            ),
            expected,
        );
    };
    check(
        "\"shop:stock\" = \">= 0.1.0\"",
        expect![[
            r#"shop/spin.toml:10:16: dependency `shop:stock`: this host fetches nothing; write `{ path = "FILE.wasm" }`"#
        ]],
    );
    check(
        "\"shop:stock\" = { url = \"https://x\", digest = \"sha256:0\" }",
        expect![[
            r#"shop/spin.toml:10:16: dependency `shop:stock`: this host fetches nothing; write `{ path = "FILE.wasm" }`"#
        ]],
    );
    check(
        "\"shop:stock\" = { component = \"b\" }",
        expect![
            "shop/spin.toml:10:16: dependency `shop:stock`: component `b` has files of its own, which a dependency never gets; name its file with `path` instead"
        ],
    );
    check(
        "\"shop:stock\" = { component = \"c\" }",
        expect!["shop/spin.toml:10:16: dependency `shop:stock`: component `c` does not exist"],
    );
    check(
        "\"shop:stock\" = { path = \"x\", component = \"b\" }",
        expect!["shop/spin.toml:10:16: dependency `shop:stock`: has both `path` and `component`; keep one"],
    );
    check(
        "\"shop:stock\" = { path = \"x\", export = \"y\" }",
        expect![
            "shop/spin.toml:10:16: dependency `shop:stock` stands for a whole package, so it can't name one export"
        ],
    );
    check(
        "\"shop\" = { path = \"x\" }\n\"shop/stock\" = { path = \"x\" }",
        expect!["shop/spin.toml:11:1: dependency `shop/stock`: a package is written `namespace:name`"],
    );
    check(
        "\"shop:stock\" = { path = \"x\" }\n\"shop:stock/stock@0.1.0\" = { path = \"x\" }",
        expect!["shop/spin.toml:11:1: dependency `shop:stock/stock@0.1.0` overlaps with `shop:stock`"],
    );
    check(
        "x = { path = \"x\", inherit_configuration = [\"sqlite_databases\", \"sqlite_database\", \"env\"] }",
        expect![[r#"
            shop/spin.toml:10:64: inherit_configuration: unknown capability `sqlite_database`; known are ai_models, allowed_outbound_hosts, environment, files, key_value_stores, sqlite_databases, variables
            shop/spin.toml:10:83: inherit_configuration: unknown capability `env`; known are ai_models, allowed_outbound_hosts, environment, files, key_value_stores, sqlite_databases, variables"#]],
    );
}

#[test]
fn all_dependencies_inherit_together_or_each_on_its_own() {
    let body = |whole: &str, own: &str| {
        format!(
            "[component.a]\nsource = \"a.wasm\"\n{whole}\n[component.a.dependencies]\nx = {{ path = \"x\"{own} }}"
        )
    };
    let inherit = |whole: &str| {
        read(&body(whole, "")).components["a"].dependencies[0]
            .inherit
            .clone()
    };
    assert_eq!(inherit(""), Inherit::Nothing);
    assert_eq!(
        inherit("dependencies_inherit_configuration = false"),
        Inherit::Nothing
    );
    assert_eq!(inherit("dependencies_inherit_configuration = true"), Inherit::All);
    check(
        &body(
            "dependencies_inherit_configuration = true",
            ", inherit_configuration = false",
        ),
        expect![
            "shop/spin.toml:6:38: component `a` has dependencies_inherit_configuration and a dependency with its own inherit_configuration; use one or the other"
        ],
    );
}

#[test]
fn triggers_and_routes_are_checked() {
    check(
        r#"[[trigger.http]]
route = "/orders/:id"
component = "order"
[[trigger.http]]
route = "/orders/:order/"
component = "order"
[[trigger.http]]
route = "/a/*/b"
component = "odrer"
[[trigger.http]]
route = { private = false }
component = "order"
[[trigger.redis]]
channel = "x"
component = "order"
[component.order]
source = "order.wasm"
"#,
        expect![[r#"
            shop/spin.toml:8:9: route `/orders/:order/` matches the same paths as `/orders/:id` on line 5
            shop/spin.toml:11:9: route `/a/*/b`: `*` is only possible at the end
            shop/spin.toml:12:13: component `odrer` does not exist: there is no [component.odrer]
            shop/spin.toml:14:9: route is a pattern or `{ private = true }`
            shop/spin.toml:17:11: this trigger needs an address, here or in [application.trigger.redis]"#]],
    );
}

#[test]
fn what_starts_a_component_without_a_request_is_checked() {
    check(
        r#"[application.trigger.redis]
address = "redis://{{ nowhere }}"
[[trigger.cron]]
cron_expression = "* * * * *"
component = "job"
[[trigger.cron]]
cron_expression = "0 0 25 * * *"
component = "jbo"
[[trigger.nats]]
subject = "x"
component = "job"
max_deliver = 0
[[trigger.redis]]
channel = "x"
component = "chain"
[[trigger.cron]]
cron_expression = "0 0 1 * * *"
component = { source = "x.wasm", allowed_outbound_hosts = ["http://*.spin.internal"] }
[component.job]
source = "job.wasm"
allowed_outbound_hosts = ["local://bus", "nats://localhost", "redis://localhost:6379", "*://*:*"]
[component.chain]
source = "chain.wasm"
allowed_outbound_hosts = ["http://stock.spin.internal"]
"#,
        expect![[r#"
            shop/spin.toml:5:11: `redis://{{ nowhere }}`: variable `nowhere` is not defined in [variables]
            shop/spin.toml:7:19: cron_expression `* * * * *`: 5 fields, but it needs six: second, minute, hour, day of month, month, day of week; a year may follow
            shop/spin.toml:10:19: cron_expression `0 0 25 * * *`: number out of bounds
            shop/spin.toml:11:13: component `jbo` does not exist: there is no [component.jbo]
            shop/spin.toml:13:11: this trigger needs an address, here or in [application.trigger.nats]
            shop/spin.toml:15:15: a limit of 0 would let nothing through; leave the key out for the default
            shop/spin.toml:18:13: this component may send requests to `http://stock.spin.internal`, which Spin refuses to components with a redis trigger
            shop/spin.toml:21:13: this component may send requests to `http://*.spin.internal`, which Spin refuses to components with a cron trigger"#]],
    );
}

#[test]
fn names_and_templates_are_checked_all_at_once() {
    check(
        r#"[variables]
apiKey = { required = true }
both = { required = true, default = "x" }
neither = { secret = true }
[component.my_shop]
source = "shop.wasm"
variables = { Log = "{{ level }}", open = "{{ both" }
allowed_outbound_hosts = ["https://{{ host }}", "example.com", "https://ok.example.com"]
sqlite_databases = ["my db", "fine"]
key_value_stores = ["1st"]
files = [{ source = "x", destination = "pages" }]
"#,
        expect![[r#"
            shop/spin.toml:5:1: variable `apiKey`: `apiKey` has capitals, only lower case is allowed
            shop/spin.toml:6:1: variable `both` has both `required = true` and a default; keep one
            shop/spin.toml:7:1: variable `neither` needs either `required = true` or a default
            shop/spin.toml:8:12: component `my_shop`: only letters a-z, digits and `-` are allowed, not `_`
            shop/spin.toml:10:15: variable `Log`: `Log` has capitals, only lower case is allowed
            shop/spin.toml:10:21: `{{ level }}`: variable `level` is not defined in [variables]
            shop/spin.toml:10:43: `{{ both`: `{{` without its `}}`
            shop/spin.toml:11:27: `https://{{ host }}`: variable `host` is not defined in [variables]
            shop/spin.toml:11:49: allowed_outbound_hosts: `example.com`: it must be SCHEME://HOST or SCHEME://HOST:PORT, each of which may be `*`
            shop/spin.toml:12:21: sqlite_databases: `my db`: only letters a-z, digits and `-` are allowed, not ` `
            shop/spin.toml:13:21: key_value_stores: `1st`: each word starts with a letter a-z, but one starts with `1`
            shop/spin.toml:14:10: destination `pages` must start with `/`"#]],
    );
    check_whole(
        "spin_manifest_version = 2\n[application]\nname = \" \"",
        expect!["shop/spin.toml:3:8: the application needs a name"],
    );
}
