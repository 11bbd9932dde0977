//! SQLite for many guests.
