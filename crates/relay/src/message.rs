//! The JSON on the bus:
//! `{"producer":"payment","events":[{"id":"…","topic":"…","key":"…","position":1,"occurredAt":0,"data":{…}}]}`,
//! and in each event `"traceparent":"…"` when it was written in a trace (W3C Trace Context).
//!
//! Instants are whole microseconds. Fields that are not known are passed over, so that a newer producer may
//! say more than an older consumer reads.

use kernel::Instant;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::{Malformed, check_text};
use crate::trace::traceparent;
use crate::{Delivery, Event};

/// Events in one message at most.
pub const MAX_EVENTS: usize = 100;

/// A message is not made larger than this, unless a single event is.
pub const MAX_BYTES: usize = 256 * 1024;

/// A message is not read if it is larger than this; brokers refuse more as well.
pub const MAX_TAKEN_BYTES: usize = 1024 * 1024;

const MAX_PRODUCER: usize = 64;

/// Of so many times that an event is published, the last is without company.
const ALONE_EVERY: u32 = 4;

/// Events of one producer on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The domain they happened in.
    pub producer: String,
    /// What happened; at least one event.
    pub events: Vec<Event>,
}

/// A message ready for the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The JSON.
    pub text: String,
    /// How many events are in it.
    pub events: u32,
}

/// Events made into messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packed {
    /// The messages, in the order of the events.
    pub parcels: Vec<Parcel>,
    /// Positions of events that can't travel, and why: defects of their producer, told with the first
    /// publishing only.
    pub refused: Vec<(u64, EncodeError)>,
}

/// Why something can't be put on the bus: a defect of its producer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A field can't be.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Nobody would read a message of its size.
    #[error("more than the {MAX_TAKEN_BYTES} bytes that are read")]
    TooLarge,
    /// A message tells of something.
    #[error("{0} events; a message has 1 to {MAX_EVENTS}")]
    Count(usize),
}

/// Why something from the bus is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It was not even looked at, and a broker may have cut it.
    #[error("more than the {MAX_TAKEN_BYTES} bytes that are read")]
    TooLarge,
    /// It is not UTF-8.
    #[error("not a text")]
    NotText,
    /// It is not JSON, or not of this form.
    #[error("not a message: {0}")]
    NotAMessage(String),
    /// It has no producer by that name.
    #[error(transparent)]
    Producer(#[from] Malformed),
    /// It has too many events, or none.
    #[error("{0} events; a message has 1 to {MAX_EVENTS}")]
    Count(usize),
    /// One of its events is none.
    #[error("events[{place}]: {why}")]
    Event {
        /// Which one, from 0.
        place: usize,
        /// What is wrong with it.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEvent {
    id: String,
    topic: String,
    key: String,
    position: u64,
    occurred_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    data: Box<RawValue>,
}

#[derive(Deserialize)]
struct WireMessage<'a> {
    producer: String,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

/// The channel that the events of `producer` travel on.
pub fn channel(producer: &str) -> String {
    format!("shop.{producer}")
}

impl Message {
    /// The message as JSON.
    pub fn encode(&self) -> Result<String, EncodeError> {
        if self.events.is_empty() || self.events.len() > MAX_EVENTS {
            return Err(EncodeError::Count(self.events.len()));
        }
        let mut open = Open::new(&self.producer)?;
        for event in &self.events {
            open.push(&encode_event(event)?);
        }
        let parcel = open.close();
        match parcel.text.len() {
            ..=MAX_TAKEN_BYTES => Ok(parcel.text),
            _ => Err(EncodeError::TooLarge),
        }
    }

    /// Reads a message from the bus. Anybody may have written it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_TAKEN_BYTES {
            return Err(DecodeError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::NotText)?;
        let wire: WireMessage<'_> = object(text).map_err(DecodeError::NotAMessage)?;
        check_text("producer", &wire.producer, MAX_PRODUCER)?;
        if wire.events.is_empty() || wire.events.len() > MAX_EVENTS {
            return Err(DecodeError::Count(wire.events.len()));
        }
        let events = wire
            .events
            .iter()
            .enumerate()
            .map(|(place, raw)| decode_event(raw.get()).map_err(|why| DecodeError::Event { place, why }));
        Ok(Self {
            events: events.collect::<Result<_, _>>()?,
            producer: wire.producer,
        })
    }
}

/// Makes messages of events that are due: up to 100 events and 256 KiB each. Every fourth time an event is
/// published it travels alone, in case it was the company that kept it from being read; not each time, or
/// what has piled up while a consumer was away would come in one by one.
///
/// In the place of an event that can't travel goes its tombstone ([`Event::undeliverable`]), so that
/// consumers can put it aside and acknowledge what is behind it.
pub fn pack(producer: &str, deliveries: &[Delivery]) -> Packed {
    let mut packed = Packed::default();
    let mut open: Option<Open> = None;
    for Delivery { event, published } in deliveries {
        let (new, text) = match begin(producer, event) {
            Ok(begun) => begun,
            Err(error) => {
                let tombstone = begin(producer, &event.tombstone(&error));
                if *published == 0 || tombstone.is_err() {
                    packed.refused.push((event.position, error));
                }
                // Without a producer or a position there is nothing that could travel.
                let Ok(begun) = tombstone else { continue };
                begun
            }
        };
        let alone = published % ALONE_EVERY == ALONE_EVERY - 1;
        let fits = open.as_ref().is_some_and(|open| !alone && open.takes(&text));
        if !fits {
            packed.parcels.extend(open.take().map(Open::close));
        }
        let mut message = open.take().unwrap_or(new);
        message.push(&text);
        if alone {
            packed.parcels.push(message.close());
        } else {
            open = Some(message);
        }
    }
    packed.parcels.extend(open.map(Open::close));
    packed
}

/// An event in JSON, and an empty message that it fits into.
fn begin(producer: &str, event: &Event) -> Result<(Open, String), EncodeError> {
    let (open, text) = (Open::new(producer)?, encode_event(event)?);
    match open.len_with(&text) {
        ..=MAX_TAKEN_BYTES => Ok((open, text)),
        _ => Err(EncodeError::TooLarge),
    }
}

/// A message that is being written.
struct Open {
    text: String,
    events: usize,
}

/// What ends a message.
const END: &str = "]}";

impl Open {
    fn new(producer: &str) -> Result<Self, Malformed> {
        check_text("producer", producer, MAX_PRODUCER)?;
        let name = serde_json::Value::from(producer);
        Ok(Self {
            text: format!("{{\"producer\":{name},\"events\":["),
            events: 0,
        })
    }

    fn takes(&self, event: &str) -> bool {
        self.events < MAX_EVENTS && self.len_with(event) <= MAX_BYTES
    }

    /// How long the message would be with one more event.
    fn len_with(&self, event: &str) -> usize {
        let comma = usize::from(self.events > 0);
        self.text.len() + comma + event.len() + END.len()
    }

    fn push(&mut self, event: &str) {
        if self.events > 0 {
            self.text.push(',');
        }
        self.text.push_str(event);
        self.events += 1;
    }

    fn close(mut self) -> Parcel {
        self.text.push_str(END);
        Parcel {
            text: self.text,
            events: u32::try_from(self.events).expect("no more than a message takes"),
        }
    }
}

fn encode_event(event: &Event) -> Result<String, EncodeError> {
    event.check()?;
    if event.data.len() > MAX_TAKEN_BYTES {
        return Err(EncodeError::TooLarge);
    }
    let data = RawValue::from_string(event.data.clone()).map_err(|_| Malformed::Data)?;
    check_data(&data)?;
    let wire = WireEvent {
        id: event.id.clone(),
        topic: event.topic.clone(),
        key: event.key.clone(),
        position: event.position,
        occurred_at: event.occurred_at.micros(),
        traceparent: known_trace(event.traceparent.as_deref()),
        data,
    };
    serde_json::to_string(&wire).map_err(|_| Malformed::Data.into())
}

fn decode_event(text: &str) -> Result<Event, String> {
    let wire: WireEvent = object(text)?;
    check_data(&wire.data).map_err(|error| error.to_string())?;
    let event = Event {
        id: wire.id,
        topic: wire.topic,
        key: wire.key,
        position: wire.position,
        occurred_at: Instant::from_micros(wire.occurred_at),
        data: String::from(Box::<str>::from(wire.data)),
        traceparent: known_trace(wire.traceparent.as_deref()),
    };
    event.check().map_err(|error| error.to_string())?;
    Ok(event)
}

/// One that is none is passed over: the event happened, whoever traced it.
fn known_trace(text: Option<&str>) -> Option<String> {
    text.and_then(traceparent).map(str::to_owned)
}

fn check_data(data: &RawValue) -> Result<(), Malformed> {
    if data.get().starts_with('{') {
        Ok(())
    } else {
        Err(Malformed::Data)
    }
}

/// Reads an object; an array of the right values would pass for one otherwise, field by field.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    if !text.trim_start().starts_with('{') {
        return Err("expected a JSON object".to_owned());
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}
