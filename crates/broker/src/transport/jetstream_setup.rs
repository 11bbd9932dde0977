//! JetStream: the streams and consumers that must be there, and publishing into a stream.

use crate::address::JetStream;
use crate::{MAX_PAYLOAD, RESPONSE_TIMEOUT};
use async_nats::Client;
use async_nats::jetstream::consumer::{AckPolicy, Info, PullConsumer, pull};
use async_nats::jetstream::context::{ConsumerInfoErrorKind, Context, ContextBuilder, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use bytes::Bytes;
use serde_json::Value;
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::Mutex;

/// A stream is a way, not a store: who published still has what was not acknowledged.
const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const MAX_BYTES: i64 = 256 * 1024 * 1024;

/// How many subjects are remembered as being in their streams.
const REMEMBERED: usize = 1024;

/// JetStream on one connection.
#[derive(Debug)]
pub(super) struct Setup {
    context: Context,
    /// Streams and their subjects that were there when somebody looked.
    known: Mutex<HashSet<(String, String)>>,
}

impl Setup {
    pub(super) fn new(client: Client) -> Self {
        let context = ContextBuilder::new()
            .timeout(RESPONSE_TIMEOUT)
            .ack_timeout(RESPONSE_TIMEOUT)
            .build(client);
        Self {
            context,
            known: Mutex::default(),
        }
    }

    /// Puts `payload` into the stream and waits until it is there.
    pub(super) async fn publish(&self, stream: &str, subject: &str, payload: Bytes) -> Result<(), String> {
        self.ensure_stream(stream, subject).await?;
        match self.send(stream, subject, payload.clone()).await? {
            Sent::Stored => Ok(()),
            // Somebody removed the stream, or the subject from it, since we looked.
            Sent::Homeless => {
                self.known.lock().await.clear();
                self.ensure_stream(stream, subject).await?;
                match self.send(stream, subject, payload).await? {
                    Sent::Stored => Ok(()),
                    Sent::Homeless => Err(format!("no stream takes {subject}")),
                }
            }
        }
    }

    /// No header goes along, not even the stream's name: it would count against the size of the message.
    async fn send(&self, stream: &str, subject: &str, payload: Bytes) -> Result<Sent, String> {
        let message = PublishMessage::build().payload(payload);
        let sent = self.context.send_publish(subject.to_owned(), message);
        let answer = match sent.await {
            Ok(answer) => answer.await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(place) if place.stream == stream => Ok(Sent::Stored),
            Ok(place) => Err(format!(
                "{subject} belongs to the stream {}, not {stream}",
                place.stream
            )),
            Err(error) if error.kind() == PublishErrorKind::StreamNotFound => Ok(Sent::Homeless),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Makes sure that the stream is there and takes the subject.
    ///
    /// Two processes that add a subject at the same time may lose one of them. Who publishes to the
    /// lost one notices and adds it again, so no message is lost.
    async fn ensure_stream(&self, stream: &str, subject: &str) -> Result<(), String> {
        let place = (stream.to_owned(), subject.to_owned());
        // Held to the end, so that the subscribers of one process do not undo each other's work.
        let mut known = self.known.lock().await;
        if known.contains(&place) {
            return Ok(());
        }
        let mut trouble = String::new();
        for _ in 0..4 {
            let Some(config) = self.stream_config(stream).await? else {
                trouble = self
                    .create_stream(stream, subject)
                    .await
                    .err()
                    .unwrap_or_default();
                continue;
            };
            let subjects = subjects(&config);
            if subjects.iter().any(|pattern| covers(pattern, subject)) {
                if known.len() >= REMEMBERED {
                    known.clear();
                }
                known.insert(place);
                return Ok(());
            }
            trouble = self
                .add_subject(stream, config, subjects, subject)
                .await
                .err()
                .unwrap_or_default();
        }
        Err(format!("the stream {stream} does not take {subject}: {trouble}"))
    }

    /// The configuration as the server has it. It is kept as JSON, so that what this program does
    /// not know stays when a subject is added.
    async fn stream_config(&self, stream: &str) -> Result<Option<Value>, String> {
        let mut answer = self.ask(format!("STREAM.INFO.{stream}"), &Value::Null).await?;
        match fault(&answer) {
            None => Ok(Some(answer["config"].take())),
            Some((404, _)) => Ok(None),
            Some((_, text)) => Err(text),
        }
    }

    async fn create_stream(&self, stream: &str, subject: &str) -> Result<(), String> {
        let config = Config {
            name: stream.to_owned(),
            subjects: vec![subject.to_owned()],
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            discard: DiscardPolicy::Old,
            max_age: MAX_AGE,
            max_bytes: MAX_BYTES,
            max_message_size: i32::try_from(MAX_PAYLOAD).unwrap_or(i32::MAX),
            ..Config::default()
        };
        let created = self.context.create_stream(config).await;
        created.map(drop).map_err(|error| error.to_string())?;
        tracing::info!(stream, subject, "made a stream");
        Ok(())
    }

    async fn add_subject(
        &self,
        stream: &str,
        mut config: Value,
        mut subjects: Vec<String>,
        subject: &str,
    ) -> Result<(), String> {
        // Subjects of a stream must not overlap.
        subjects.retain(|known| !covers(subject, known));
        subjects.push(subject.to_owned());
        config["subjects"] = subjects.into();
        let answer = self.ask(format!("STREAM.UPDATE.{stream}"), &config).await?;
        match fault(&answer) {
            None => {
                tracing::info!(stream, subject, "added a subject to a stream");
                Ok(())
            }
            Some((_, text)) => Err(text),
        }
    }

    async fn ask(&self, subject: String, request: &Value) -> Result<Value, String> {
        let answer = self.context.request(subject, request).await;
        answer.map_err(|error| error.to_string())
    }

    /// The durable consumer, made or brought up to date. How often a message is delivered is not left
    /// to the server, since it would give up without a word.
    pub(super) async fn consumer(
        &self,
        options: &JetStream,
        durable: &str,
        subject: &str,
    ) -> Result<PullConsumer, String> {
        self.ensure_stream(&options.stream, subject).await?;
        let stream = self.context.get_stream(&options.stream).await;
        let stream = stream.map_err(|error| error.to_string())?;
        let config = match stream.consumer_info(durable).await {
            Ok(info) => existing(&info, options, subject)?,
            Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => fresh(options, durable, subject),
            Err(error) => return Err(error.to_string()),
        };
        stream
            .create_consumer(config)
            .await
            .map_err(|error| format!("the durable consumer {durable} of {}: {error}", options.stream))
    }
}

enum Sent {
    Stored,
    /// No stream takes the subject.
    Homeless,
}

fn fresh(options: &JetStream, durable: &str, subject: &str) -> pull::Config {
    pull::Config {
        durable_name: Some(durable.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: options.ack_wait,
        filter_subject: subject.to_owned(),
        max_deliver: -1,
        ..pull::Config::default()
    }
}

/// The consumer as it is, with the waiting time of the address. Another subject is somebody else's.
fn existing(info: &Info, options: &JetStream, subject: &str) -> Result<pull::Config, String> {
    let known = &info.config;
    if known.filter_subject != subject || known.ack_policy != AckPolicy::Explicit {
        return Err(format!(
            "the durable consumer {} of {} is for {:?}, not {subject:?}: name another one",
            info.name, info.stream_name, known.filter_subject
        ));
    }
    Ok(pull::Config {
        durable_name: known.durable_name.clone(),
        description: known.description.clone(),
        deliver_policy: known.deliver_policy,
        ack_policy: AckPolicy::Explicit,
        ack_wait: options.ack_wait,
        filter_subject: subject.to_owned(),
        max_deliver: -1,
        replay_policy: known.replay_policy,
        max_ack_pending: known.max_ack_pending,
        max_waiting: known.max_waiting,
        num_replicas: known.num_replicas,
        memory_storage: known.memory_storage,
        ..pull::Config::default()
    })
}

/// The error in an answer of the server: its code and its text.
fn fault(answer: &Value) -> Option<(u64, String)> {
    let error = answer.get("error")?;
    let code = error["code"].as_u64().unwrap_or(500);
    let text = error["description"].as_str().unwrap_or("it did not say why");
    Some((code, text.to_owned()))
}

fn subjects(config: &Value) -> Vec<String> {
    let list = config["subjects"].as_array();
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// Whether everything that `subject` (which may have wildcards too) stands for is in `pattern`.
fn covers(pattern: &str, subject: &str) -> bool {
    let mut words = subject.split('.');
    for expected in pattern.split('.') {
        match (expected, words.next()) {
            (_, None) => return false,
            (">", Some(_)) => return true,
            ("*", Some(word)) if word != ">" => {}
            (expected, Some(word)) if expected == word => {}
            _ => return false,
        }
    }
    words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn wildcards_cover_what_they_stand_for() {
        for (pattern, subject) in [
            ("shop.order", "shop.order"),
            ("shop.*", "shop.order"),
            ("shop.*", "shop.*"),
            ("shop.>", "shop.order"),
            ("shop.>", "shop.order.paid"),
            ("shop.>", "shop.>"),
            (">", "shop.*"),
            ("*.order", "*.order"),
        ] {
            assert!(covers(pattern, subject), "{pattern} {subject}");
        }
        for (pattern, subject) in [
            ("shop.order", "shop.payment"),
            ("shop.order", "shop.*"),
            ("shop.*", "shop.>"),
            ("shop.*", "shop"),
            ("shop.*", "shop.order.paid"),
            ("shop.>", "shop"),
            ("shop", "shop.order"),
            ("*", ">"),
        ] {
            assert!(!covers(pattern, subject), "{pattern} {subject}");
        }
    }
}
