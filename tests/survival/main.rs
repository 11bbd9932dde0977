//! Whatever fails, and whenever: stock and money are right afterwards. The real binary on real files.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod brokers;
mod gateway;
mod kills;
mod races;

use anyhow::Result;
use tests::{Client, Shop, token_of};
use web::Role;

/// Fails with every broken invariant of a shop at rest.
#[track_caller]
fn assert_sound(shop: &Shop) {
    let broken = tests::audit(shop.folder()).expect("the databases can be read");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Waits until nothing is left to do, then checks every invariant.
async fn assert_sound_in_the_end(shop: &Shop) -> Result<()> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let broken = tests::audit(shop.folder())?;
        if broken.is_empty() {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{}", broken.join("\n"));
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    shop.settled().await?;
    assert_sound(shop);
    Ok(())
}

/// A customer who is known by the token alone: signing up takes long on purpose, and is tested elsewhere.
fn customer(shop: &Shop, number: u64) -> Client {
    shop.visitor().with_token(&token_of(1_000 + number, Role::User))
}

/// The id of an order in a reply.
fn id(reply: &tests::Reply) -> u64 {
    reply.json["id"]
        .as_u64()
        .unwrap_or_else(|| panic!("no id in {reply:?}"))
}
