//! What can be set, read once and all together.
//!
//! The manifest hands all of it over in one text of `name=value` lines, because each variable is a call of the
//! host, and this is read with every request.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use kernel::Millis;

use crate::client::Proxies;
use crate::cors::Origins;
use crate::limit::Quotas;
use crate::limit::gcra::Quota;
use breaker::Thresholds;

/// At once, this many passwords may be made and checked.
const PASSWORD_BURST: u32 = 10;

/// Where it is kept how much clients have used up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TableAddress {
    /// The key-value store `default`.
    #[default]
    Shared,
    /// The Redis at this address.
    Redis(String),
}

/// What the gateway was set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Who is believed about a client's address.
    pub proxies: Proxies,
    /// Whose pages may read the answers.
    pub origins: Origins,
    /// How often somebody may ask.
    pub quotas: Quotas,
    /// Where that is kept.
    pub limits: TableAddress,
    /// How long a component may take until its answer begins.
    pub upstream_timeout: Millis,
    /// When a component is given a rest.
    pub thresholds: Thresholds,
}

/// Everything that is wrong with the settings, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong(Vec<String>);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl Settings {
    /// Reads all of them, and names all that is wrong.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        const RATE: (u32, u32) = (0, 1_000_000);
        const TIME_MS: (u32, u32) = (1, 600_000);
        let mut given = Given::read(text);
        let proxies = given.take("trusted_proxies", Proxies::parse);
        let origins = given.take("cors_allowed_origins", |text| {
            Origins::parse(text).map_err(|bad| bad.to_string())
        });
        let quotas = Quotas {
            general: Quota::per_minute(given.number("rate_limit_per_minute", RATE)),
            login: Quota::per_minute(given.number("login_limit_per_minute", RATE)),
            internal: Quota::per_minute(given.number("internal_limit_per_minute", RATE)),
            passwords: Quota::per_minute(given.number("password_checks_per_minute", RATE))
                .map(|quota| quota.with_burst(PASSWORD_BURST)),
        };
        let limits = given.take("limits_address", table_address);
        let patience_ms = given.number("upstream_timeout_ms", TIME_MS);
        let thresholds = Thresholds {
            failures: given.number("breaker_failures", (0, 100)),
            window: Millis(given.number("breaker_window_ms", TIME_MS)),
            open: Millis(given.number("breaker_open_ms", TIME_MS)),
            // A probe that is alive has ended by then.
            lease: Millis(patience_ms + 1_000),
        };
        let settings = Self {
            proxies,
            origins,
            quotas,
            limits,
            upstream_timeout: Millis(patience_ms),
            thresholds,
        };
        given.finish(settings)
    }
}

fn table_address(text: &str) -> Result<TableAddress, String> {
    match text.split_once("://") {
        None if text.is_empty() => Ok(TableAddress::Shared),
        Some(("local", _)) => Ok(TableAddress::Shared),
        Some(("redis" | "rediss", place)) if !place.is_empty() => Ok(TableAddress::Redis(text.to_owned())),
        // It is not repeated: there may be a password in it.
        _ => Err("must be local://NAME or redis://HOST:PORT".to_owned()),
    }
}

/// The lines that were given, and what was wrong so far.
struct Given {
    values: BTreeMap<String, String>,
    wrong: Vec<String>,
}

impl Given {
    fn read(text: &str) -> Self {
        let mut given = Self {
            values: BTreeMap::new(),
            wrong: Vec::new(),
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        for (number, line) in (1..).zip(lines) {
            let Some((name, value)) = line.split_once('=') else {
                given.wrong.push(format!("line {number} is no name=value"));
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            if given.values.insert(name.to_owned(), value.to_owned()).is_some() {
                given.wrong.push(format!("{name}: given twice"));
            }
        }
        given
    }

    /// What is wrong is written down, and stands for nothing until [`Given::finish`].
    fn take<T: Default>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let parsed = match self.values.remove(name) {
            Some(value) => parse(&value),
            None => Err("missing".to_owned()),
        };
        parsed.unwrap_or_else(|why| {
            self.wrong.push(format!("{name}: {why}"));
            T::default()
        })
    }

    fn number(&mut self, name: &str, (least, most): (u32, u32)) -> u32 {
        self.take(name, |value| {
            let plain = value.bytes().all(|byte| byte.is_ascii_digit());
            let number = u32::from_str(value).ok().filter(|_| plain);
            number
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| format!("must be a whole number from {least} to {most}"))
        })
    }

    fn finish(mut self, settings: Settings) -> Result<Settings, Wrong> {
        let unknown = self.values.into_keys().map(|name| format!("{name}: unknown"));
        self.wrong.extend(unknown);
        match self.wrong.is_empty() {
            true => Ok(settings),
            false => Err(Wrong(self.wrong)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const GOOD: &str = "
        trusted_proxies=10.0.0.0/8, ::1
        cors_allowed_origins=
        rate_limit_per_minute=120
        login_limit_per_minute=20
        internal_limit_per_minute=120
        password_checks_per_minute=300
        limits_address=local://limits:0
        upstream_timeout_ms=14000
        breaker_failures=5
        breaker_window_ms=10000
        breaker_open_ms=5000
    ";

    fn with(name: &str, value: &str) -> String {
        let line = |line: &str| match line.trim().split_once('=') {
            Some((own, _)) if own == name => format!("{name}={value}\n"),
            _ => format!("{line}\n"),
        };
        GOOD.lines().map(line).collect()
    }

    fn wrong(text: &str) -> String {
        Settings::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn good_settings_are_read() {
        let settings = Settings::parse(GOOD).unwrap();
        assert_eq!(settings.quotas.general, Quota::per_minute(120));
        assert_eq!(settings.quotas.login, Quota::per_minute(20));
        let passwords = Quota::per_minute(300).unwrap().with_burst(10);
        assert_eq!(settings.quotas.passwords, Some(passwords));
        assert_eq!(settings.limits, TableAddress::Shared);
        assert_eq!(settings.upstream_timeout, Millis(14_000));
        assert_eq!(settings.thresholds.failures, 5);
    }

    #[test]
    fn a_zero_turns_a_limit_off() {
        let off = Settings::parse(&with("rate_limit_per_minute", "0")).unwrap();
        assert_eq!(off.quotas.general, None);
        let off = Settings::parse(&with("password_checks_per_minute", "0")).unwrap();
        assert_eq!(off.quotas.passwords, None);
    }

    #[test]
    fn limits_live_in_the_store_or_in_a_redis() {
        let limits = |value: &str| Settings::parse(&with("limits_address", value)).map(|all| all.limits);
        assert_eq!(limits(""), Ok(TableAddress::Shared));
        assert_eq!(limits("local://limits:0"), Ok(TableAddress::Shared));
        let address = "redis://:se=cret@redis:6379/2";
        assert_eq!(limits(address), Ok(TableAddress::Redis(address.to_owned())));
        for bad in ["redis", "redis://", "nats://host:4222", "secret@redis:6379"] {
            let text = limits(bad).unwrap_err().to_string();
            assert_eq!(text, "limits_address: must be local://NAME or redis://HOST:PORT");
        }
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let text = "
            trusted_proxies=10.0.0.0/33,proxy
            cors_allowed_origins=shop.example
            rate_limit_per_minute=-1
            login_limit_per_minute=+2
            password_checks_per_minute=1000001
            password_checks_per_minute=many
            limits_address=
            upstream_timeout_ms=0
            breaker_failures=101
            breaker_window_ms=
            brake
            breaker_opens=1
        ";
        expect![[r#"
            password_checks_per_minute: given twice
            line 11 is no name=value
            trusted_proxies: no address or network: `10.0.0.0/33`, `proxy`
            cors_allowed_origins: "shop.example" must be an origin as browsers write it, such as https://shop.example or http://localhost:5173 (small letters, no path, no default port), or * alone
            rate_limit_per_minute: must be a whole number from 0 to 1000000
            login_limit_per_minute: must be a whole number from 0 to 1000000
            internal_limit_per_minute: missing
            password_checks_per_minute: must be a whole number from 0 to 1000000
            upstream_timeout_ms: must be a whole number from 1 to 600000
            breaker_failures: must be a whole number from 0 to 100
            breaker_window_ms: must be a whole number from 1 to 600000
            breaker_open_ms: missing
            breaker_opens: unknown"#]]
        .assert_eq(&wrong(text).replace("; ", "\n"));
    }

    #[test]
    fn the_manifest_hands_over_exactly_these() {
        let manifest = include_str!("../../../spin.toml");
        let (_, after) = manifest.split_once("settings = \"\"\"").unwrap();
        let (handed, _) = after.split_once("\"\"\"").unwrap();
        let default = |line: &str| {
            let (name, template) = line.split_once('=').unwrap();
            assert_eq!(template, format!("{{{{ {name} }}}}"));
            let declared = format!("\n{name} = {{ default = \"");
            let (_, after) = manifest.split_once(&declared).unwrap();
            format!("{name}={}\n", after.split('"').next().unwrap())
        };
        let defaults: String = handed.trim().lines().map(default).collect();
        let expected = Settings::parse(&with("trusted_proxies", "")).unwrap();
        assert_eq!(Settings::parse(&defaults), Ok(expected));
    }
}
