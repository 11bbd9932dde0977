//! What happens in the shop while something breaks.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::{Client, Reply};

use crate::world::{LAPSED, World};

/// After so long a job may take a paid order: nobody drives it from the moment of its payment on.
const TICK: std::time::Duration = std::time::Duration::from_millis(1);

/// A story: first what leads to it, then the part that is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    /// An order that is paid at once.
    Checkout,
    /// The same under a key, which the client repeats before anybody else looks after it.
    Repeated,
    /// An order whose payment the gateway refuses: everything is given back.
    Refused,
    /// An order of everything in the cart.
    FromCart,
    /// A paid order is cancelled whose goods were let go.
    Cancel,
    /// The same as long as its goods are only held.
    CancelEarly,
    /// The job lets the goods of paid orders go.
    Finish,
    /// An order is placed, then its payment is confirmed.
    TwoStep,
    /// An admin gives a part of the money back.
    Refund,
    /// Events are given their positions and published.
    Drain,
    /// Settlement takes what was published.
    Apply,
    /// An order that nobody paid is given up.
    Expire,
}

/// Where a story stands when its disturbed part begins.
pub(crate) struct Scene {
    pub(crate) buyer: Client,
    pub(crate) order: u64,
    messages: Vec<crate::world::Published>,
}

impl Story {
    pub(crate) const ALL: [Self; 12] = [
        Self::Checkout,
        Self::Repeated,
        Self::Refused,
        Self::FromCart,
        Self::Cancel,
        Self::CancelEarly,
        Self::Finish,
        Self::TwoStep,
        Self::Refund,
        Self::Drain,
        Self::Apply,
        Self::Expire,
    ];

    /// What leads to the disturbed part. `number` makes it differ from every other one.
    pub(crate) async fn begin(self, world: &World, number: u64) -> Result<Scene> {
        let buyer = world.customer(number);
        let mut scene = Scene {
            buyer,
            order: 0,
            messages: Vec::new(),
        };
        match self {
            Self::Checkout | Self::Repeated | Self::Refused | Self::TwoStep => {}
            Self::FromCart => {
                for product in [1, 2] {
                    let line = json!({"productId": product, "quantity": 1});
                    let put = scene.buyer.post("/cart/items", &line).await?;
                    ensure!(put.status == 201, "{put:?}");
                }
            }
            Self::CancelEarly | Self::Refund | Self::Drain => scene.order = placed(&scene.buyer).await?,
            Self::Cancel => {
                scene.order = placed(&scene.buyer).await?;
                world.clock.advance(TICK);
                world.jobs().await?;
            }
            Self::Finish => {
                for _ in 0..2 {
                    scene.order = placed(&scene.buyer).await?;
                }
                world.clock.advance(TICK);
            }
            Self::Apply => {
                scene.order = placed(&scene.buyer).await?;
                world.jobs().await?;
                scene.messages = world.published().await;
                ensure!(!scene.messages.is_empty(), "nothing was published");
            }
            Self::Expire => {
                let waiting = scene.buyer.reserve(1, 1).await?;
                ensure!(waiting.status == 201, "{waiting:?}");
                scene.order = id(&waiting);
                world.clock.advance(std::time::Duration::from_secs(601));
            }
        }
        Ok(scene)
    }

    /// The part that is disturbed. Whatever it answers is right; a lost connection is an answer too.
    pub(crate) async fn play(self, world: &World, scene: &Scene) -> Option<Reply> {
        let Scene {
            buyer,
            order,
            messages,
        } = scene;
        match self {
            Self::Checkout => buyer.order(1, 1).await.ok(),
            Self::Repeated => keyed(buyer).await,
            Self::Refused => buyer.order(2, 3).await.ok(),
            Self::FromCart => buyer.post("/orders/from-cart", &json!({})).await.ok(),
            Self::Cancel | Self::CancelEarly => buyer.cancel(*order).await.ok(),
            Self::TwoStep => {
                let waiting = buyer.reserve(1, 1).await.ok()?;
                let order = waiting.json["id"].as_u64()?;
                buyer
                    .confirm(order, &format!("window-{order}"), 10_000)
                    .await
                    .ok()
            }
            Self::Refund => {
                let part = json!({"amount": 1_000, "reason": "a part"});
                let path = format!("/admin/payments/{order}/refunds");
                world.admin().post_once(&path, "part", &part).await.ok()
            }
            Self::Finish | Self::Drain | Self::Expire => {
                let _ = world.jobs().await;
                None
            }
            Self::Apply => {
                for message in messages {
                    world.deliver(message).await;
                }
                None
            }
        }
    }

    /// Asks again what was asked under a key, when whoever was at it is taken for dead: the answer, if it is
    /// one for good.
    pub(crate) async fn repeat(self, world: &World, scene: &Scene) -> Option<String> {
        if self != Self::Repeated {
            return None;
        }
        world.clock.advance(LAPSED);
        let reply = keyed(&scene.buyer).await?;
        let is_decided = reply.status < 500 && !reply.headers.contains_key("retry-after");
        is_decided.then(|| format!("{} {}", reply.status, reply.text))
    }
}

async fn keyed(buyer: &Client) -> Option<Reply> {
    let order = json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD"});
    buyer.post_once("/orders", "once", &order).await.ok()
}

async fn placed(buyer: &Client) -> Result<u64> {
    let placed = buyer.order(1, 1).await?;
    ensure!(placed.status == 201, "{placed:?}");
    Ok(id(&placed))
}

fn id(reply: &Reply) -> u64 {
    reply.json["id"]
        .as_u64()
        .unwrap_or_else(|| panic!("no id in {reply:?}"))
}
