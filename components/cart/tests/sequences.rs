//! Whatever a customer does in whatever order: a cart is what a few lines of plain arithmetic say.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod shop;

use std::collections::{BTreeMap, BTreeSet};

use cart::app::{self, Wanted};
use cart::domain::{Line, Merged};
use cart::store::Store;
use kernel::Quantity;
use proptest::prelude::*;
use shop::{NOW, Shop, carts, line, order, product, sku, user, wanted};

store_suite::also_on_postgres!();

/// What is for sale: product, SKU, free pieces.
const KINDS: [(u64, u64, u32); 4] = [(1, 1, 100), (3, 3, 5), (5, 51, 7), (5, 52, 1)];

#[derive(Debug, Clone)]
enum Step {
    Add {
        kind: usize,
        pieces: u32,
        key: Option<u8>,
    },
    Merge {
        lines: Vec<(usize, u32)>,
        key: u8,
    },
    Change {
        kind: usize,
        pieces: u32,
    },
    Remove {
        kind: usize,
    },
    Clear,
    Buy {
        order: u64,
    },
    Take {
        order: u64,
        lines: Vec<(usize, u32)>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let kind = || 0..KINDS.len();
    prop_oneof![
        6 => (kind(), 1u32..8, prop::option::of(0u8..4))
            .prop_map(|(kind, pieces, key)| Step::Add { kind, pieces, key }),
        3 => (prop::collection::vec((kind(), 1u32..8), 1..4), 4u8..8)
            .prop_map(|(lines, key)| Step::Merge { lines, key }),
        2 => (kind(), 0u32..8).prop_map(|(kind, pieces)| Step::Change { kind, pieces }),
        1 => kind().prop_map(|kind| Step::Remove { kind }),
        1 => Just(Step::Clear),
        2 => (1u64..6).prop_map(|order| Step::Buy { order }),
        2 => (1u64..6, prop::collection::vec((kind(), 1u32..8), 0..4))
            .prop_map(|(order, lines)| Step::Take { order, lines }),
    ]
}

/// The cart as arithmetic.
#[derive(Default)]
struct Model {
    pieces: BTreeMap<usize, u32>,
    keys: BTreeMap<u8, (usize, u32)>,
    merges: BTreeMap<u8, BTreeMap<usize, u32>>,
    taken: BTreeSet<u64>,
}

impl Model {
    fn add(&mut self, kind: usize, pieces: u32, key: Option<u8>) -> bool {
        if let Some(before) = key.and_then(|key| self.keys.get(&key)) {
            return *before == (kind, pieces);
        }
        let together = self.pieces.get(&kind).copied().unwrap_or(0) + pieces;
        if together > KINDS[kind].2 {
            return false;
        }
        self.pieces.insert(kind, together);
        self.keys.extend(key.map(|key| (key, (kind, pieces))));
        true
    }

    fn merge(&mut self, lines: &[(usize, u32)], key: u8) -> bool {
        let mut asked = BTreeMap::new();
        for (kind, pieces) in lines {
            *asked.entry(*kind).or_default() += pieces;
        }
        if let Some(before) = self.merges.get(&key) {
            return *before == asked;
        }
        for (kind, pieces) in &asked {
            let in_cart = self.pieces.entry(*kind).or_default();
            *in_cart = (*in_cart + pieces).min(KINDS[*kind].2);
        }
        self.merges.insert(key, asked);
        true
    }

    fn change(&mut self, kind: usize, pieces: u32) -> bool {
        if !self.pieces.contains_key(&kind) || pieces > KINDS[kind].2 {
            return false;
        }
        self.pieces.insert(kind, pieces);
        self.pieces.retain(|_, pieces| *pieces > 0);
        true
    }

    fn take(&mut self, order: u64, lines: &[(usize, u32)]) -> bool {
        if !self.taken.insert(order) {
            return false;
        }
        for (kind, bought) in lines {
            if let Some(pieces) = self.pieces.get_mut(kind) {
                *pieces = pieces.saturating_sub(*bought);
            }
        }
        self.pieces.retain(|_, pieces| *pieces > 0);
        true
    }

    fn lines(&self) -> Vec<Line> {
        let of = |(&kind, &pieces): (&usize, &u32)| line(KINDS[kind].0, KINDS[kind].1, pieces);
        self.pieces.iter().map(of).collect()
    }
}

/// Does one step to both and answers what both said.
fn take_step(step: &Step, carts: &Store, model: &mut Model) -> (bool, bool) {
    let me = user(42);
    match step {
        Step::Add { kind, pieces, key } => {
            let wanted = wanted(KINDS[*kind].0, Some(KINDS[*kind].1), *pieces);
            let text = key.map(|key| key.to_string());
            let added = app::add(carts, &Shop, me, wanted, text.as_deref(), NOW);
            (added.is_ok(), model.add(*kind, *pieces, *key))
        }
        Step::Merge { lines, key } => {
            let of = |(kind, pieces): &(usize, u32)| wanted(KINDS[*kind].0, Some(KINDS[*kind].1), *pieces);
            let items: Vec<Wanted> = lines.iter().map(of).collect();
            let render = |_: &Merged| "{}".to_owned();
            let merged = app::merge(carts, &Shop, me, &items, &key.to_string(), &render, NOW);
            (merged.is_ok(), model.merge(lines, *key))
        }
        Step::Change { kind, pieces } => {
            let (number, named) = (product(KINDS[*kind].0), Some(sku(KINDS[*kind].1)));
            let quantity = Quantity::try_new(i64::from(*pieces)).ok();
            let changed = app::change(carts, &Shop, me, number, named, quantity);
            (changed.is_ok(), model.change(*kind, *pieces))
        }
        Step::Remove { kind } => {
            let (number, named) = (product(KINDS[*kind].0), Some(sku(KINDS[*kind].1)));
            app::remove(carts, me, number, named).unwrap();
            model.pieces.remove(kind);
            (true, true)
        }
        Step::Clear => {
            app::clear(carts, me).unwrap();
            model.pieces.clear();
            (true, true)
        }
        Step::Buy { order: number } => {
            let lines = app::lines(carts, me).unwrap();
            let taken = app::take(carts, order(*number), me, &lines, NOW).unwrap();
            let all: Vec<_> = model.pieces.clone().into_iter().collect();
            (taken.is_new(), model.take(*number, &all))
        }
        Step::Take { order: number, lines } => {
            let of = |(kind, pieces): &(usize, u32)| line(KINDS[*kind].0, KINDS[*kind].1, *pieces);
            let bought: Vec<Line> = lines.iter().map(of).collect();
            let taken = app::take(carts, order(*number), me, &bought, NOW).unwrap();
            (taken.is_new(), model.take(*number, lines))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_cart_is_what_arithmetic_says(steps in prop::collection::vec(step(), 1..50)) {
        let carts = carts();
        let mut model = Model::default();
        for step in &steps {
            let (said, expected) = take_step(step, &carts, &mut model);
            prop_assert_eq!(said, expected, "{:?}", step);
            prop_assert_eq!(app::lines(&carts, user(42)).unwrap(), model.lines(), "{:?}", step);
        }
    }
}
