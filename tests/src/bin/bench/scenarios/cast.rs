//! Who plays in the scenarios, and what they do.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use tests::{Client, Shop, token_of};
use web::Role;

use crate::figures::Figures;
use crate::load::{Ask, NUMBER, Request, Run, Turn};
use crate::place::MARKET;

/// How many log in at the same time.
const TOGETHER: usize = 8;

/// Of a mixed load, in percent.
const READS: u32 = 90;

/// What a load consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// One piece of any of 10,000 products.
    Spread,
    /// One piece of either of two.
    Hot,
    /// The page of any product.
    Product,
    /// A page of the list, from anywhere.
    Products,
    /// One piece into the cart, and an order of it.
    Cart,
    /// Pages of products, and checkouts between them.
    Mixed,
}

impl Scenario {
    /// In the order in which they are played.
    pub(crate) const ALL: [Self; 6] = [
        Self::Spread,
        Self::Hot,
        Self::Product,
        Self::Products,
        Self::Cart,
        Self::Mixed,
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Spread => "checkouts, 10,000 SKUs",
            Self::Hot => "checkouts, 2 SKUs",
            Self::Product => "product page",
            Self::Products => "list page",
            Self::Cart => "cart and order",
            Self::Mixed => "90 % pages, 10 % checkouts",
        }
    }

    /// What one client asks.
    fn ask(self, client: &Client) -> Ask {
        let order = |numbers| Request::order(client, NUMBER).drawing(numbers);
        let page = || Request::get(client, &format!("/products/{NUMBER}"), 200).drawing(MARKET);
        let requests = match self {
            Self::Spread => vec![order(MARKET)],
            Self::Hot => vec![order(MARKET.start..MARKET.start + 2)],
            Self::Product => vec![page()],
            Self::Products => {
                // A product's number is its price.
                let path = format!("/products?sort=price&limit=20&minPrice={NUMBER}");
                vec![Request::get(client, &path, 200).drawing(MARKET.start..MARKET.end - 20)]
            }
            Self::Cart => vec![
                Request::into_cart(client, NUMBER).drawing(MARKET),
                Request::post(
                    client,
                    "/orders/from-cart",
                    &serde_json::json!({"paymentMethod": "CARD"}),
                    201,
                ),
            ],
            Self::Mixed => vec![page(), order(MARKET)],
        };
        let turn = match self {
            Self::Mixed => Turn::Percent(READS),
            _ => Turn::Cycle,
        };
        Ask::of(client, requests, turn)
    }

    /// How many times it was played to its end.
    pub(crate) fn requests(self, run: &Run) -> usize {
        match self {
            Self::Cart => run.answers() / 2,
            _ => run.answers(),
        }
    }

    /// The figures of what it is about, and of what else is in it.
    pub(crate) fn figures(self, run: &Run) -> Result<(Figures, Option<(&'static str, Figures)>)> {
        Ok(match self {
            Self::Cart => {
                let Some(orders) = run.figures_of(1) else {
                    anyhow::bail!("nobody could order a cart: {:?}", run.statuses);
                };
                (
                    orders,
                    run.figures_of(0).map(|figures| ("into the cart", figures)),
                )
            }
            Self::Mixed => (
                run.figures()?,
                run.figures_of(1).map(|figures| ("checkouts", figures)),
            ),
            _ => (run.figures()?, None),
        })
    }
}

/// The customers.
pub(crate) struct Cast(Vec<Client>);

impl Cast {
    /// As many customers as the largest crowd has. They log in once, or are given what a login gives.
    pub(crate) async fn sign_in(shop: &Shop, crowds: &[usize], log_in: bool) -> Result<Self> {
        let most = crowds.iter().copied().max().unwrap_or(1).max(TOGETHER);
        if !log_in {
            let client = |user| shop.visitor().with_token(&token_of(user, Role::User));
            return Ok(Self((1..=most as u64).map(client).collect()));
        }
        let mut clients = Vec::new();
        while clients.len() < most {
            let some = try_join_all((0..TOGETHER).map(|_| shop.customer())).await?;
            clients.extend(some.into_iter().map(|customer| customer.client));
        }
        ensure!(
            clients.iter().all(|client| client.token().is_some()),
            "somebody has no token"
        );
        Ok(Self(clients))
    }

    /// What the first so many of them ask.
    pub(crate) fn asks(&self, scenario: Scenario, clients: usize) -> Vec<Ask> {
        self.0
            .iter()
            .take(clients)
            .map(|client| scenario.ask(client))
            .collect()
    }
}
