//! The rules: what may be reserved, committed, released and taken back, and when. No I/O, no clock.

mod history;
mod level;
mod line;
mod reservation;

pub use history::{Change, Kind};
pub use level::{Level, Shortage, refusal};
pub use line::{Line, Lines, LinesError, MAX_LINES};
pub use reservation::{CommitRefused, ReleaseRefused, Reservation, ReserveRefused, State, TakeBackRefused};
