//! What was acknowledged is there after the host died.

use anyhow::Result;
use tests::Shop;

use crate::assert_sound;

#[tokio::test]
async fn what_was_bought_survives_a_kill_and_a_restart() -> Result<()> {
    let mut shop = Shop::start()?;
    let customer = shop.customer().await?;
    let order = customer.client.order(1, 2).await?.json;
    shop.kill();
    shop.resume()?;
    let visitor = shop.visitor();
    let again = visitor.with_token(customer.client.token().expect("logged in"));
    assert_eq!(again.get(&format!("/orders/{}", order["id"])).await?.json, order);
    assert_eq!(visitor.stock(1).await?, 98);
    assert_eq!(again.order(1, 1).await?.status, 201);
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_ends_well() -> Result<()> {
    let mut shop = Shop::start()?;
    let customer = shop.customer().await?;
    let client = customer.client.clone();
    let buying = tokio::spawn(async move {
        let mut paid = 0;
        while let Ok(reply) = client.order(1, 1).await {
            match reply.status {
                201 => paid += 1,
                503 => break,
                409 => break,
                _ => panic!("{reply:?}"),
            }
        }
        paid
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let status = tokio::task::spawn_blocking(move || shop.stop().map(|status| (status, shop))).await??;
    let (status, mut shop) = status;
    assert!(status.success(), "{status}");
    let paid: u64 = buying.await?;
    shop.resume()?;
    assert_eq!(shop.visitor().stock(1).await?, 100 - paid);
    assert_sound(&shop);
    Ok(())
}
