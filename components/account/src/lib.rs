//! Accounts: sign-up, login, who am I.
