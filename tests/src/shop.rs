use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use store::{DbError, params};
use tempfile::TempDir;
use web::Role;

use crate::books;
use crate::client::{Client, Door};
use crate::keys::{secrets, token_of, unlimited};
use crate::profile::{Profile, Servers};

/// How long a shop may take to serve; a first start compiles the components.
const START: Duration = Duration::from_secs(120);

/// How long events may take until all of them have arrived, on a busy machine.
const SETTLED: Duration = Duration::from_secs(60);

/// The account of [`Shop::admin`]; nobody signs up with it.
const ADMIN: u64 = 1;

/// A shop in a folder of its own: one process, or several that are one shop. It is killed when dropped.
pub struct Shop {
    host: PathBuf,
    manifest: PathBuf,
    folder: TempDir,
    /// What every process is told of the servers.
    shared: Vec<String>,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    /// How many processes it is, in the places 0, 1, 2 …
    count: usize,
    /// Those that run, by their places.
    running: BTreeMap<usize, Child>,
    door: Arc<Door>,
    servers: Servers,
}

/// Somebody who has signed up and logged in.
pub struct Signup {
    /// The account's id.
    pub id: u64,
    /// Talks with the account's token.
    pub client: Client,
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the workspace is there")
}

impl Shop {
    /// Starts a shop with fresh data.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Starts a shop with fresh data and more flags for the host, such as `--variable a=b`.
    pub fn start_with(flags: &[&str]) -> Result<Self> {
        let mut shop = Self::prepare(&workspace().join("spin.toml"), flags)?;
        shop.resume()?;
        Ok(shop)
    }

    /// Lays out the folder for an application of this manifest, on what this run's profile asks for;
    /// [`Shop::resume`] starts it.
    pub fn prepare(manifest: &Path, flags: &[&str]) -> Result<Self> {
        let profile = Profile::of_this_run()?;
        Self::on(profile.servers()?, profile.processes(), manifest, flags)
    }

    /// So many processes that are one shop on these servers, whatever the profile; [`Shop::resume`] starts them.
    pub fn cluster(servers: Servers, processes: usize) -> Result<Self> {
        Self::on(servers, processes, &workspace().join("spin.toml"), &[])
    }

    fn on(servers: Servers, count: usize, manifest: &Path, flags: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let given = secrets().into_iter().chain(unlimited());
        let secrets: String = given
            .map(|(name, value)| format!("{name} = \"{value}\"\n"))
            .collect();
        std::fs::write(folder.path().join("secrets.toml"), secrets)?;
        Ok(Self {
            host: workspace().join("target/debug/bodega"),
            manifest: manifest.to_owned(),
            shared: servers.lay_out(folder.path())?,
            folder,
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            environment: Vec::new(),
            count,
            running: BTreeMap::new(),
            door: Arc::default(),
            servers,
        })
    }

    /// The same with another build of the host than the workspace's own.
    pub fn hosted_by(mut self, host: &Path) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Sets a variable of the host's environment.
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the shop, on the data it had if it has run before. Of several processes, all that do not run start
    /// at the same moment.
    pub fn resume(&mut self) -> Result<()> {
        let missing = (0..self.count).filter(|place| !self.running.contains_key(place));
        let missing: Vec<usize> = missing.collect();
        self.start_all(&missing)
    }

    /// Starts the process in this place, which did not run.
    pub fn resume_one(&mut self, place: usize) -> Result<()> {
        self.start_all(&[place])
    }

    /// Starts one process more; answers its place.
    pub fn grow(&mut self) -> Result<usize> {
        let place = self.running.keys().last().map_or(0, |last| last + 1);
        self.start_all(&[place]).map(|()| place)
    }

    fn start_all(&mut self, places: &[usize]) -> Result<()> {
        let mut announced = Vec::new();
        for &place in places {
            let mut host = self.launch(place)?;
            let output = host.stdout.take().context("the output is piped")?;
            announced.push((place, addresses(output)));
            self.running.insert(place, host);
        }
        for (place, addresses) in announced {
            let url = self.announced_url(place, &addresses)?;
            self.door.open(place, &url);
        }
        Ok(())
    }

    fn launch(&self, place: usize) -> Result<Child> {
        ensure!(
            self.host.exists(),
            "{} is missing: run `cargo xtask build`",
            self.host.display()
        );
        let secrets = format!("@{}", self.folder.path().join("secrets.toml").display());
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())?;
        Command::new(&self.host)
            .args(["up", "--listen", "127.0.0.1:0", "--variable", &secrets])
            .arg("--from")
            .arg(&self.manifest)
            .arg("--state-dir")
            .arg(self.state_dir(place))
            .args(books::database_flags(self.folder.path()))
            .args(&self.shared)
            .args(&self.flags)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(workspace())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("could not start the host")
    }

    /// Several processes share their servers and nothing else.
    fn state_dir(&self, place: usize) -> PathBuf {
        match self.servers.redis {
            None => self.folder.path().to_owned(),
            Some(_) => self.folder.path().join(format!("replica-{place}")),
        }
    }

    /// Other flags for the next [`Shop::resume`].
    pub fn set_flags(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|&flag| flag.to_owned()).collect();
    }

    /// Another application for the processes that start from now on.
    pub fn set_manifest(&mut self, manifest: &Path) {
        manifest.clone_into(&mut self.manifest);
    }

    /// Ends the shop at once, as a power cut would for it.
    pub fn kill(&mut self) {
        for host in self.running.values_mut() {
            let _ = host.kill();
        }
        while let Some((&place, _)) = self.running.first_key_value() {
            self.kill_one(place);
        }
    }

    /// Ends the process in this place at once; nobody is sent to it any more.
    pub fn kill_one(&mut self, place: usize) {
        if let Some(mut host) = self.running.remove(&place) {
            let _ = host.kill();
            let _ = host.wait();
            self.door.close(place);
        }
    }

    /// Whether all of it runs, as far as anybody has seen.
    pub fn is_running(&mut self) -> bool {
        let runs = |host: &mut Child| matches!(host.try_wait(), Ok(None));
        !self.running.is_empty() && self.running.values_mut().all(runs)
    }

    /// Asks the shop to end (SIGTERM) and waits until it has: how, or how the first of several processes that did
    /// not end well.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        let places: Vec<usize> = self.running.keys().copied().collect();
        for host in self.running.values() {
            terminate(host)?;
        }
        let ended = places.into_iter().map(|place| self.wait_for(place));
        let ended: Vec<ExitStatus> = ended.collect::<Result<_>>()?;
        let bad = ended.iter().find(|status| !status.success());
        bad.or(ended.first()).copied().context("the shop is not running")
    }

    /// Takes one process out of service as a rolling upgrade does: nobody new is sent to it, then it is asked to
    /// end (SIGTERM), and it answers what it has taken.
    pub fn retire(&mut self, place: usize) -> Result<ExitStatus> {
        self.door.close(place);
        terminate(self.running.get(&place).context("there is no such process")?)?;
        self.wait_for(place)
    }

    fn wait_for(&mut self, place: usize) -> Result<ExitStatus> {
        let mut host = self.running.remove(&place).context("there is no such process")?;
        let ended = host.wait()?;
        self.door.close(place);
        Ok(ended)
    }

    /// Where its databases are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The servers that it shares with nobody.
    pub fn servers(&mut self) -> &mut Servers {
        &mut self.servers
    }

    /// The process id of the host; of several, the first.
    pub fn pid(&self) -> Option<u32> {
        self.running.values().next().map(Child::id)
    }

    /// Everything the shop logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Somebody without an account.
    pub fn visitor(&self) -> Client {
        Client::before(self.door.clone())
    }

    /// Somebody who asks the process in this place alone.
    pub fn visitor_of(&self, place: usize) -> Result<Client> {
        let url = self.door.url(place).context("there is no such process")?;
        Ok(Client::at(&url))
    }

    /// Somebody new who has signed up and logged in.
    pub async fn customer(&self) -> Result<Signup> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let email = format!("customer{}@example.com", COUNT.fetch_add(1, Ordering::Relaxed));
        let visitor = self.visitor();
        let body = json!({"email": email, "password": "pass1234", "name": "김보데"});
        let signed_up = visitor.post("/users", &body).await?;
        ensure!(signed_up.status == 201, "sign-up: {signed_up:?}");
        let id = signed_up.json["id"].as_u64().context("no id")?;
        let login = json!({"email": email, "password": "pass1234"});
        let logged_in = visitor.post("/auth/login", &login).await?;
        ensure!(logged_in.status == 200, "login: {logged_in:?}");
        let token = logged_in.json["accessToken"].as_str().context("no token")?;
        Ok(Signup {
            id,
            client: visitor.with_token(token),
        })
    }

    /// Somebody who runs the shop: the token is signed here, with the shop's own key.
    pub fn admin(&self) -> Client {
        self.visitor().with_token(&token_of(ADMIN, Role::Admin))
    }

    /// Puts so many more pieces of a SKU into the house, as a manual change would.
    pub fn stock_up(&self, sku: u64, pieces: u64) -> Result<()> {
        stock_up(self.folder(), sku, pieces)
    }

    /// Waits until every event has been delivered, so that the books can be compared.
    pub async fn settled(&self) -> Result<()> {
        self.settled_within(SETTLED).await
    }

    /// The same with other patience.
    pub async fn settled_within(&self, patience: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            let broken = crate::audit_events(self.folder())?;
            if broken.is_empty() {
                return Ok(());
            }
            ensure!(
                started.elapsed() < patience,
                "after {patience:?} still:\n{}",
                broken.join("\n")
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("shop.log")
    }

    /// Waits for the process's address.
    fn announced_url(&mut self, place: usize, addresses: &Receiver<String>) -> Result<String> {
        let started = Instant::now();
        while started.elapsed() < START {
            if let Ok(url) = addresses.recv_timeout(Duration::from_millis(50)) {
                return Ok(url);
            }
            let host = self.running.get_mut(&place).context("just started")?;
            if let Some(status) = host.try_wait()? {
                bail!("the host ended with {status}:\n{}", self.logged());
            }
        }
        bail!("the shop did not start in {START:?}:\n{}", self.logged())
    }
}

/// Hears the host's line `Serving http://…`; what it prints afterwards is read and dropped.
fn addresses(output: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                let _ = sender.send(url.trim_end_matches('/').to_owned());
            }
        }
    });
    receiver
}

fn terminate(host: &Child) -> Result<()> {
    let signalled = Command::new("kill")
        .args(["-TERM", &host.id().to_string()])
        .status()?;
    ensure!(signalled.success(), "could not signal the host");
    Ok(())
}

/// Puts so many more pieces of a SKU into the house of the shop in this folder.
pub fn stock_up(folder: &Path, sku: u64, pieces: u64) -> Result<()> {
    let added = params![pieces as i64, sku as i64];
    books::with_database(folder, "stock", |stock| {
        let changed: Result<(), DbError> = stock.transaction(|tx| {
            tx.execute(
                "update stock_level set on_hand = on_hand + ?1 where sku_id = ?2",
                added,
            )?;
            tx.execute(
                "insert into stock_history (sku_id, number, kind, order_id, quantity, on_hand, reserved, at)
                 select sku_id, (select max(number) + 1 from stock_history where sku_id = ?2), 'MANUAL', null,
                        ?1, on_hand, 0, 1767225600000001 from stock_level where sku_id = ?2",
                added,
            )?;
            Ok(())
        });
        Ok(changed?)
    })
}

impl Drop for Shop {
    /// Whatever a test was about: no secret and no person stands in the shop's log.
    fn drop(&mut self) {
        self.kill();
        if !std::thread::panicking() {
            let leaks = crate::leaks(&self.logged());
            assert!(leaks.is_empty(), "the log tells:\n{}", leaks.join("\n"));
        } else {
            let log = self.logged();
            let tail = log.lines().rev().take(40).collect::<Vec<_>>();
            eprintln!("--- the shop's last log lines ---");
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}
