//! One shop in this process, and everything around it that a test owns.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use broker::{Address, Broker, Message, Subscription, Verdict};
use bytes::Bytes;
use host::{App, CompileCache, GuestLog, Options, Server};
use kernel::Instant;
use manifest::{CliVariables, Limits, Manifest};
use serde_json::Value;
use tempfile::TempDir;
use testkit::servers::Postgres;
use tests::{Client, Profile, stock_up, token_at, workspace};
use tokio::sync::oneshot;
use web::Role;

use crate::switch::Switch;

/// Longer than any lease: whoever held one is taken for dead.
pub(crate) const LAPSED: Duration = Duration::from_secs(21);

/// How often recovery may have to run until nothing is left: events are published again later and later.
const ROUNDS: u32 = 12;

/// A clock that shows what the test wants.
#[derive(Debug)]
pub(crate) struct WorldClock(AtomicU64);

impl WorldClock {
    pub(crate) fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::SeqCst) as i64)
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_micros() as u64, Ordering::SeqCst);
    }

    /// Shows exactly this moment.
    pub(crate) fn set(&self, at: Instant) {
        self.0.store(at.micros() as u64, Ordering::SeqCst);
    }
}

impl host::Clock for WorldClock {
    fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A message that was published and not delivered yet.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub(crate) payload: Bytes,
}

/// The shop, its clock, its faults and its network.
pub(crate) struct World {
    pub(crate) clock: Arc<WorldClock>,
    pub(crate) faults: Arc<Switch>,
    app: App,
    address: SocketAddr,
    published: Arc<Mutex<Vec<Published>>>,
    _stop: Vec<oneshot::Sender<()>>,
    folder: TempDir,
    /// Its databases, where they are not files.
    _postgres: Option<Postgres>,
}

impl World {
    /// The shop as it is built.
    pub(crate) async fn start(variables: &[&str]) -> Result<Self> {
        Self::of(&workspace().join("target/components"), variables).await
    }

    /// The shop with these components.
    pub(crate) async fn of(components: &Path, variables: &[&str]) -> Result<Self> {
        let postgres = match Profile::of_this_run()? {
            Profile::Sqlite => None,
            // There is one process in this world, so nothing else is shared.
            Profile::Postgres | Profile::Replicas => {
                Some(Postgres::start().context("this profile needs a Postgres")?)
            }
        };
        Self::at(folder()?, postgres, components, variables).await
    }

    /// The shop with its data in files, whatever the environment says.
    pub(crate) async fn on_sqlite() -> Result<Self> {
        Self::at(folder()?, None, &workspace().join("target/components"), &[]).await
    }

    /// The shop with its data in this server.
    pub(crate) async fn on_postgres(server: Postgres) -> Result<Self> {
        Self::at(
            folder()?,
            Some(server),
            &workspace().join("target/components"),
            &[],
        )
        .await
    }

    async fn at(
        folder: TempDir,
        postgres: Option<Postgres>,
        components: &Path,
        variables: &[&str],
    ) -> Result<Self> {
        if let Some(server) = &postgres {
            tests::name_postgres(folder.path(), server)?;
        }
        let clock = Arc::new(WorldClock(AtomicU64::new(1_790_000_000_000_000)));
        let faults = Arc::new(Switch::default());
        let broker = Broker::new();
        let options = Options {
            variables: CliVariables::parse(&given(folder.path(), variables))?,
            state_dir: Some(folder.path().to_owned()),
            cache: CompileCache::Dir(workspace().join("target/bodega-compiled")),
            guest_log: GuestLog {
                quiet: true,
                ..GuestLog::default()
            },
            faults: faults.clone(),
            clock: clock.clone(),
            broker: broker.clone(),
            // Several worlds share this process's addresses, and each pool reserves terabytes of them.
            limits: Limits {
                max_concurrent_requests: Some(64),
                ..Limits::default()
            },
            ..Options::default()
        };
        let manifest = Manifest::load(&lay_out(folder.path(), components)?)?;
        let app = App::load(&manifest, options).await?;
        let server = Server::bind(app.clone(), SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server.serve(async move {
            let _ = stopped.await;
        }));
        let published = Arc::default();
        let mut stops = vec![stop];
        for channel in ["shop.payment", "shop.order"] {
            stops.push(listen(&broker, channel, &published)?);
        }
        let world = Self {
            clock,
            faults,
            app,
            address,
            published,
            _stop: stops,
            folder,
            _postgres: postgres,
        };
        // The subscriptions are there once they have heard something; and the first call makes the tables.
        world.jobs().await?;
        for sku in [1, 2] {
            world.visitor().get(&format!("/products/{sku}")).await?;
        }
        Ok(world)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn stock_up(&self, sku: u64, pieces: u64) -> Result<()> {
        stock_up(self.folder(), sku, pieces)
    }

    pub(crate) fn visitor(&self) -> Client {
        Client::at(&format!("http://{}", self.address))
    }

    /// A customer with a token that is good now.
    pub(crate) fn customer(&self, number: u64) -> Client {
        self.visitor()
            .with_token(&token_at(1_000 + number, Role::User, self.clock.now()))
    }

    /// Somebody who runs the shop.
    pub(crate) fn admin(&self) -> Client {
        self.visitor()
            .with_token(&token_at(1, Role::Admin, self.clock.now()))
    }

    /// Runs the jobs once: recovery, expiry, publishing.
    pub(crate) async fn jobs(&self) -> Result<Value> {
        let reply = self
            .visitor()
            .with_token(&tests::jobs_key())
            .post("/internal/jobs/run", &Value::Null)
            .await?;
        ensure!(reply.status == 200, "the jobs: {reply:?}");
        Ok(reply.json)
    }

    /// What was published since the last time it was asked for.
    pub(crate) async fn published(&self) -> Vec<Published> {
        // The bus is in this process: what was sent is handed over as soon as its task gets to run.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        std::mem::take(&mut self.published.lock().unwrap())
    }

    /// Hands one message to settlement; whether it was taken.
    pub(crate) async fn deliver(&self, message: &Published) -> bool {
        self.app
            .deliver("settlement", message.payload.clone())
            .await
            .is_ok()
    }

    /// Runs jobs and delivers events until nothing is left to do.
    pub(crate) async fn recover(&self) -> Result<()> {
        self.clock.advance(LAPSED);
        let mut broken = Vec::new();
        for round in 0..ROUNDS {
            self.jobs().await?;
            for message in self.published().await {
                self.deliver(&message).await;
            }
            broken = self.broken()?;
            if broken.is_empty() {
                return Ok(());
            }
            // Orders are recovered at once; an event that was lost comes again after a while.
            self.clock.advance(Duration::from_secs(6 << round.min(5)));
        }
        anyhow::bail!("{}", broken.join("\n"))
    }

    /// Every broken invariant.
    pub(crate) fn broken(&self) -> Result<Vec<String>> {
        let mut broken = tests::audit(self.folder())?;
        broken.extend(tests::audit_events(self.folder())?);
        Ok(broken)
    }
}

/// Collects what is published on a channel, as the network would.
fn listen(
    broker: &Broker,
    channel: &str,
    published: &Arc<Mutex<Vec<Published>>>,
) -> Result<oneshot::Sender<()>> {
    let (stop, stopped) = oneshot::channel::<()>();
    let subscription = Subscription {
        address: Address::parse("local://events")?,
        channel: channel.to_owned(),
        name: "the test".to_owned(),
    };
    let (broker, published) = (broker.clone(), published.clone());
    tokio::spawn(async move {
        let keep = |message: Message| {
            published.lock().unwrap().push(Published {
                payload: message.payload,
            });
            std::future::ready(Verdict::Done)
        };
        let stopped = async {
            let _ = stopped.await;
        };
        broker.subscribe(subscription, keep, stopped).await;
    });
    Ok(stop)
}

/// In memory where there is such a place: what a power cut leaves behind is tested elsewhere.
fn folder() -> Result<TempDir> {
    let memory = PathBuf::from("/dev/shm");
    match memory.is_dir() {
        true => Ok(tempfile::tempdir_in(memory)?),
        false => Ok(tempfile::tempdir()?),
    }
}

/// The variables of every world; what costs 75,000 is not paid for.
fn given(folder: &Path, variables: &[&str]) -> Vec<String> {
    // Flag and value by turns, of which the values are wanted.
    let databases = tests::database_flags(folder).into_iter().skip(1).step_by(2);
    let all = tests::secrets().into_iter().chain(tests::unlimited());
    all.map(|(name, value)| format!("{name}={value}"))
        .chain(["fake_pg_rules=refuse amount=75000 REJECT_CARD_PAYMENT".to_owned()])
        .chain(databases)
        .chain(variables.iter().map(|&text| text.to_owned()))
        .collect()
}

/// The shop's own manifest, but that nothing ticks by itself.
fn lay_out(folder: &Path, components: &Path) -> Result<PathBuf> {
    let text = std::fs::read_to_string(workspace().join("spin.toml"))?;
    let cron = text
        .find("[[trigger.cron]]")
        .context("the shop has a cron trigger")?;
    let after = text[cron..].find("\n\n").context("and something after it")?;
    let without = format!("{}{}", &text[..cron], &text[cron + after..]);
    let built = format!("{}/", components.display());
    let path = folder.join("spin.toml");
    std::fs::write(&path, without.replace("target/components/", &built))?;
    Ok(path)
}
