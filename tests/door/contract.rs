//! The document is the shop's, and what it says works.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result};
use tests::Shop;

use crate::scene::operations;

#[tokio::test]
async fn the_shop_serves_one_document_over_all_components() -> Result<()> {
    let shop = Shop::start()?;
    let reply = shop.visitor().get("/openapi.json").await?;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(
        (&reply.json["openapi"], &reply.json["info"]["title"]),
        (&"3.1.0".into(), &"Bodega".into())
    );
    let tags: BTreeSet<&str> = reply.json["tags"]
        .as_array()
        .context("no tags")?
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    for component in [
        "account",
        "cart",
        "gateway",
        "order",
        "outbox",
        "payment",
        "product",
        "settlement",
        "stock",
    ] {
        assert!(tags.contains(component), "{component} is missing");
    }
    assert!(
        operations(&reply.json).len() > 45,
        "{}",
        operations(&reply.json).len()
    );
    let tag = reply.headers["etag"].to_str()?;
    let request = shop.visitor().request(reqwest::Method::GET, "/openapi.json");
    let again = shop.visitor().send(request.header("if-none-match", tag)).await?;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    Ok(())
}

/// What the document says to paste into a shell, pasted into a shell.
#[tokio::test]
async fn the_examples_of_the_guide_work_as_they_stand() -> Result<()> {
    let shop = Shop::start()?;
    let document = shop.visitor().get("/openapi.json").await?.json;
    let guide = document["info"]["description"].as_str().context("no guide")?;
    let (_, rest) = guide.split_once("```sh\n").context("no commands")?;
    let (commands, _) = rest.split_once("```").context("no end of the commands")?;
    assert!(commands.contains("SHOP=http://127.0.0.1:3000\n"));
    let commands = commands.replace("http://127.0.0.1:3000", &shop.visitor().url());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &commands])
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert_eq!(
        said.matches("\"status\":\"PAID\"").count(),
        2,
        "bought, and listed: {said}"
    );
    assert_eq!(shop.visitor().stock(1).await?, 98);
    Ok(())
}
