//! Journeys through the running shop: the real host, the real components, over HTTP.

mod abuse;
mod aftermath;
mod buying;
mod cart;
mod crash;
mod identity;
mod privacy;

use tests::Shop;

/// Fails when an invariant of the shop does not hold.
#[track_caller]
fn assert_sound(shop: &Shop) {
    let broken = tests::audit(shop.folder()).expect("the databases can be read");
    assert!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
}
