//! What an account is, which e-mails, names and passwords it may have, and when a session goes on.

mod account;
mod email;
mod password;
mod profile;
mod session;

pub use account::{Account, Barred, Role, Status};
pub use email::{Email, EmailRefused};
pub use password::{Argon2id, DUMMY_HASH, HashError, Hashing, Password, PasswordRefused, SALT_BYTES};
pub use profile::{Name, NameRefused, Phone, PhoneRefused};
pub use session::{Renewal, RenewalRefused, SessionId, TokenId, TokenState};
