use pg::{Connection, Options, Pools};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use testkit::servers::Postgres;

/// A server, a database of its own in it, and pools.
pub(crate) struct Scene {
    pub(crate) server: Postgres,
    pub(crate) pools: Pools,
    pub(crate) address: String,
}

/// `None`, told loudly, where Postgres is not installed.
pub(crate) fn scene(options: Options) -> Option<Scene> {
    let server = Postgres::start()?;
    server.run_sql("postgres", &["create database ours"]);
    let address = server.admin_address("ours");
    Some(Scene {
        server,
        pools: Pools::new(options),
        address,
    })
}

impl Scene {
    pub(crate) async fn open(&self) -> Connection {
        self.pools.open(&self.address).await.unwrap()
    }

    /// One that keeps its session: it is in a transaction.
    pub(crate) async fn hold(&self) -> Connection {
        let mut connection = self.open().await;
        for statement in ["begin", "select 1"] {
            connection.execute(statement, &[]).await.unwrap();
        }
        connection
    }

    /// Connections that the server has for this database.
    pub(crate) fn backends(&self) -> usize {
        let count = "select count(*) from pg_stat_activity where datname = 'ours'";
        self.server.run_sql("postgres", &[count]).trim().parse().unwrap()
    }

    pub(crate) async fn numbers(&self, statement: &str) -> Vec<i64> {
        self.numbers_of(&mut self.open().await, statement).await
    }

    pub(crate) async fn numbers_of(&self, connection: &mut Connection, statement: &str) -> Vec<i64> {
        let rows = connection.query(statement, &[], 10_000).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// A pool of one connection.
pub(crate) fn one() -> Options {
    Options {
        connections: 1,
        wait: Duration::from_secs(30),
        ..Options::default()
    }
}

/// What passes between the pools and the server.
#[derive(Default)]
pub(crate) struct Wire {
    connections: AtomicUsize,
    sent: AtomicUsize,
}

impl Wire {
    /// Connections so far, and bytes that they have sent to the server.
    pub(crate) fn seen(&self) -> (usize, usize) {
        (
            self.connections.load(Ordering::SeqCst),
            self.sent.load(Ordering::SeqCst),
        )
    }
}

/// A port that leads to the server and counts.
pub(crate) fn wire(server: u16) -> (Arc<Wire>, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let wire = Arc::new(Wire::default());
    let counts = wire.clone();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (
                client.unwrap(),
                TcpStream::connect((Ipv4Addr::LOCALHOST, server)).unwrap(),
            );
            counts.connections.fetch_add(1, Ordering::SeqCst);
            let (back, there) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let counts = counts.clone();
            thread::spawn(move || {
                pass(client, server, |bytes| {
                    counts.sent.fetch_add(bytes, Ordering::SeqCst);
                });
            });
            thread::spawn(move || pass(there, back, |_| ()));
        }
    });
    (wire, port)
}

fn pass(mut from: TcpStream, mut to: TcpStream, count: impl Fn(usize)) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        // Before it is answered, so that who has the answer sees it counted.
        count(length);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}

/// Whether the server is in a transaction that this connection began.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    Inside,
    Outside,
}

/// Outside of a transaction each statement has a time of its own.
pub(crate) async fn state(connection: &mut Connection) -> State {
    let mut times = Vec::new();
    for _ in 0..2 {
        let rows = connection.query("select now()::text", &[], 1000).await.unwrap();
        times.push(rows[0].get::<_, String>(0));
    }
    if times[0] == times[1] {
        State::Inside
    } else {
        State::Outside
    }
}

/// The server's process behind the connection.
pub(crate) async fn backend(connection: &mut Connection) -> i32 {
    let rows = connection
        .query("select pg_backend_pid()", &[], 1000)
        .await
        .unwrap();
    rows[0].get(0)
}
