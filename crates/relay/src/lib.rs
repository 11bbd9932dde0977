//! Events on their way from the domain they happened in to every other, over a bus that may lose, repeat
//! and reorder whatever it likes.
//!
//! ```text
//! producer: change + row in outbox ──▶ drain: position, due again later ──▶ message ──▶ bus
//! consumer: message ──▶ apply: change + row in inbox ──▶ mark ──▶ acknowledgement ──▶ the next drain
//! ```
//!
//! * [`event`]: what travels;
//! * [`outbox`]: the producer's side, over the tables of `schema/create_relay.sql`;
//! * [`message`]: the JSON on the bus, and its limits;
//! * [`inbox`]: the consumer's side, over the tables of `schema/create_inbox.sql`;
//! * [`acknowledgement`]: how a consumer says how far it is;
//! * [`trace`]: which trace an event belongs to.
//!
//! Why every event is applied exactly once: its row in the outbox stands or falls with its change; it stays
//! due until a consumer's mark has passed it; the mark passes only what is in the inbox; and a row gets
//! into the inbox once, in the transaction of its effect.
//!
//! A component's own migrations `NNNN_create_relay.sql` (producers), `NNNN_create_inbox.sql` (consumers) and those that
//! add to them are copies of the files in `schema/`, byte for byte; a test here compares them.

pub mod acknowledgement;
pub mod event;
pub mod inbox;
pub mod message;
pub mod outbox;
pub mod trace;

pub use event::{Delivery, Event};
pub use message::Message;
