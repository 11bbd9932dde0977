use std::collections::BTreeMap;

use breaker::Thresholds;
use kernel::Millis;

use crate::Patience;

/// What jobs may take. Nobody waits for them, their next run is their next try, and they do more in one call than a customer.
const JOB: Patience = Patience {
    try_for: Millis(5_000),
    budget: Millis(5_000),
};

/// How long a call may take, and when the service gets a rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// For calls that a customer waits for.
    pub patience: Patience,
    /// For those of them that move money: whoever moves it takes seconds.
    pub money: Patience,
    /// For calls of jobs.
    pub job: Patience,
    /// When the breaker opens, and for how long.
    pub thresholds: Thresholds,
}

impl Settings {
    /// Reads `name=value` lines, and names all that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut given = Given::read(text);
        let patience = given.patience("try_timeout_ms", "budget_ms");
        let money = given.patience("money_try_timeout_ms", "money_budget_ms");
        let thresholds = Thresholds {
            failures: given.number("breaker_failures", (0, 100)),
            window: Millis(given.number("breaker_window_ms", (1, 600_000))),
            open: Millis(given.number("breaker_open_ms", (1, 600_000))),
            // A probe that is alive has ended by then, whoever's it is.
            lease: Millis(patience.try_for.0.max(money.try_for.0).max(JOB.try_for.0) + 1_000),
        };
        let settings = Self {
            patience,
            money,
            job: JOB,
            thresholds,
        };
        given.finish(settings)
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
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once('=') else {
                given.wrong.push(format!("`{line}` is no name=value"));
                continue;
            };
            let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
            if given.values.insert(name.clone(), value).is_some() {
                given.wrong.push(format!("{name}: given twice"));
            }
        }
        given
    }

    fn patience(&mut self, try_for: &str, budget: &str) -> Patience {
        const TIME_MS: (u32, u32) = (50, 60_000);
        Patience {
            try_for: Millis(self.number(try_for, TIME_MS)),
            budget: Millis(self.number(budget, TIME_MS)),
        }
    }

    fn number(&mut self, name: &str, (least, most): (u32, u32)) -> u32 {
        let value = self.values.remove(name);
        let plain = value.filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        let number = plain.and_then(|value| value.parse().ok());
        number
            .filter(|number| (least..=most).contains(number))
            .unwrap_or_else(|| {
                self.wrong
                    .push(format!("{name}: must be a whole number from {least} to {most}"));
                least
            })
    }

    fn finish(mut self, settings: Settings) -> Result<Settings, String> {
        let unknown = self.values.into_keys().map(|name| format!("{name}: unknown"));
        self.wrong.extend(unknown);
        match self.wrong.is_empty() {
            true => Ok(settings),
            false => Err(self.wrong.join("; ")),
        }
    }
}

/// Where a service is: `http://HOST:PORT`, nothing behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whether the way there is encrypted.
    pub is_https: bool,
    /// `HOST:PORT`; the port may be missing.
    pub authority: String,
}

impl Address {
    /// Reads an address. What is no plain address of a host is refused: it must also stand in `allowed_outbound_hosts`,
    /// which know no paths.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || "must be http://HOST:PORT or https://HOST:PORT".to_owned();
        let (scheme, authority) = text.split_once("://").ok_or_else(bad)?;
        let is_https = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(bad()),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]_".contains(c);
        if authority.is_empty() || !authority.chars().all(plain) {
            return Err(bad());
        }
        Ok(Self {
            is_https,
            authority: authority.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const GOOD: &str = "
        try_timeout_ms=1000
        budget_ms=1600
        money_try_timeout_ms=2500
        money_budget_ms=3000
        breaker_failures=5
        breaker_window_ms=10000
        breaker_open_ms=5000
    ";

    #[test]
    fn good_settings_are_read() {
        let settings = Settings::parse(GOOD).unwrap();
        assert_eq!(settings.patience.try_for, Millis(1_000));
        assert_eq!(settings.patience.budget, Millis(1_600));
        assert_eq!(settings.money.try_for, Millis(2_500));
        assert_eq!(settings.money.budget, Millis(3_000));
        assert_eq!(settings.thresholds.failures, 5);
        assert!(settings.thresholds.lease > settings.job.try_for);
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let wrong = Settings::parse(
            "try_timeout_ms=0\nbudget_ms=+1\nbreaker_failures=1\nbreaker_failures=2\nx\nmore=1\nbreaker_open_ms=",
        );
        expect![[r#"
            breaker_failures: given twice
            `x` is no name=value
            try_timeout_ms: must be a whole number from 50 to 60000
            budget_ms: must be a whole number from 50 to 60000
            money_try_timeout_ms: must be a whole number from 50 to 60000
            money_budget_ms: must be a whole number from 50 to 60000
            breaker_window_ms: must be a whole number from 1 to 600000
            breaker_open_ms: must be a whole number from 1 to 600000
            more: unknown"#]]
        .assert_eq(&wrong.unwrap_err().replace("; ", "\n"));
    }

    #[test]
    fn an_address_is_a_host_and_nothing_behind_it() {
        let parse = |text: &str| Address::parse(text).map(|address| (address.is_https, address.authority));
        assert_eq!(
            parse("http://127.0.0.1:3001"),
            Ok((false, "127.0.0.1:3001".to_owned()))
        );
        assert_eq!(parse("https://stock.shop"), Ok((true, "stock.shop".to_owned())));
        assert_eq!(parse("http://[::1]:80"), Ok((false, "[::1]:80".to_owned())));
        for bad in [
            "",
            "stock:80",
            "http://",
            "ftp://stock",
            "http://stock/",
            "http://stock/x",
            "http://u:p@stock",
            "http://stock?x",
            "HTTP://stock",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
