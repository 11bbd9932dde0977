//! Money, ids, instants and outcomes: the words every domain shares.
