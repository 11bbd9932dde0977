//! The shop keeps to its document: schemathesis asks what the document allows and forbids, in all its phases.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::{Shop, say, workspace};

/// The release that is used, from the Python Package Index.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// What some releases of Python 3.11 say now and then when they read their own source, whatever was asked.
const PYTHON_BROKE: &str = "AST constructor recursion depth mismatch";

/// Where it is installed: an environment of its own, under `target`. None where there is no Python to do it,
/// unless everything must be there.
fn installed() -> Result<Option<PathBuf>> {
    let home = workspace().join("target").join(SCHEMATHESIS.replace("==", "-"));
    let program = home.join("bin/st");
    if runs(&program, "--version") {
        return Ok(Some(program));
    }
    say("installing schemathesis, once");
    let _ = std::fs::remove_dir_all(&home);
    let made = Command::new("python3").args(["-m", "venv"]).arg(&home).output();
    if !made.is_ok_and(|output| output.status.success()) {
        ensure!(
            std::env::var_os("BODEGA_REQUIRE_SERVERS").is_none(),
            "python3 with venv is missing, and nothing may be left out here"
        );
        say("LEFT OUT: python3 with venv is missing, so schemathesis can't be installed");
        return Ok(None);
    }
    let output = Command::new(home.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            SCHEMATHESIS,
        ])
        .output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "schemathesis can't be installed: {complaint}"
    );
    Ok(Some(program))
}

fn runs(program: &Path, argument: &str) -> bool {
    let output = Command::new(program).arg(argument).output();
    output.is_ok_and(|output| output.status.success())
}

#[tokio::test]
async fn the_shop_keeps_to_its_document() -> Result<()> {
    let Some(program) = installed()? else {
        return Ok(());
    };
    let shop = Shop::start()?;
    let operator = shop.visitor().with_token(&tests::jobs_key());
    let root = json!({"email": "root@example.com", "password": "pass1234", "name": "Root"});
    let made = operator.post("/internal/admins", &root).await?;
    ensure!(made.status == 201, "{made:?}");
    let admin = made.json["id"].as_u64().context("no id")?;
    // The first question lays out the tables.
    ensure!(shop.visitor().get("/products/1").await?.status == 200);
    for sku in 1..=3 {
        shop.stock_up(sku, 1_000_000)?;
    }
    // It belongs to no session, so that no logout ends it.
    let token = tests::token_of(admin, web::Role::Admin);
    let other = shop.customer().await?;
    let scratch = tempfile::tempdir()?;
    let seed = std::env::var("BODEGA_SEED").unwrap_or_else(|_| "1".to_owned());
    let examples = std::env::var("BODEGA_EXAMPLES").unwrap_or_else(|_| "20".to_owned());
    let mut asking = Command::new(&program);
    asking
        .arg("--config-file")
        .arg(workspace().join("tests/door/schemathesis.toml"))
        .args(["run", &format!("{}/openapi.json", shop.visitor().url())])
        .args([
            "--phases",
            "examples,coverage,fuzzing,stateful",
            "--checks",
            "all",
        ])
        .args(["--max-examples", &examples, "--seed", &seed, "--no-color"])
        .env(
            "BODEGA_HOOKS",
            workspace().join("tests/door/schemathesis_hooks.py"),
        )
        .env("BODEGA_ACCESS_TOKEN", token)
        .env("BODEGA_OTHER_TOKEN", other.client.token().unwrap_or_default())
        .env("BODEGA_INTERNAL_KEY", tests::jobs_key())
        .env("PYTHONUNBUFFERED", "1")
        .current_dir(scratch.path());
    let mut output = asking.output()?;
    if String::from_utf8_lossy(&output.stdout).contains(PYTHON_BROKE) {
        say("Python broke off in the middle of it; once more");
        output = asking.output()?;
    }
    let told = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "seed {seed}:\n{told}\n{complaint}");
    for line in told.lines().filter(|line| line.contains(" generated, ")) {
        say(line.trim());
    }
    shop.settled().await?;
    let broken = tests::audit(shop.folder())?;
    assert!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
    Ok(())
}
