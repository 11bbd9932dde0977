//! Listeners that remember what they got, and waiting that does not depend on how fast a machine is.

use broker::{Address, Broker, Message, Subscription, Verdict};
use bytes::Bytes;
use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing_subscriber::fmt::MakeWriter;

/// Nothing that works takes so long, however busy the machine is.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(10);

/// Looks again and again until `look` finds something.
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it never happened: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn text(payload: &str) -> Bytes {
    Bytes::copy_from_slice(payload.as_bytes())
}

/// A subscriber that runs by itself and remembers every message it was handed.
pub(crate) struct Listener {
    received: Arc<Mutex<Vec<Message>>>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// A subscriber that handles everything at once and well.
pub(crate) fn listen(broker: &Broker, address: &Address, channel: &str, name: &str) -> Listener {
    listen_with(broker, address, channel, name, |_| {
        std::future::ready(Verdict::Done)
    })
}

/// A subscriber that does what `handle` says with each message, after remembering it.
pub(crate) fn listen_with<H, F>(
    broker: &Broker,
    address: &Address,
    channel: &str,
    name: &str,
    mut handle: H,
) -> Listener
where
    H: FnMut(Message) -> F + Send + 'static,
    F: Future<Output = Verdict> + Send,
{
    let received = Arc::new(Mutex::new(Vec::new()));
    let (stop, stopped) = oneshot::channel::<()>();
    let subscription = Subscription {
        address: address.clone(),
        channel: channel.to_owned(),
        name: name.to_owned(),
    };
    let (broker, kept) = (broker.clone(), received.clone());
    let task = tokio::spawn(async move {
        let handle = |message: Message| {
            kept.lock().unwrap().push(message.clone());
            handle(message)
        };
        let stopped = async move {
            let _ = stopped.await;
        };
        broker.subscribe(subscription, handle, stopped).await;
    });
    Listener {
        received,
        stop: Some(stop),
        task,
    }
}

impl Listener {
    /// Everything so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.received.lock().unwrap().clone()
    }

    /// Everything so far, as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        let messages = self.messages();
        let texts = messages
            .iter()
            .map(|it| String::from_utf8(it.payload.to_vec()).unwrap());
        texts.collect()
    }

    pub(crate) fn has(&self, payload: &str) -> bool {
        self.messages().iter().any(|it| it.payload == payload)
    }

    /// Waits until it got `payload`.
    pub(crate) async fn hears(&self, payload: &str) {
        until(payload, || self.has(payload).then_some(())).await;
    }

    /// Waits until it got so many messages, and answers them.
    pub(crate) async fn count(&self, count: usize) -> Vec<Message> {
        let what = format!("{count} messages");
        until(&what, || Some(self.messages()).filter(|it| it.len() >= count)).await
    }

    /// Publishes `payload` again and again until it is heard: for brokers that keep nothing, that
    /// is when the subscription has begun.
    pub(crate) async fn called(&self, broker: &Broker, address: &Address, channel: &str, payload: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.has(payload) {
            assert!(Instant::now() < deadline, "never heard {payload}");
            // The server may be away, or the subscriber not back yet.
            let _ = broker.publish(address, channel, text(payload)).await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.task).await.unwrap();
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) async fn crash(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server that takes connections and says nothing.
pub(crate) fn silent_server() -> (TcpListener, u16) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    (server, port)
}

/// Everything that this thread logs, at every level, libraries included.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Begins to record; ends with the guard.
    pub(crate) fn record() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// How many lines have all of `parts`.
    pub(crate) fn lines(&self, parts: &[&str]) -> usize {
        let text = self.text();
        let lines = text
            .lines()
            .filter(|line| parts.iter().all(|part| line.contains(part)));
        lines.count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
