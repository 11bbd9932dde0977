//! Products: names, prices, SKUs.
