//! Spin's syntax, as tables.

use super::*;
use crate::CliVariables;
use expect_test::{Expect, expect};
use std::path::Path;

fn hosts(entries: &[&str], values: &[&str]) -> Result<AllowedHosts, AllowedHostsError> {
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"x\"\n\
         [variables]\nhost = {{ default = \"\" }}\nport = {{ default = \"80\" }}\n\
         [component.shop]\nsource = \"x\"\nallowed_outbound_hosts = {entries:?}\n[component.stock]\nsource = \"x\"",
    );
    let manifest = Manifest::parse(&text, Path::new("spin.toml")).unwrap_or_else(|error| panic!("{error}"));
    let cli = CliVariables::parse(values).expect("good arguments");
    let resolver = Resolver::new(&manifest, &cli, &[], &|_| None).unwrap_or_else(|error| panic!("{error}"));
    AllowedHosts::new(&manifest.components["shop"], &manifest, &resolver)
}

fn check(entry: &str, allowed: &[&str], refused: &[&str]) {
    let hosts = hosts(&[entry], &[]).unwrap_or_else(|error| panic!("{error}"));
    let wrong: Vec<_> = allowed.iter().filter(|url| !hosts.check(url)).collect();
    assert!(wrong.is_empty(), "{entry} should allow {wrong:?}");
    let wrong: Vec<_> = refused.iter().filter(|url| hosts.check(url)).collect();
    assert!(wrong.is_empty(), "{entry} should refuse {wrong:?}");
}

#[test]
fn scheme_host_and_port_must_all_fit() {
    check(
        "https://example.com",
        &[
            "https://example.com",
            "https://example.com/a?b",
            "https://EXAMPLE.com:443/",
            "https://u:p@example.com",
        ],
        &[
            "http://example.com",
            "https://example.com:8443",
            "https://www.example.com",
            "https://example.com.evil.org",
            "https://example.com@evil.org",
            "example.com",
            "not a url",
            "",
        ],
    );
    check(
        "http://example.com/",
        &["http://example.com"],
        &["http://example.com:8080"],
    );
    check(
        "http://example.com:8080",
        &["http://example.com:8080/x"],
        &["http://example.com"],
    );
    check(
        "*://example.com:443",
        &["https://example.com", "tcp://example.com:443"],
        &["http://example.com"],
    );
    check(
        "redis://cache",
        &["redis://cache", "redis://cache:6379/0"],
        &["redis://cache:6380", "http://cache:6379"],
    );
    check(
        "mysql://db:*",
        &["mysql://db:1", "mysql://user:pa#ss@db"],
        &["mysql://other:1"],
    );
}

#[test]
fn a_broker_is_a_place_like_any_other() {
    check(
        "local://bus",
        &["local://bus"],
        &["local://other", "redis://bus", "nats://bus"],
    );
    check(
        "nats://localhost",
        &[
            "nats://localhost",
            "nats://u:p@localhost:4222?stream=shop&durable=a",
        ],
        &["nats://localhost:4223", "redis://localhost:4222", "nats://other"],
    );
    check(
        "nats://*:4300",
        &["nats://a:4300?queue=q"],
        &["nats://a", "local://a"],
    );
}

#[test]
fn a_whole_address_may_come_from_a_variable() {
    let hosts = |address: &str| {
        hosts(&["{{ host }}"], &[&format!("host={address}")]).map_err(|error| error.to_string())
    };
    let local = hosts("local://bus").expect("a bus");
    assert!(local.check_address("local://bus", "redis") && !local.check_address("local://b", "redis"));
    let nats = hosts("nats://localhost:4300?stream=shop").expect("a server");
    assert!(nats.check_address("nats://localhost:4300?stream=shop", "redis"));
    assert!(nats.check_address("nats://localhost:4300", "redis"));
    assert!(!nats.check_address("nats://localhost", "redis"));
    let redis = hosts("redis://localhost:7000").expect("a server");
    assert!(redis.check_address("redis://localhost:7000/3", "redis"));
    assert!(redis.check_address("localhost:7000", "redis"));
    for address in [
        "redis://:s#cret@localhost:7000/3",
        "redis://me:secret@localhost:7000",
    ] {
        let redis = hosts(address).expect("a server");
        assert!(redis.check_address(address, "redis") && redis.check_address("localhost:7000", "redis"));
        assert!(!redis.check_address("redis://secret:7000", "redis"));
    }
    let nats = hosts("nats://me:secret@localhost:4300?queue=shop").expect("a server");
    assert!(nats.check_address("nats://localhost:4300", "redis"));
    let path = hosts("http://me:secret@localhost/a").expect_err("not a broker");
    assert!(path.ends_with("it must not have a path"), "{path}");
}

#[test]
fn stars_stand_for_anything() {
    check(
        "*://*:*",
        &["http://a", "redis://1.2.3.4:5", "https://[::1]"],
        &["no scheme"],
    );
    check("http://*:*", &["http://a:1", "http://b"], &["https://a"]);
    check(
        "http://*.example.com:*",
        &["http://a.example.com", "http://a.b.example.com:99"],
        &[
            "http://example.com",
            "http://myexample.com",
            "http://a.example.com.evil.org",
        ],
    );
}

#[test]
fn a_range_of_ports_leaves_out_its_end() {
    check(
        "http://example.com:8000..8002",
        &["http://example.com:8000", "http://example.com:8001"],
        &[
            "http://example.com:8002",
            "http://example.com:7999",
            "http://example.com",
        ],
    );
}

#[test]
fn addresses_and_networks() {
    check(
        "http://127.0.0.1",
        &["http://127.0.0.1"],
        &["http://127.0.0.2", "http://localhost"],
    );
    check(
        "http://[::1]:8001",
        &["http://[::1]:8001", "http://[0:0::1]:8001"],
        &["http://[::2]:8001"],
    );
    check(
        "*://10.1.0.0/16:80",
        &["http://10.1.255.1"],
        &["http://10.2.0.1", "http://[::a01:1]", "http://ten"],
    );
    check(
        "http://ff00::/8",
        &["http://[ff12::1]"],
        &["http://[fe00::1]", "http://255.0.0.1"],
    );
    check("http://[::1]", &["http://[::1]"], &["http://[::1]:8001"]);
    check(
        "http://[2001:db8::1]:8000..9000",
        &["http://[2001:db8::1]:8001"],
        &["http://[2001:db8::1]:9000"],
    );
    check("*://ff00::/8:80", &["http://[ff00::2]"], &["https://[ff00::2]"]);
    check("http://::1/128", &["http://[::1]"], &["http://[::2]"]);
    check("http://0.0.0.0/0", &["http://8.8.8.8"], &["http://[::1]"]);
}

#[test]
fn chaining_reaches_only_components_that_exist() {
    check(
        "http://stock.spin.internal",
        &["http://stock.spin.internal/levels"],
        &[
            "http://shop.spin.internal",
            "http://stock.spin.internal.evil.org",
            "https://stock.spin.internal",
        ],
    );
    check(
        "http://*.spin.internal",
        &["http://stock.spin.internal", "http://shop.spin.internal"],
        &[
            "http://ghost.spin.internal",
            "http://a.stock.spin.internal",
            "http://spin.internal",
        ],
    );
    assert_eq!(service_chaining_target("stock.spin.internal:80"), Some("stock"));
    for other in [
        "spin.internal",
        "a.b.spin.internal",
        "stock.spin.internal.org",
        "stock",
    ] {
        assert_eq!(service_chaining_target(other), None, "{other}");
    }
}

#[test]
fn a_request_without_a_host_needs_self_or_any() {
    let relative = |entry: &str| {
        hosts(&[entry], &[])
            .expect("an entry")
            .check_relative(&["http", "https"])
    };
    assert!(relative("http://self") && relative("https://self.alt") && relative("*://*:*"));
    assert!(!relative("redis://self") && !relative("http://example.com"));
    check("http://self", &[], &["http://self", "http://localhost"]);
}

#[test]
fn an_address_without_scheme_gets_one() {
    let hosts = hosts(&["postgres://db", "http://web:8080"], &[]).expect("entries");
    assert!(hosts.check_address("db", "postgres") && hosts.check_address("user:p#w@db:5432", "postgres"));
    assert!(hosts.check_address("web:8080", "http"));
    assert!(!hosts.check_address("db", "mysql") && !hosts.check_address("db:5433", "postgres"));
    assert!(!AllowedHosts::default().check("http://anything"));
}

#[test]
fn values_are_put_in_and_an_empty_one_grants_nothing() {
    let entries = ["https://{{ host }}", "{{ host }}", "http://pg:{{ port }}"];
    let empty = hosts(&entries, &[]).expect("entries");
    assert!(empty.check("http://pg:80") && !empty.check("https://example.com"));
    let full = hosts(&entries[..1], &["host=example.com"]).expect("entries");
    assert!(full.check("https://example.com"));
    let error = hosts(&entries[2..], &["port=s3cret"]).expect_err("no port");
    expect!["allowed_outbound_hosts of component `shop`: `http://pg:{{ port }}`: the port must be a number up to 65535, a range such as 8000..9000, or `*`"].assert_eq(&error.to_string());
}

#[test]
fn a_bad_entry_is_refused_with_its_reason() {
    let check = |entry: &str, expected: Expect| expected.assert_eq(&check_entry(entry).expect_err(entry));
    check(
        "example.com:8080",
        expect!["it must be SCHEME://HOST or SCHEME://HOST:PORT, each of which may be `*`"],
    );
    check(
        "*",
        expect!["it must be SCHEME://HOST or SCHEME://HOST:PORT, each of which may be `*`"],
    );
    check(
        "example://host",
        expect!["this scheme has no usual port, so it needs one"],
    );
    check("ht-tp://host:80", expect!["a scheme is letters only"]);
    check(
        "http://example.com:99999",
        expect!["the port must be a number up to 65535, a range such as 8000..9000, or `*`"],
    );
    check(
        "http://example.com:80..",
        expect!["the port must be a number up to 65535, a range such as 8000..9000, or `*`"],
    );
    check("http://example.com/a", expect!["it must not have a path"]);
    check("http://example.com:80/a", expect!["it must not have a path"]);
    check("http://example.com//", expect!["it must not have a path"]);
    check(
        "http://a.*.com",
        expect!["`*` is only possible as the whole host or as its first part, as in `*.example.com`"],
    );
    check(
        "http://*.*.com",
        expect!["`*` is only possible as the whole host or as its first part, as in `*.example.com`"],
    );
    check("http://*.127.0.0.1", expect!["only a name can follow `*.`"]);
    check(
        "http://exa[mple.com",
        expect!["invalid international domain name"],
    );
    check(
        "http://[::1junk",
        expect!["the port must be a number up to 65535, a range such as 8000..9000, or `*`"],
    );
    check(
        "{http,https}://host",
        expect!["this scheme has no usual port, so it needs one"],
    );
    check(
        "http://{a,b}",
        expect!["lists of hosts are not possible; write one entry each"],
    );
    check(
        "http://a:{80,81}",
        expect!["lists of ports are not possible; write one entry each"],
    );
    check(
        "*://127.0.0.0/24",
        expect!["this scheme has no usual port, so it needs one"],
    );
}

#[test]
fn every_other_way_to_write_it_wrong_is_refused_too() {
    for bad in [
        "",
        "localhost",
        "insecure:allow-all",
        "http://self:notaport",
        "http://*:notaport",
        "http://127.0.0.1:notaport",
        "http://[::1]:notaport",
        "http://*.example.com:8080..",
        "http://example.com:8080..70000",
        "http://*.example.com/p",
        "http://127.0.0.0/24/p",
        "http://10.0.0.0/33",
        "http://*.",
        "http://*.:8080",
        "http://example%.com",
        "http://example%GG.com",
        r"http://exa\mple.com",
        "http://example.com:80:90",
        "http://[vG.example]",
        "http://self//",
        "http://[::1]//",
        "http://*.192.168.001.001",
        "http://*.[::1]",
    ] {
        assert!(check_entry(bad).is_err(), "{bad} should be refused");
    }
}
