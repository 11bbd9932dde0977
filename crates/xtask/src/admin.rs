//! `cargo xtask admin create`: the first admin of a running shop, so that there is never a default password.

use std::fs;
use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use serde_json::{Value, json};
use toml::Table;

use crate::data;
use crate::http::{self, Answer};
use crate::tree::Tree;
use crate::up;

#[derive(Subcommand)]
pub(crate) enum Action {
    /// Make an account with the role ADMIN, or give the role to the one with this e-mail
    ///
    /// The password is asked for on a terminal, or read as the first line of the standard input. An account
    /// that is there already keeps its own.
    Create {
        /// The e-mail to log in with
        #[arg(long)]
        email: String,
        /// How the person is called
        #[arg(long, default_value = "Admin")]
        name: String,
        /// Where the shop is; the key of the internal routes goes there in the clear
        #[arg(long, default_value = "http://127.0.0.1:3000")]
        url: String,
        /// The directory that `up` was given, with the shop's keys
        #[arg(long, default_value = up::STATE_DIR)]
        state_dir: PathBuf,
    },
}

pub(crate) fn run(tree: &Tree, action: Action) -> Result<()> {
    let Action::Create {
        email,
        name,
        url,
        state_dir,
    } = action;
    let address = address(&url)?;
    let secrets = data::located(tree, &state_dir)?.join("secrets.toml");
    let key = internal_key(&secrets)?;
    let password = password()?;
    let body = json!({"email": email, "password": password, "name": name}).to_string();
    let credential = format!("Bearer {key}");
    let answer = http::send(
        &address,
        "POST /internal/admins",
        &[("Authorization", &credential)],
        Some(&body),
    );
    let answer = answer.map_err(|error| unreachable_shop(error, &url))?;
    let told = outcome(&answer, &email, &secrets)?;
    writeln!(std::io::stdout(), "{told}")?;
    Ok(())
}

/// `host:port` of a plain HTTP address.
fn address(url: &str) -> Result<String> {
    let Some(rest) = url.strip_prefix("http://") else {
        bail!("--url is http://HOST:PORT, not {url}");
    };
    let address = rest.strip_suffix('/').unwrap_or(rest);
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    ensure!(
        !address.is_empty() && address.chars().all(plain),
        "--url is http://HOST:PORT, not {url}"
    );
    let has_port = address
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Ok(if has_port {
        address.to_owned()
    } else {
        format!("{address}:80")
    })
}

fn internal_key(secrets: &Path) -> Result<String> {
    let text = match fs::read_to_string(secrets) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "there are no keys in {}; start the shop with `cargo xtask up`, or name its --state-dir",
            secrets.display()
        ),
        Err(error) => return Err(error).with_context(|| format!("could not read {}", secrets.display())),
    };
    // The parser's own message would show the line, and with it a key.
    let table: Option<Table> = text.parse().ok();
    let table = table.with_context(|| format!("{} is not TOML", secrets.display()))?;
    let key = table.get("jobs_key").and_then(|key| key.as_str()).map(str::trim);
    let key = key.filter(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()));
    key.map(str::to_owned).with_context(|| {
        format!(
            "{} has no jobs_key; add one (`openssl rand -base64 32` makes it) and start the shop again",
            secrets.display()
        )
    })
}

fn password() -> Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let first = ask("Password: ")?;
    ensure!(first == ask("Once more: ")?, "the two are not the same");
    Ok(first)
}

/// A line from the terminal that it does not show. A shell does it, so that Ctrl-C finds somebody who turns the
/// echo on again.
fn ask(prompt: &str) -> Result<String> {
    const HIDDEN: &str = r#"saved=$(stty -g) || exit 1
trap 'stty "$saved"; exit 130' INT TERM HUP
stty -echo
IFS= read -r line
stty "$saved"
printf '%s' "$line""#;
    let mut terminal = std::io::stderr();
    write!(terminal, "{prompt}")?;
    terminal.flush()?;
    let mut shell = Command::new("sh");
    let output = shell
        .args(["-c", HIDDEN])
        .stderr(Stdio::inherit())
        .stdin(Stdio::inherit())
        .output()?;
    writeln!(terminal)?;
    ensure!(output.status.success(), "no password was given");
    Ok(String::from_utf8(output.stdout)?)
}

fn unreachable_shop(error: anyhow::Error, url: &str) -> anyhow::Error {
    let refused = error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused);
    error.context(if refused {
        format!("no shop is running at {url}; start it with `cargo xtask up`, or name its --url")
    } else {
        format!("the shop at {url} did not answer")
    })
}

/// What to tell the operator.
fn outcome(answer: &Answer, email: &str, secrets: &Path) -> Result<String> {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let detail = body["detail"].as_str().unwrap_or("it did not say why");
    match answer.status {
        201 => Ok(format!("{email} is an admin now (account {})", body["id"])),
        200 => Ok(format!(
            "{email} is an admin now (account {}, {}); the account was there before and keeps its name and password",
            body["id"], body["status"]
        )),
        401 => bail!("the shop has another jobs_key than {}", secrets.display()),
        403 => bail!("the shop was started without a jobs_key, so its internal routes are closed"),
        status => bail!("the shop refused with {status}: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_http() {
        let read = |url| address(url).ok();
        assert_eq!(read("http://127.0.0.1:3000").as_deref(), Some("127.0.0.1:3000"));
        assert_eq!(read("http://[::1]:3000/").as_deref(), Some("[::1]:3000"));
        assert_eq!(read("http://shop.example").as_deref(), Some("shop.example:80"));
        for url in [
            "127.0.0.1:3000",
            "https://shop.example",
            "http://",
            "http://a/b",
            "http://a\r\nb",
        ] {
            assert_eq!(read(url), None, "{url:?}");
        }
    }

    #[test]
    fn a_key_that_is_not_there_is_told_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.toml");
        let error = || format!("{:#}", internal_key(&path).unwrap_err());
        assert!(error().contains("cargo xtask up"), "{}", error());
        fs::write(&path, "jwt_keys = \"k1:secret\"").unwrap();
        assert!(error().contains("has no jobs_key"), "{}", error());
        fs::write(&path, "jobs_key = secret").unwrap();
        assert!(error().ends_with("is not TOML"), "{}", error());
        fs::write(&path, "jobs_key = \"c2VjcmV0\"").unwrap();
        assert_eq!(internal_key(&path).unwrap(), "c2VjcmV0");
    }

    #[test]
    fn every_answer_is_told_in_words() {
        let told = |status, body: &str| {
            let answer = Answer {
                status,
                body: body.to_owned(),
            };
            outcome(&answer, "a@b.kr", Path::new("s.toml")).unwrap_or_else(|error| error.to_string())
        };
        assert_eq!(told(201, r#"{"id":7}"#), "a@b.kr is an admin now (account 7)");
        assert_eq!(
            told(200, r#"{"id":7,"status":"SUSPENDED"}"#),
            "a@b.kr is an admin now (account 7, \"SUSPENDED\"); the account was there before and keeps its name and password"
        );
        assert_eq!(told(401, ""), "the shop has another jobs_key than s.toml");
        assert!(told(403, "").contains("without a jobs_key"));
        assert_eq!(
            told(400, r#"{"detail":"password must contain a digit"}"#),
            "the shop refused with 400: password must contain a digit"
        );
        assert_eq!(
            told(502, "<html>"),
            "the shop refused with 502: it did not say why"
        );
    }

    #[test]
    fn a_shop_that_does_not_run_is_called_that() {
        // Bound and closed again, so nobody listens there.
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let error = http::send(&address.to_string(), "GET /", &[], None).unwrap_err();
        let told = format!("{:#}", unreachable_shop(error, "http://x"));
        assert!(told.starts_with("no shop is running at http://x"), "{told}");
    }
}
