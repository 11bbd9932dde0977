//! Rules of the tree, contracts, and journeys through the running shop.
