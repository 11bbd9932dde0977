//! `bodega up`: start, say so, serve, drain.

mod watch;

use super::{default_cache, load_manifest, report};
use crate::log::Json;
use crate::{AdminServer, App, CompileCache, GuestLog, Options, Server, Tracing, Triggers};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use manifest::{CliVariables, RuntimeConfig};
use std::io::{IsTerminal, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::fmt::format::JsonFields;

/// Flags of `bodega up`; those that Spin has are named as Spin names them.
#[derive(Args)]
pub struct UpArgs {
    /// The manifest, or a folder with a spin.toml.
    #[arg(
        short = 'f',
        long = "from",
        visible_alias = "from-file",
        default_value = "spin.toml",
        value_name = "FILE"
    )]
    from: PathBuf,
    /// Where to listen; port 0 takes any free one.
    #[arg(
        long,
        env = "SPIN_HTTP_LISTEN_ADDR",
        default_value = "127.0.0.1:3000",
        value_parser = listen_address
    )]
    listen: SocketAddr,
    /// Take the next free port when the one of --listen is in use.
    #[arg(long)]
    find_free_port: bool,
    /// Where to show figures for Prometheus, such as 127.0.0.1:9464; never on the port of --listen.
    #[arg(long, default_value = "none", value_name = "ADDRESS|none", value_parser = admin_address)]
    admin_listen: AdminAddress,
    /// Check the shop's invariants on its live data, each time so many seconds after the last; shown at --admin-listen.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    audit_every: Option<u32>,
    /// Where the audit finds one database, as `bodega audit --database` has it; all in the state folder by default.
    #[arg(long, value_name = "LABEL=ADDRESS", requires = "audit_every")]
    audit_database: Vec<String>,
    /// How the log is written: as JSON unless it goes to a terminal.
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Where databases, stores and variables come from on this machine.
    #[arg(long, env = "RUNTIME_CONFIG_FILE", value_name = "FILE")]
    runtime_config_file: Option<PathBuf>,
    /// Where the application keeps its data; `.bodega` beside the manifest by default, nowhere when empty.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<String>,
    /// Where files that components may read are copied to.
    #[arg(long, visible_alias = "tmp", value_name = "DIR")]
    temp: Option<PathBuf>,
    /// A variable's value: KEY=VALUE, KEY=@FILE, @FILE.toml or @FILE.json.
    #[arg(long, value_name = "KEY=VALUE")]
    variable: Vec<String>,
    /// An environment variable for all components.
    #[arg(short = 'e', long, value_name = "KEY=VALUE", value_parser = key_value)]
    env: Vec<(String, String)>,
    /// SQL to run first: a statement for the database `default`, or @FILE[:LABEL].
    #[arg(long, value_name = "SQL")]
    sqlite: Vec<String>,
    /// A value to put into the key-value store `default` first.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    key_value: Vec<(String, String)>,
    /// Run only these components.
    #[arg(short = 'c', long, value_name = "ID")]
    component_id: Vec<String>,
    /// Compile everything anew.
    #[arg(long, env = "DISABLE_WASMTIME_CACHE", conflicts_with = "cache",
          value_parser = clap::builder::BoolishValueParser::new())]
    disable_cache: bool,
    /// A wasmtime cache configuration file.
    #[arg(long, env = "WASMTIME_CACHE_FILE", value_name = "FILE")]
    cache: Option<PathBuf>,
    /// Allocate every instance anew instead of from a pool.
    #[arg(long)]
    disable_pooling: bool,
    /// The most memory one instance may have, in bytes.
    #[arg(long, env = "SPIN_MAX_INSTANCE_MEMORY", value_name = "BYTES")]
    max_instance_memory: Option<u64>,
    /// Also write the components' output to files in this folder.
    #[arg(short = 'L', long, env = "SPIN_LOG_DIR", value_name = "DIR")]
    log_dir: Option<PathBuf>,
    /// Empty those files first.
    #[arg(long)]
    truncate_logs: bool,
    /// Log the output of these components only.
    #[arg(long, value_name = "ID")]
    follow: Vec<String>,
    /// Log no component's output.
    #[arg(short = 'q', long, visible_aliases = ["sh", "shush"], conflicts_with = "follow")]
    quiet: bool,
    /// How many seconds running requests get to end after SIGTERM or SIGINT.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    drain_timeout: u64,
    /// Sync every commit by itself: to measure what sharing a sync is worth.
    #[arg(long, hide = true)]
    no_group_commit: bool,
    /// Let every sync of a database take at least so long, as on a slower disk: to measure what a disk is worth.
    #[arg(long, hide = true, value_name = "MILLISECONDS")]
    sync_takes_ms: Option<u64>,
    /// Write counters to this file as JSON, on SIGUSR1 and at the end.
    #[arg(long, value_name = "FILE")]
    stats_file: Option<PathBuf>,
    /// Measure where time goes as well, for those counters.
    #[arg(long, requires = "stats_file")]
    meters: bool,
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses = text.to_socket_addrs().map_err(|error| error.to_string())?;
    addresses.next().ok_or_else(|| "names no address".to_owned())
}

/// Where the admin port is, if there is one.
#[derive(Clone, Copy)]
struct AdminAddress(Option<SocketAddr>);

fn admin_address(text: &str) -> Result<AdminAddress, String> {
    match text {
        "none" => Ok(AdminAddress(None)),
        text => Ok(AdminAddress(Some(listen_address(text)?))),
    }
}

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// A flat object a line, with the component and the ids of trace and span.
    Json,
    /// For people.
    Text,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE".to_owned()),
    }
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")
}

pub(super) fn run(args: UpArgs) -> Result<ExitCode> {
    log(args.log_format);
    runtime()?.block_on(serve(args))
}

/// What is logged unless `RUST_LOG` says otherwise. The client of NATS tells of every connection that it
/// makes, as the broker does already.
const LOG_FILTER: &str = "info,async_nats=warn";

/// Logs go to standard error: readable on a terminal, JSON elsewhere. `RUST_LOG` chooses what.
fn log(format: Option<LogFormat>) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(LOG_FILTER));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second subscriber cannot be there, since this is the first thing the process does.
    let by_place = match std::io::stderr().is_terminal() {
        true => LogFormat::Text,
        false => LogFormat::Json,
    };
    let _ = match format.unwrap_or(by_place) {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber
            .fmt_fields(JsonFields::new())
            .event_format(Json)
            .try_init(),
    };
}

async fn serve(args: UpArgs) -> Result<ExitCode> {
    let manifest = load_manifest(&args.from)?;
    let application = &manifest.application;
    let tracing = Tracing::from_environment(&application.name, &application.version)?;
    let options = Options {
        tracing: tracing.clone(),
        ..options(&args, &manifest)?
    };
    let state_dir = options.state_dir.clone();
    let app = App::load(&manifest, options).await?;
    let server = bind(&app, &args).await?;
    let admin = admin(&app, &args).await?;
    if let Some(seconds) = args.audit_every {
        let asked = watch::Asked {
            every: Duration::from_secs(seconds.into()),
            databases: &args.audit_database,
            state_dir: state_dir.as_ref(),
        };
        watch::start(&app, &asked)?;
    }
    // Whoever reads that we serve may send signals at once.
    let signals = Signals::new()?;
    write_stats_on_demand(app.clone(), args.stats_file.clone())?;
    announce(&app, server.address(), admin.as_ref())?;
    let admin = admin.map(|admin| tokio::spawn(admin.serve()));
    let drained = serve_and_trigger(server, &app, signals).await;
    app.close().await;
    write_stats(&app, args.stats_file.as_ref());
    if let Some(admin) = admin {
        admin.abort();
    }
    last_spans(tracing).await;
    if drained {
        report("all requests are answered, bye");
    } else {
        report("the drain timeout is over, some requests were cut off");
    }
    Ok(ExitCode::SUCCESS)
}

async fn admin(app: &App, args: &UpArgs) -> Result<Option<AdminServer>> {
    let Some(address) = args.admin_listen.0 else {
        return Ok(None);
    };
    let admin = AdminServer::bind(app.clone(), address).await;
    let admin = admin.with_context(|| format!("cannot listen on {address} (--admin-listen)"))?;
    Ok(Some(admin))
}

/// Sends the spans that are left; how many were lost is told once more, for a shop that nobody scrapes.
async fn last_spans(tracing: Option<Tracing>) {
    let Some(tracing) = tracing else { return };
    let sent = tokio::task::spawn_blocking(move || {
        tracing.close();
        tracing.lost()
    });
    match sent.await {
        Ok((0, 0)) | Err(_) => {}
        Ok((dropped, failed)) => tracing::warn!(dropped, failed, "spans were lost"),
    }
}

/// Runs until the first signal. Triggers and server stop together, so that what they still do has the
/// whole of the drain timeout. Returns whether all of it came to its end.
async fn serve_and_trigger(server: Server, app: &App, signals: Signals) -> bool {
    let triggers = Triggers::start(app);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = server.serve(async move {
        signals.stop().await;
        let _ = stop.send(());
    });
    let triggered = async {
        let _ = stopped.await;
        triggers.stop().await
    };
    let (drained, ended) = tokio::join!(served, triggered);
    drained && ended
}

fn options(args: &UpArgs, manifest: &manifest::Manifest) -> Result<Options> {
    let runtime_config = match &args.runtime_config_file {
        Some(path) => RuntimeConfig::load(path)?,
        None => RuntimeConfig::default(),
    };
    let state_dir = match &args.state_dir {
        Some(dir) if dir.is_empty() => None,
        Some(dir) => Some(PathBuf::from(dir)),
        None => Some(
            runtime_config
                .state_dir
                .clone()
                .unwrap_or_else(|| manifest.dir.join(".bodega")),
        ),
    };
    let cache = match (&args.cache, args.disable_cache) {
        (_, true) => CompileCache::Off,
        (Some(file), false) => CompileCache::File(file.clone()),
        (None, false) => default_cache(&manifest.dir),
    };
    let guest_log = GuestLog {
        quiet: args.quiet,
        follow: args.follow.clone(),
        dir: args.log_dir.clone().or_else(|| runtime_config.log_dir.clone()),
        truncate: args.truncate_logs,
    };
    let variables = CliVariables::parse(&args.variable)?;
    for name in variables.unknown(manifest) {
        tracing::warn!(
            variable = name,
            "--variable: the application has none of this name"
        );
    }
    Ok(Options {
        runtime_config,
        variables,
        environment: args.env.clone(),
        state_dir,
        temp_dir: args.temp.clone(),
        sqlite: args.sqlite.clone(),
        key_values: args.key_value.clone(),
        only: args.component_id.clone(),
        cache,
        pooling: !args.disable_pooling,
        memory_limit_bytes: args.max_instance_memory,
        guest_log,
        progress: Arc::new(report),
        meters: args.meters,
        metrics: args.admin_listen.0.is_some(),
        drain_timeout: Duration::from_secs(args.drain_timeout),
        group_commit: !args.no_group_commit,
        sync_takes: args.sync_takes_ms.map(Duration::from_millis),
        ..Options::default()
    })
}

async fn bind(app: &App, args: &UpArgs) -> Result<Server> {
    let mut address = args.listen;
    let last = match args.find_free_port {
        true => address.port().saturating_add(10),
        false => address.port(),
    };
    loop {
        match Server::bind(app.clone(), address).await {
            Ok(server) => return Ok(server),
            Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
                return Err(error).with_context(|| format!("cannot listen on {address}"));
            }
            Err(_) if address.port() < last => address.set_port(address.port() + 1),
            Err(_) => bail!("{address} is already in use; --find-free-port takes the next free one"),
        }
    }
}

/// The first line is for programs: it appears once connections are accepted.
fn announce(app: &App, address: SocketAddr, admin: Option<&AdminServer>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "Serving http://{address}")?;
    writeln!(out, "Available Routes:")?;
    for (route, component) in app.routes() {
        writeln!(out, "  {component}: http://{address}{route}")?;
    }
    let channels = app.channels();
    if !channels.is_empty() {
        writeln!(out, "Active Channels:")?;
    }
    for (address, channel, component) in channels {
        writeln!(out, "  {component}: {channel} on {address}")?;
    }
    let schedules = app.schedules();
    if !schedules.is_empty() {
        writeln!(out, "Scheduled Components:")?;
    }
    for (component, expression) in schedules {
        writeln!(out, "  {component}: {expression}")?;
    }
    if let Some(admin) = admin {
        writeln!(out, "Figures: http://{}/metrics", admin.address())?;
    }
    out.flush()?;
    Ok(())
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Returns at the first signal; the second one ends the process on the spot.
    async fn stop(mut self) {
        self.next().await;
        report("stopping: waiting for running requests; a second signal stops at once");
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(130);
        });
    }
}

fn write_stats_on_demand(app: App, file: Option<PathBuf>) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    let mut signals = signal(SignalKind::user_defined1()).context("cannot listen for SIGUSR1")?;
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            write_stats(&app, Some(&file));
        }
    });
    Ok(())
}

/// Writes beside the file and renames, so that a reader never sees half of it.
fn write_stats(app: &App, file: Option<&PathBuf>) {
    let Some(file) = file else { return };
    let beside = file.with_extension("tmp");
    let written = serde_json::to_vec_pretty(&app.stats())
        .map_err(std::io::Error::from)
        .and_then(|json| std::fs::write(&beside, json))
        .and_then(|()| std::fs::rename(&beside, file));
    if let Err(error) = written {
        tracing::error!(%error, file = %file.display(), "cannot write the counters");
    }
}
