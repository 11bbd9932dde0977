//! What the tests of every crate need: a manual clock, seeded ids, a running shop.
