//! What an account is, which e-mails, names and passwords it may have, and when a session goes on.

mod account;
mod change;
mod email;
mod password;
mod profile;
mod search;
mod session;

/// What may stand around what somebody typed or pasted, and is no part of it.
pub(crate) const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

pub use account::{Account, Barred, Grade, Role, Status};
pub use change::{Actor, Change, ChangeRefused, Difference, Unchanged};
pub use email::{Email, EmailRefused};
pub use password::{Argon2id, DUMMY_HASH, HashError, Hashing, Password, PasswordRefused, SALT_BYTES};
pub use profile::{Name, NameRefused, Phone, PhoneRefused};
pub use search::{Filter, SearchText, SearchTextRefused, fold};
pub use session::{Exchange, Renewal, RenewalRefused, Salt, SessionId, TokenId, TokenState};
