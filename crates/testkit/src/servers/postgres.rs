//! A Postgres cluster for tests.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Instant;

use tempfile::TempDir;

use super::{PAUSE, START, free_port, missing, run_kill};

/// Where Debian keeps the programs of each version, and nobody's `PATH` leads.
const DEBIAN: &str = "/usr/lib/postgresql";

/// So much memory has to be free before a cluster is put there; it takes a small part of it.
const ROOM: u64 = 4 << 30;

/// What makes the roles and databases of a shop.
const PROVISION: &str = include_str!("../../../../infra/postgres/provision.sql");

/// The domains' labels, each a database and, behind `bodega_`, its role.
pub const DATABASES: &[&str] = &[
    "account",
    "product",
    "stock",
    "payment",
    "pg",
    "order",
    "cart",
    "settlement",
];

/// Whether a commit survives a power failure of the machine. It survives [`Postgres::kill`] in either case, as the
/// system keeps what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Nothing waits for the disk.
    Off,
    /// As in production.
    On,
}

/// A running `postgres` on loopback with its own folder, in the collation and encoding that the shop needs.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    user: Option<(u32, u32)>,
    sync: Sync,
    settings: Vec<String>,
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl Postgres {
    /// Starts one that waits for no disk, or says loudly that there is none.
    pub fn start() -> Option<Self> {
        Self::start_with(Sync::Off)
    }

    /// Starts one.
    pub fn start_with(sync: Sync) -> Option<Self> {
        Self::start_as(sync, &[], |_| ())
    }

    /// Starts one with settings of its own, each `name=value`.
    pub fn start_set(settings: &[&str]) -> Option<Self> {
        Self::start_as(Sync::Off, settings, |_| ())
    }

    /// Starts one that takes nobody in without TLS. Its certificate is good for 127.0.0.1 and its own authority
    /// ([`Postgres::certificate`]).
    pub fn start_tls() -> Option<Self> {
        let settings = [
            "ssl=on",
            "ssl_cert_file=../server.crt",
            "ssl_key_file=../server.key",
        ];
        Self::start_as(Sync::Off, &settings, Self::require_tls)
    }

    fn start_as(sync: Sync, settings: &[&str], prepare: impl FnOnce(&Self)) -> Option<Self> {
        let programs = find()?;
        let folder = place(sync);
        let user = other_user();
        if let Some((user, group)) = user {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut cluster = Self {
            programs,
            user,
            sync,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            port: 0,
            folder,
            process: None,
        };
        cluster.initialise();
        prepare(&cluster);
        for _ in 0..5 {
            cluster.port = free_port();
            if cluster.run() {
                return Some(cluster);
            }
        }
        panic!("postgres does not start: {}", cluster.log());
    }

    /// The address of a database for a role of [`Postgres::provision`], whose password is its name.
    pub fn address(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}:{role}@127.0.0.1:{}/{database}", self.port)
    }

    /// The address of a domain's database, by its label.
    pub fn shop_address(&self, label: &str) -> String {
        self.address(&format!("bodega_{label}"), label)
    }

    /// The address of a database for the one who may do everything.
    pub fn admin_address(&self, database: &str) -> String {
        self.address("postgres", database)
    }

    /// The file of its certificate, if it has one.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.crt")
    }

    /// What it has logged since it was started.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes the databases and roles of a shop, by `infra/postgres/provision.sql`; harmless when they are there.
    pub fn provision(&self) {
        let file = self.folder.path().join("provision.sql");
        fs::write(&file, PROVISION).unwrap();
        let mut psql = self.psql("postgres");
        for label in DATABASES {
            psql.args(["-v", &format!("{label}_password=bodega_{label}")]);
        }
        done(psql.arg("-f").arg(&file));
    }

    /// Runs statements as the one who may do everything, each on its own; answers what they print, unaligned.
    pub fn run_sql(&self, database: &str, statements: &[&str]) -> String {
        let mut psql = self.psql(database);
        for statement in statements {
            psql.args(["-c", statement]);
        }
        String::from_utf8(done(&mut psql).stdout).unwrap()
    }

    /// Ends it at once with all its sessions, as a power failure would, and waits until they are gone.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let sessions = children(process.id());
        process.kill().unwrap();
        process.wait().unwrap();
        for session in &sessions {
            // Most of them noticed already.
            run_kill("KILL", *session);
        }
        // What they shared must be free before anybody starts again on this folder.
        let deadline = Instant::now() + START;
        while sessions
            .iter()
            .any(|session| Path::new(&format!("/proc/{session}")).exists())
        {
            assert!(Instant::now() < deadline, "a session of postgres does not end");
            sleep(PAUSE);
        }
    }

    /// Stops it and all its sessions in their tracks: connections stay and nothing is answered, until
    /// [`Postgres::thaw`].
    pub fn freeze(&mut self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        self.signal("CONT");
    }

    /// Starts it again on the same port with all that was committed; kills it first when it still runs.
    pub fn restart(&mut self) {
        self.kill();
        let deadline = Instant::now() + START;
        while !self.run() {
            assert!(
                Instant::now() < deadline,
                "postgres does not start: {}",
                self.log()
            );
            sleep(PAUSE);
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of its programs, as the user that it runs as: `postgres` refuses to be root.
    fn program(&self, name: &str) -> Command {
        self.program_at(&self.programs.join(name))
    }

    fn program_at(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            // With TLS `psql` looks for certificates there, and gives up where it may not look.
            .env("HOME", self.folder.path())
            .env_remove("PGOPTIONS");
        command
    }

    fn psql(&self, database: &str) -> Command {
        let mut psql = self.program("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
            .arg(self.admin_address(database));
        psql
    }

    fn initialise(&self) {
        let password = self.folder.path().join("password");
        fs::write(&password, "postgres\n").unwrap();
        let mut initdb = self.program("initdb");
        initdb
            .args([
                "--auth=scram-sha-256",
                "--username=postgres",
                "--no-sync",
                "--encoding=UTF8",
            ])
            .args(["--locale=C", "--no-instructions"])
            .arg(format!("--pwfile={}", password.display()))
            .arg("--pgdata")
            .arg(self.data());
        done(&mut initdb);
    }

    fn require_tls(&self) {
        let mut openssl = self.program_at(Path::new("openssl"));
        openssl
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ])
            .args([
                "-days",
                "2",
                "-subj",
                "/CN=testkit",
                "-keyout",
                "server.key",
                "-out",
                "server.crt",
            ])
            .args([
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ]);
        done(&mut openssl);
        let rules = self.data().join("pg_hba.conf");
        fs::write(&rules, "hostssl all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    }

    /// Starts the process and waits until it lets somebody in; `false` when it ended instead.
    fn run(&mut self) -> bool {
        let durable = if self.sync == Sync::On { "on" } else { "off" };
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            "unix_socket_directories=".to_owned(),
            "max_connections=400".to_owned(),
            "shared_buffers=64MB".to_owned(),
            format!("fsync={durable}"),
            format!("full_page_writes={durable}"),
            // A crash loses nothing that was answered, also where nothing waits for the disk.
            "synchronous_commit=on".to_owned(),
        ];
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let mut server = self.program("postgres");
        server.arg("-D").arg(self.data());
        for setting in settings.iter().chain(&self.settings) {
            server.args(["-c", setting]);
        }
        let mut process = server.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let deadline = Instant::now() + START;
        while process.try_wait().unwrap().is_none() {
            // It answers for our folder, so it is ours and nobody else's on this port.
            let mut asked = self.psql("postgres");
            let answer = asked.args(["-c", "show data_directory"]).output().unwrap();
            if answer.status.success()
                && answer.stdout.trim_ascii() == self.data().as_os_str().as_encoded_bytes()
            {
                self.process = Some(process);
                return true;
            }
            assert!(
                Instant::now() < deadline,
                "postgres does not answer: {}",
                self.log()
            );
            sleep(PAUSE);
        }
        false
    }

    fn signal(&self, name: &str) {
        let process = self.process.as_ref().unwrap().id();
        assert!(run_kill(name, process));
        for session in children(process) {
            run_kill(name, session);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where a cluster's files are: in memory if nothing of it has to survive this machine and there is room, since a shop's
/// eight databases are thousands of files.
fn place(sync: Sync) -> TempDir {
    let memory = Path::new("/dev/shm");
    let free = rustix::fs::statvfs(memory).map(|found| found.f_bavail.saturating_mul(found.f_frsize));
    match sync {
        Sync::Off if free.is_ok_and(|free| free >= ROOM) => tempfile::tempdir_in(memory).unwrap(),
        Sync::Off | Sync::On => tempfile::tempdir().unwrap(),
    }
}

/// Runs it to its end, which must be a good one.
fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{} failed: {}",
        Path::new(command.get_program()).display(),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The folder of the newest version's programs.
fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    versions.sort();
    let folders = versions.into_iter().rev().map(|(_, folder)| folder);
    let found = folders.chain(std::env::split_paths(&path)).find(|folder| {
        ["initdb", "postgres", "psql"]
            .iter()
            .all(|name| folder.join(name).is_file())
    });
    if found.is_none() {
        missing("postgres");
    }
    found
}

/// Whom a root's cluster runs as.
fn other_user() -> Option<(u32, u32)> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt;
        own.uid() == 0
    });
    if !is_root {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let user = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    Some(
        user("postgres")
            .or_else(|| user("nobody"))
            .expect("somebody who is not root"),
    )
}

/// The processes that `parent` started and that are still there.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|process| parent_of(*process) == Some(parent))
        .collect()
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before it is in parentheses and may hold anything.
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests;
