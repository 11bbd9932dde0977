//! Sixty-four clients buy, confirm, cancel and get money back while the host is killed again and again.
//!
//! `BODEGA_KILLS=500 cargo xtask test --test survival kill` does it longer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use store::params;
use tests::{Client, Reply, Shop, token_of};
use web::Role;

const CLIENTS: u64 = 64;

/// How often the host is killed unless `BODEGA_KILLS` says otherwise.
const KILLS: u64 = 30;

/// How long after the last start everything must be right: DESIGN §8, I3.
const RECOVERED: Duration = Duration::from_secs(30);

/// Something that was asked under a key, and is asked again until there is an answer for good.
#[derive(Clone, Debug)]
struct Attempt {
    key: String,
    path: String,
    body: Value,
}

/// What one client was promised.
#[derive(Default, Debug)]
struct Journal {
    /// Orders that were said to be PAID, or to wait for their payment.
    placed: BTreeSet<u64>,
    /// Orders whose payment was confirmed.
    confirmed: BTreeSet<u64>,
    /// Orders that were said to be CANCELLED.
    cancelled: BTreeSet<u64>,
    /// Refunds that were said to be done: order and key.
    refunded: BTreeSet<(u64, String)>,
    /// Orders whose payment came when recovery had given them up.
    given_up: BTreeSet<u64>,
    /// What was refused though it should not have been: where, and the answer.
    refused: Vec<String>,
    /// What was asked and not answered yet.
    open: Vec<Attempt>,
    /// How many answers were 2xx.
    promises: u64,
    /// Candidates for the next move.
    paid: Vec<u64>,
    waiting: Vec<u64>,
}

struct Buyer {
    number: u64,
    random: fastrand::Rng,
    moves: u64,
    journal: Journal,
}

impl Buyer {
    fn new(number: u64, seed: u64) -> Self {
        Self {
            number,
            random: fastrand::Rng::with_seed(seed ^ number << 20),
            moves: 0,
            journal: Journal::default(),
        }
    }

    /// Moves until the shop is gone: first what is still open, then something new.
    async fn live(mut self, client: Client, admin: Client, stop: Arc<AtomicBool>) -> Self {
        for attempt in std::mem::take(&mut self.journal.open) {
            self.ask(&client, &admin, attempt).await;
        }
        while !stop.load(Ordering::Relaxed) && self.journal.open.len() < 3 {
            let attempt = self.next_move();
            self.ask(&client, &admin, attempt).await;
        }
        self
    }

    fn next_move(&mut self) -> Attempt {
        self.moves += 1;
        let key = format!("{}-{}", self.number, self.moves);
        let product = self.random.u64(1..=2);
        let (path, body) = match self.random.u32(0..10) {
            0..=1 if !self.journal.paid.is_empty() => {
                let order = self
                    .journal
                    .paid
                    .swap_remove(self.random.usize(..self.journal.paid.len()));
                (format!("/orders/{order}/cancel"), json!({}))
            }
            2 if !self.journal.paid.is_empty() => {
                let order = self.journal.paid[self.random.usize(..self.journal.paid.len())];
                (
                    format!("/admin/payments/{order}/refunds"),
                    json!({"amount": 1_000, "reason": "a part"}),
                )
            }
            choice
                if (choice == 3 || choice == 4 || self.journal.waiting.len() > 7)
                    && !self.journal.waiting.is_empty() =>
            {
                let order = self.journal.waiting.swap_remove(0);
                let body =
                    json!({"paymentKey": format!("window-{order}"), "orderId": order, "amount": 10_000});
                ("/payments/confirm".to_owned(), body)
            }
            5..=6 => {
                let body = json!({"productId": 1, "quantity": 1, "paymentMethod": "PG"});
                ("/orders".to_owned(), body)
            }
            _ => {
                let body = json!({"productId": product, "quantity": 1, "paymentMethod": "CARD"});
                ("/orders".to_owned(), body)
            }
        };
        Attempt { key, path, body }
    }

    async fn ask(&mut self, client: &Client, admin: &Client, attempt: Attempt) {
        let client = if attempt.path.starts_with("/admin") {
            admin
        } else {
            client
        };
        match client.post_once(&attempt.path, &attempt.key, &attempt.body).await {
            Ok(reply) => self.heard(attempt, &reply),
            // It may have happened: the same key will tell.
            Err(_) => self.journal.open.push(attempt),
        }
    }

    /// There are goods enough and time enough. But a part of what was cancelled meanwhile can't be given
    /// back, and a payment that nobody was at for the length of a lease is given up.
    fn refused(&mut self, attempt: &Attempt, reply: &Reply) {
        match (
            attempt.path.as_str(),
            reply.status,
            attempt.body["orderId"].as_u64(),
        ) {
            ("/payments/confirm", 409, Some(order)) => {
                self.journal.given_up.insert(order);
            }
            (path, 409 | 422, _) if path.starts_with("/admin/payments/") => {}
            _ => self.journal.refused.push(format!("{attempt:?}: {reply:?}")),
        }
    }

    fn heard(&mut self, attempt: Attempt, reply: &Reply) {
        let still_running = reply.status == 409 && reply.headers.contains_key("retry-after");
        if reply.status >= 500 || still_running {
            return self.journal.open.push(attempt);
        }
        if !(200..300).contains(&reply.status) {
            return self.refused(&attempt, reply);
        }
        self.journal.promises += 1;
        let order = || reply.json["id"].as_u64().expect("an order has an id");
        match attempt.path.as_str() {
            "/orders" => {
                self.journal.placed.insert(order());
                match reply.json["status"].as_str() {
                    Some("PAID") => self.journal.paid.push(order()),
                    Some("PENDING") => self.journal.waiting.push(order()),
                    other => panic!("an order that was placed is {other:?}"),
                }
            }
            "/payments/confirm" => {
                self.journal.confirmed.insert(order());
                self.journal.paid.push(order());
            }
            path if path.ends_with("/cancel") => {
                self.journal.cancelled.insert(order());
            }
            path => {
                let order = path.split('/').nth(3).and_then(|id| id.parse().ok());
                let order = order.expect("the path of a refund has an order");
                self.journal
                    .refunded
                    .insert((order, format!("admin/{}", attempt.key)));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_promised_is_lost_however_often_the_host_is_killed() -> Result<()> {
    let kills = match std::env::var("BODEGA_KILLS") {
        Ok(text) => text.parse().context("BODEGA_KILLS is a number")?,
        Err(_) => KILLS,
    };
    let seed = fastrand::u64(..);
    tests::say(&format!("seed {seed}"));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut shop = Shop::start_with(&["--variable", "checkout_hold_seconds=3600"])?;
    for product in [1, 2] {
        shop.visitor().stock(product).await?;
        shop.stock_up(product, 1_000_000)?;
    }
    let mut buyers: Vec<Buyer> = (0..CLIENTS).map(|number| Buyer::new(number, seed)).collect();
    for _ in 0..kills {
        let life = Duration::from_millis(random.u64(100..900));
        buyers = live(&mut shop, buyers, Some(life)).await?;
        shop.resume()?;
    }
    let up = Instant::now();
    while buyers.iter().any(|buyer| !buyer.journal.open.is_empty()) {
        ensure!(up.elapsed() < RECOVERED, "some questions are still unanswered");
        buyers = live(&mut shop, buyers, None).await?;
    }
    while !tests::audit(shop.folder())?.is_empty() && up.elapsed() < RECOVERED {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    crate::assert_sound(&shop);
    tests::say(&format!("all was right {:?} after the last start", up.elapsed()));
    // An event that was published in many short lives rests for up to five minutes.
    shop.settled_within(Duration::from_secs(60 + kills)).await?;
    compare(&shop, &buyers, kills)
}

/// Lets all buyers live until the host is killed, or just finish what is open.
async fn live(shop: &mut Shop, buyers: Vec<Buyer>, life: Option<Duration>) -> Result<Vec<Buyer>> {
    let stop = Arc::new(AtomicBool::new(life.is_none()));
    let admin = shop.admin();
    let lives: Vec<_> = buyers
        .into_iter()
        .map(|buyer| {
            let token = token_of(2_000 + buyer.number, Role::User);
            let client = shop.visitor().with_token(&token);
            tokio::spawn(buyer.live(client, admin.clone(), stop.clone()))
        })
        .collect();
    if let Some(life) = life {
        tokio::time::sleep(life).await;
        ensure!(shop.is_running(), "the host ended by itself");
        shop.kill();
        stop.store(true, Ordering::Relaxed);
    }
    let mut alive = Vec::new();
    for life in lives {
        alive.push(life.await?);
    }
    if life.is_none() {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(alive)
}

/// Every promise against the databases: nothing lost, nothing doubled.
fn compare(shop: &Shop, buyers: &[Buyer], kills: u64) -> Result<()> {
    let orders = states(shop.folder())?;
    let refunds = refunds(shop.folder())?;
    let mut wrong = Vec::new();
    let mut promises = 0;
    for buyer in buyers {
        let journal = &buyer.journal;
        promises += journal.promises;
        let state = |order: &u64| orders.get(order).map_or("nowhere", |(_, state)| state.as_str());
        let mut expect = |order: &u64, states: &[&str]| {
            if !states.contains(&state(order)) {
                wrong.push(format!("order {order} is {}, not {states:?}", state(order)));
            }
        };
        for order in &journal.placed {
            expect(order, &["PENDING", "PAID", "CANCELLED", "FAILED"]);
        }
        for order in &journal.confirmed {
            expect(order, &["PAID", "CANCELLED"]);
        }
        for order in &journal.cancelled {
            expect(order, &["CANCELLED"]);
        }
        for order in &journal.given_up {
            expect(order, &["FAILED"]);
        }
        for order in &journal.paid {
            expect(order, &["PAID"]);
        }
        let lost = journal.refunded.iter().filter(|refund| !refunds.contains(refund));
        wrong.extend(lost.map(|refund| format!("the refund {refund:?} is lost")));
        wrong.extend(journal.refused.iter().cloned());
        // Every question was answered in the end, so an order nobody was told of is one too many.
        let known = &journal.placed;
        let doubled = orders.iter().filter(|(order, (user, state))| {
            *user == 2_000 + buyer.number && state != "FAILED" && !known.contains(order)
        });
        wrong.extend(
            doubled.map(|(order, (_, state))| format!("order {order} is {state}, and nobody was told")),
        );
    }
    let told = |refund: &&(u64, String)| {
        buyers
            .iter()
            .any(|buyer| buyer.journal.refunded.contains(*refund))
    };
    let asked = refunds.iter().filter(|(_, key)| key.starts_with("admin/"));
    let untold = asked.filter(|refund| !told(refund));
    wrong.extend(untold.map(|refund| format!("the refund {refund:?} was made, and nobody was told")));
    tests::say(&format!(
        "{kills} kills, {promises} promises, {} orders, {} refunds: {} wrong",
        orders.len(),
        refunds.len(),
        wrong.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(promises > kills, "the clients got something done");
    Ok(())
}

fn states(folder: &std::path::Path) -> Result<BTreeMap<u64, (u64, String)>> {
    tests::with_database(folder, "order", |orders| {
        let rows = orders.read("select order_id, user_id, state from customer_order", params![])?;
        let state = |row: &store::Row| {
            let (order, user): (i64, i64) = (row.get("order_id")?, row.get("user_id")?);
            Ok((order as u64, (user as u64, row.get("state")?)))
        };
        rows.iter().map(state).collect()
    })
}

fn refunds(folder: &std::path::Path) -> Result<BTreeSet<(u64, String)>> {
    tests::with_database(folder, "payment", |payments| {
        let done = "select order_id, refund_key from refund where state = 'DONE'";
        let rows = payments.read(done, params![])?;
        let refund = |row: &store::Row| Ok((row.get::<i64>("order_id")? as u64, row.get("refund_key")?));
        rows.iter().map(refund).collect()
    })
}
