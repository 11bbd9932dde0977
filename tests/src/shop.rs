use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use store::{DbError, params};
use tempfile::TempDir;
use testkit::servers::Postgres;
use web::Role;

use crate::books;
use crate::keys::{secrets, token_of, unlimited};

/// How long a shop may take to serve; a first start compiles the components.
const START: Duration = Duration::from_secs(120);

/// How long events may take until all of them have arrived, on a busy machine.
const SETTLED: Duration = Duration::from_secs(60);

/// The account of [`Shop::admin`]; nobody signs up with it.
const ADMIN: u64 = 1;

/// A shop in a folder of its own. It is killed when dropped.
pub struct Shop {
    host: PathBuf,
    manifest: PathBuf,
    folder: TempDir,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    running: Option<Running>,
    /// Its databases, where they are not files; gone with it.
    postgres: Option<Postgres>,
}

struct Running {
    host: Child,
    url: String,
}

/// What the shop answered.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The response's headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body; `null` when it is empty or not JSON.
    pub json: Value,
    /// The body as it came.
    pub text: String,
}

/// Somebody who talks to the shop, with or without a token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
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

    /// Lays out the folder for an application of this manifest; [`Shop::resume`] starts it.
    pub fn prepare(manifest: &Path, flags: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let given = secrets().into_iter().chain(unlimited());
        let secrets: String = given
            .map(|(name, value)| format!("{name} = \"{value}\"\n"))
            .collect();
        std::fs::write(folder.path().join("secrets.toml"), secrets)?;
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        Ok(Self {
            host: workspace().join("target/debug/bodega"),
            manifest: manifest.to_owned(),
            postgres: books::provide(folder.path())?,
            folder,
            flags,
            environment: Vec::new(),
            running: None,
        })
    }

    /// One of several processes that are one shop: its data in this Postgres, everything else that they share in
    /// this Redis. [`Shop::resume`] starts it.
    pub fn replica(postgres: &Postgres, redis: &str) -> Result<Self> {
        let mut shop = Self::prepare(&workspace().join("spin.toml"), &[])?;
        books::name_postgres(shop.folder(), postgres)?;
        let config = shop.folder().join("runtime-config.toml");
        let store = format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"{redis}\"\n");
        std::fs::write(&config, store)?;
        shop.flags = vec![
            "--runtime-config-file".to_owned(),
            config.display().to_string(),
            "--variable".to_owned(),
            format!("events_address={redis}"),
            "--variable".to_owned(),
            format!("limits_address={redis}"),
        ];
        Ok(shop)
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

    /// Starts the shop, on the data it had if it has run before.
    pub fn resume(&mut self) -> Result<()> {
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
        let mut host = Command::new(&self.host)
            .args(["up", "--listen", "127.0.0.1:0", "--variable", &secrets])
            .arg("--from")
            .arg(&self.manifest)
            .arg("--state-dir")
            .arg(self.folder.path())
            .args(books::database_flags(self.folder.path()))
            .args(&self.flags)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(workspace())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("could not start the host")?;
        let url = self.announced_url(&mut host);
        self.running = Some(Running {
            host,
            url: String::new(),
        });
        let url = url?;
        self.running.as_mut().context("just started")?.url = url;
        Ok(())
    }

    /// Other flags for the next [`Shop::resume`].
    pub fn set_flags(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|&flag| flag.to_owned()).collect();
    }

    /// Ends the host at once, as a power cut would for it.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.host.kill();
            let _ = running.host.wait();
        }
    }

    /// Whether the host runs, as far as anybody has seen.
    pub fn is_running(&mut self) -> bool {
        let running = self.running.as_mut();
        running.is_some_and(|running| matches!(running.host.try_wait(), Ok(None)))
    }

    /// Asks the host to end (SIGTERM) and waits until it has.
    pub fn stop(&mut self) -> Result<std::process::ExitStatus> {
        let mut running = self.running.take().context("the shop is not running")?;
        let pid = running.host.id().to_string();
        ensure!(
            Command::new("kill").args(["-TERM", &pid]).status()?.success(),
            "could not signal the host"
        );
        Ok(running.host.wait()?)
    }

    /// Where its databases are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its database server, where it has one.
    pub fn postgres(&mut self) -> Option<&mut Postgres> {
        self.postgres.as_mut()
    }

    /// The process id of the host.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.host.id())
    }

    /// Everything the shop logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Somebody without an account.
    pub fn visitor(&self) -> Client {
        let url = self
            .running
            .as_ref()
            .map(|running| running.url.clone())
            .unwrap_or_default();
        Client::at(&url)
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

    /// Waits for the host's line `Serving http://…`; what it prints afterwards is read and dropped.
    fn announced_url(&self, host: &mut Child) -> Result<String> {
        let output = host.stdout.take().context("the output is piped")?;
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                    let _ = sender.send(url.trim_end_matches('/').to_owned());
                }
            }
        });
        let started = Instant::now();
        while started.elapsed() < START {
            if let Ok(url) = receiver.recv_timeout(Duration::from_millis(50)) {
                return Ok(url);
            }
            if let Some(status) = host.try_wait()? {
                bail!("the host ended with {status}:\n{}", self.logged());
            }
        }
        bail!("the shop did not start in {START:?}:\n{}", self.logged())
    }
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

impl Client {
    /// Somebody who talks to the shop at this address, `http://127.0.0.1:1234`.
    pub fn at(url: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .build();
        Self {
            http: http.expect("a client without TLS can be built"),
            url: url.to_owned(),
            token: None,
        }
    }

    /// The same client with this access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The access token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Where the shop is: `http://127.0.0.1:1234`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Reply> {
        self.send(self.request(reqwest::Method::GET, path)).await
    }

    /// PATCH of a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send(self.request(reqwest::Method::PATCH, path).json(body))
            .await
    }

    /// POST of a JSON body under an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Result<Reply> {
        let request = self.request(reqwest::Method::POST, path).json(body);
        self.send(request.header("idempotency-key", key)).await
    }

    /// Starts a two-step order of so many pieces of one product; it waits for its payment.
    pub async fn reserve(&self, product: u64, quantity: u64) -> Result<Reply> {
        let body = json!({"productId": product, "quantity": quantity, "paymentMethod": "PG"});
        self.post("/orders", &body).await
    }

    /// Confirms a two-step order's payment.
    pub async fn confirm(&self, order: u64, key: &str, amount: i64) -> Result<Reply> {
        let body = json!({"paymentKey": key, "orderId": order, "amount": amount});
        self.post("/payments/confirm", &body).await
    }

    /// Cancels an order.
    pub async fn cancel(&self, order: u64) -> Result<Reply> {
        self.patch(&format!("/orders/{order}/cancel"), &json!({})).await
    }

    /// POST of a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send(self.request(reqwest::Method::POST, path).json(body))
            .await
    }

    /// A request to change before it is sent with [`Client::send`].
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Reply> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Reply {
            status,
            headers,
            json,
            text,
        })
    }

    /// Orders so many pieces of one product, paid by card.
    pub async fn order(&self, product: u64, quantity: u64) -> Result<Reply> {
        let body = json!({"productId": product, "quantity": quantity, "paymentMethod": "CARD"});
        self.post("/orders", &body).await
    }

    /// How many pieces of a product its page says there are.
    pub async fn stock(&self, product: u64) -> Result<u64> {
        let page = self.get(&format!("/products/{product}")).await?;
        page.json["stockQuantity"]
            .as_u64()
            .with_context(|| format!("no stock on {page:?}"))
    }
}
