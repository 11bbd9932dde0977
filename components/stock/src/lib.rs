//! Stock: reserve, commit, release, never below zero.
