//! `bodega admin create`: the first admin of a running shop, so that there is never a default password.

use std::fs;
use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use serde_json::{Value, json};
use wasmtime_wasi_http::{Error, RequestOptions};

use crate::outgoing::Client;

/// A password is hashed on the way, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// An account, or a problem; whoever sends more is no shop.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// The environment variable with the key of the internal routes.
const KEY: &str = "BODEGA_JOBS_KEY";

/// Who runs the shop.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Make an account with the role ADMIN, or give the role to the one with this e-mail
    ///
    /// The password is asked for on a terminal, or read as the first line of the standard input. An account
    /// that is there already keeps its own.
    Create(CreateArgs),
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// The e-mail to log in with
    #[arg(long)]
    email: String,
    /// How the person is called
    #[arg(long, default_value = "Admin")]
    name: String,
    /// Where the shop is; with http:// the key of the internal routes goes there in the clear
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    url: String,
    /// A TOML file with the shop's jobs_key, as `up --variable @FILE` takes it; else the key is taken from the
    /// environment, BODEGA_JOBS_KEY
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

pub(super) fn run(action: Action) -> Result<ExitCode> {
    let Action::Create(args) = action;
    let uri = address(&args.url)?;
    let key = match &args.secrets {
        Some(file) => key_of_file(file)?,
        None => key_of_environment()?,
    };
    let body = json!({"email": args.email, "password": password()?, "name": args.name});
    let (status, answer) = super::up::runtime()?
        .block_on(send(uri, &key, &body))
        .map_err(|error| no_answer(&error, &args.url))?;
    let told = outcome(status, &answer, &args.email)?;
    writeln!(std::io::stdout(), "{told}")?;
    Ok(ExitCode::SUCCESS)
}

/// The route that makes admins, at an address without a path of its own.
fn address(url: &str) -> Result<Uri> {
    let wrong = || anyhow!("--url is http://HOST:PORT or https://HOST:PORT, not {url}");
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let plain = matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.path() == "/"
        && uri.query().is_none()
        && uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'));
    ensure!(plain, wrong());
    let authority = uri.authority().ok_or_else(wrong)?.as_str();
    let scheme = uri.scheme_str().ok_or_else(wrong)?;
    Ok(format!("{scheme}://{authority}/internal/admins").parse()?)
}

fn key_of_environment() -> Result<String> {
    let key = std::env::var(KEY).ok();
    usable(key.as_deref()).with_context(|| {
        format!("the key of the internal routes is missing: set {KEY}, or name a file with --secrets")
    })
}

fn key_of_file(file: &Path) -> Result<String> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("there are no keys in {}", file.display()),
        Err(error) => return Err(error).with_context(|| format!("could not read {}", file.display())),
    };
    // The parser's own message would show the line, and with it a key.
    let table: Option<toml::Table> = text.parse().ok();
    let table = table.with_context(|| format!("{} is not TOML", file.display()))?;
    usable(table.get("jobs_key").and_then(|key| key.as_str())).with_context(|| {
        format!(
            "{} has no jobs_key; add one (`openssl rand -base64 32` makes it) and start the shop again",
            file.display()
        )
    })
}

/// A key that can stand in a header.
fn usable(key: Option<&str>) -> Option<String> {
    let key = key.map(str::trim)?;
    (!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())).then(|| key.to_owned())
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

async fn send(uri: Uri, key: &str, body: &Value) -> Result<(u16, String), Error> {
    let body = Full::new(Bytes::from(body.to_string()));
    let request = Request::post(uri)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, format!("Bearer {key}"))
        .body(body.map_err(|never| match never {}).boxed_unsync())
        .map_err(|_| Error::HttpRequestUriInvalid)?;
    let patience = RequestOptions {
        connect_timeout: Some(PATIENCE),
        first_byte_timeout: Some(PATIENCE),
        between_bytes_timeout: Some(PATIENCE),
    };
    let response = Client::new().send(request, &patience).await?;
    let status = response.status().as_u16();
    let answer = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
        .collect()
        .await;
    let answer = answer.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
    Ok((status, String::from_utf8_lossy(&answer).into_owned()))
}

fn no_answer(error: &Error, url: &str) -> anyhow::Error {
    match error {
        Error::ConnectionRefused => anyhow!("no shop is running at {url}; start it, or name its --url"),
        other => anyhow!("the shop at {url} did not answer: {other:?}"),
    }
}

/// What to tell the operator.
fn outcome(status: u16, answer: &str, email: &str) -> Result<String> {
    let body: Value = serde_json::from_str(answer).unwrap_or_default();
    let detail = body["detail"].as_str().unwrap_or("it did not say why");
    match status {
        201 => Ok(format!("{email} is an admin now (account {})", body["id"])),
        200 => Ok(format!(
            "{email} is an admin now (account {}, {}); the account was there before and keeps its name and password",
            body["id"], body["status"]
        )),
        401 => bail!("the shop has another jobs_key"),
        403 => bail!("the shop was started without a jobs_key, so its internal routes are closed"),
        status => bail!("the shop refused with {status}: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_path_and_no_password() {
        let read = |url| address(url).ok().map(|uri| uri.to_string());
        for (url, expected) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/internal/admins"),
            ("http://[::1]:3000/", "http://[::1]:3000/internal/admins"),
            ("https://shop.example", "https://shop.example/internal/admins"),
        ] {
            assert_eq!(read(url).as_deref(), Some(expected));
        }
        for url in [
            "127.0.0.1:3000",
            "ftp://shop.example",
            "http://",
            "http://a/b",
            "http://a?b",
            "http://user:password@a",
            "http://a\r\nb",
        ] {
            assert_eq!(read(url), None, "{url:?}");
        }
    }

    #[test]
    fn a_key_that_is_not_there_is_told_without_what_is_there() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("secrets.toml");
        let error = || format!("{:#}", key_of_file(&path).expect_err("no key"));
        assert!(error().starts_with("there are no keys in"), "{}", error());
        fs::write(&path, "jwt_keys = \"k1:secret\"").expect("written");
        assert!(error().contains("has no jobs_key"), "{}", error());
        fs::write(&path, "jobs_key = secret").expect("written");
        assert!(error().ends_with("is not TOML"), "{}", error());
        fs::write(&path, "jobs_key = \" c2VjcmV0\\n\"").expect("written");
        assert_eq!(key_of_file(&path).expect("a key"), "c2VjcmV0");
        assert_eq!(usable(Some("a b")), None);
        assert_eq!(usable(Some(" ")), None);
    }

    #[test]
    fn every_answer_is_told_in_words() {
        let told =
            |status, body: &str| outcome(status, body, "a@b.kr").unwrap_or_else(|error| error.to_string());
        assert_eq!(told(201, r#"{"id":7}"#), "a@b.kr is an admin now (account 7)");
        assert_eq!(
            told(200, r#"{"id":7,"status":"SUSPENDED"}"#),
            "a@b.kr is an admin now (account 7, \"SUSPENDED\"); the account was there before and keeps its name and password"
        );
        assert_eq!(told(401, ""), "the shop has another jobs_key");
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

    #[tokio::test]
    async fn a_shop_that_does_not_run_is_called_that() {
        // Bound and closed again, so nobody listens there.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        drop(listener);
        let uri = address(&url).expect("an address");
        let error = send(uri, "key", &json!({})).await.expect_err("nobody listens");
        let told = no_answer(&error, &url).to_string();
        assert!(
            told.starts_with(&format!("no shop is running at {url}")),
            "{told}"
        );
    }
}
