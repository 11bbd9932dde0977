//! What every HTTP component says the same way: problems, JSON bodies, identity, pages.
