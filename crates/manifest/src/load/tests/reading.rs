//! What a good manifest is read as.

use super::*;
use expect_test::expect;

#[test]
fn a_whole_manifest_is_read() {
    let manifest = read(
        r#"
version = "1.2.3"
description = "A shop"
authors = ["Min <min@example.com>"]
[application.trigger.http]
base = "/v1"
[application.tool.bodega]
request_timeout_ms = 5000
[application.tool.other]
anything = { goes = true }

[variables]
token = { required = true, secret = true, description = "signs" }
level = { default = "info" }
hidden = { default = "hush", secret = true }

[[trigger.http]]
route = "/..."
component = "gateway"
[[trigger.http]]
id = "own-id"
route = { private = true }
component = { source = "inline.wasm" }
executor = { type = "spin" }
[[trigger.redis]]
address = "redis://{{ level }}:6379"
channel = "orders"
component = "idle"
[[trigger.cron]]
cron_expression = "0 * * * * *"
component = "idle"
[[trigger.nats]]
address = "nats://{{ level }}:4222"
subject = "shop.>"
stream = "shop"
durable = "{{ level }}"
max_deliver = 5
ack_wait_ms = 1000
component = "idle"

[component.gateway]
source = "target/gateway.wasm"
description = "The door"
variables = { log = "{{ level }}!", plain = "x" }
environment = { TZ = "Asia/Seoul" }
files = ["assets/*", { source = "pages", destination = "/pages" }]
exclude_files = ["assets/*.psd"]
allowed_outbound_hosts = ["http://*.spin.internal", "https://{{ level }}.example.com"]
key_value_stores = ["default"]
sqlite_databases = ["orders_db"]
ai_models = []
tool = { x = { y = 1 }, bodega = { requests_per_instance = 1000 } }
[component.gateway.build]
command = ["one", "two"]
workdir = "gateway"
watch = ["src/**/*.rs"]
[component.gateway.dependencies]
"shop:stock/stock@0.1.0" = { path = "stock.wasm", inherit_configuration = ["sqlite_databases", "variables"] }
"shop:payment" = { path = "/opt/payment.wasm", inherit_configuration = true }
mail = { component = "idle", export = "smtp", inherit_configuration = false }

[component.idle]
source = "idle.wasm"
build = { command = "make" }
"#,
    );
    let mut lines = vec![format!("{:?}", manifest.application)];
    lines.extend(
        manifest
            .variables
            .iter()
            .map(|(name, variable)| format!("{name}: {variable:?}")),
    );
    lines.extend(
        manifest
            .components
            .values()
            .map(|component| format!("{component:?}")),
    );
    lines.extend(
        manifest
            .triggers
            .http
            .iter()
            .map(|trigger| format!("{trigger:?}")),
    );
    lines.extend(
        manifest
            .triggers
            .redis
            .iter()
            .map(|trigger| format!("{trigger:?}")),
    );
    lines.extend(
        manifest
            .triggers
            .cron
            .iter()
            .map(|trigger| format!("{trigger:?}")),
    );
    lines.extend(
        manifest
            .triggers
            .nats
            .iter()
            .map(|trigger| format!("{trigger:?}")),
    );
    expect![[r#"
        Application { name: "shop", version: "1.2.3", description: "A shop", authors: ["Min <min@example.com>"], http_base: "/v1", redis_address: None, nats_address: None, metrics: None, limits: Limits { memory_limit_bytes: None, request_timeout_ms: Some(5000), max_concurrent_requests: None, max_waiting_requests: None, body_limit_bytes: None, header_limit_bytes: None } }
        hidden: Variable { default: Some("(secret)"), secret: true }
        level: Variable { default: Some("info"), secret: false }
        token: Variable { default: None, secret: true }
        Component { id: "gateway", source: "shop/target/gateway.wasm", description: "The door", variables: {"log": `{{ level }}!`, "plain": `x`}, environment: {"TZ": "Asia/Seoul"}, files: [Pattern("assets/*"), Directory { source: "shop/pages", destination: "/pages" }], exclude_files: ["assets/*.psd"], allowed_outbound_hosts: [`http://*.spin.internal`, `https://{{ level }}.example.com`], key_value_stores: ["default"], sqlite_databases: ["orders_db"], build: Some(Build { commands: ["one", "two"], workdir: "shop/gateway", watch: ["src/**/*.rs"] }), dependencies: [Dependency { name: Plain("mail"), path: "shop/idle.wasm", export: Some("smtp"), inherit: Nothing }, Dependency { name: Package { package: "shop:payment", interface: None, version: None }, path: "/opt/payment.wasm", export: None, inherit: All }, Dependency { name: Package { package: "shop:stock", interface: Some("stock"), version: Some("0.1.0") }, path: "shop/stock.wasm", export: None, inherit: Only({SqliteDatabases, Variables}) }], requests_per_instance: 1000 }
        Component { id: "idle", source: "shop/idle.wasm", description: "", variables: {}, environment: {}, files: [], exclude_files: [], allowed_outbound_hosts: [], key_value_stores: [], sqlite_databases: [], build: Some(Build { commands: ["make"], workdir: "shop", watch: [] }), dependencies: [], requests_per_instance: 1 }
        Component { id: "own-id-component", source: "shop/inline.wasm", description: "", variables: {}, environment: {}, files: [], exclude_files: [], allowed_outbound_hosts: [], key_value_stores: [], sqlite_databases: [], build: None, dependencies: [], requests_per_instance: 1 }
        HttpTrigger { id: "gateway-http-trigger", component: "gateway", route: Path("/...") }
        HttpTrigger { id: "own-id", component: "own-id-component", route: Private }
        RedisTrigger { id: "idle-redis-trigger", component: "idle", channel: `orders`, address: Some(`redis://{{ level }}:6379`) }
        CronTrigger { id: "idle-cron-trigger", component: "idle", schedule: "0 * * * * *" }
        NatsTrigger { id: "idle-nats-trigger", component: "idle", subject: `shop.>`, address: Some(`nats://{{ level }}:4222`), queue: None, stream: Some(`shop`), durable: Some(`{{ level }}`), max_deliver: Some(5), ack_wait_ms: Some(1000) }"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn a_secret_default_is_not_shown() {
    let manifest = read("[variables]\nhidden = { default = \"hush\", secret = true }");
    assert!(!format!("{manifest:?}").contains("hush"));
}

#[test]
fn paths_start_at_the_folder_of_the_manifest() {
    let text = format!("{HEAD}[component.a]\nsource = \"a.wasm\"");
    let source = |path: &str| {
        Manifest::parse(&text, Path::new(path))
            .expect("a manifest")
            .components["a"]
            .source
            .display()
            .to_string()
    };
    assert_eq!(source("spin.toml"), "./a.wasm");
    assert_eq!(source("/srv/shop/spin.toml"), "/srv/shop/a.wasm");
}

#[test]
fn a_file_is_read_or_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("spin.toml");
    let error = Manifest::load(&path).expect_err("nothing there");
    assert_eq!(error.to_string(), format!("cannot read {}", path.display()));
    std::fs::write(&path, HEAD).expect("a write");
    assert_eq!(Manifest::load(&path).expect("a manifest").dir, dir.path());
}

#[test]
fn names_are_made_up_as_spin_makes_them_up() {
    let manifest = read(
        r#"
[[trigger.http]]
route = "/a"
component = "a"
[[trigger.http]]
route = "/b"
component = "a"
[[trigger.http]]
route = "/c"
component = { source = "c.wasm" }
[[trigger.http]]
id = "Not Kebab"
route = "/d"
component = { source = "d.wasm" }
[component.a]
source = "a.wasm"
"#,
    );
    let names: Vec<_> = manifest
        .triggers
        .http
        .iter()
        .map(|trigger| format!("{} -> {}", trigger.id, trigger.component))
        .collect();
    expect![[r#"
        a-http-trigger -> a
        http-trigger1 -> a
        http-trigger2 -> http-trigger2-component
        Not Kebab -> inline-component1"#]]
    .assert_eq(&names.join("\n"));
    assert!(
        manifest
            .triggers
            .http
            .iter()
            .all(|trigger| manifest.components.contains_key(&trigger.component))
    );
}
