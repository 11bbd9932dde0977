//! Orders and their saga.
