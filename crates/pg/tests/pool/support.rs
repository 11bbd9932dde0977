use pg::{Lease, Options, Pools};
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
    pub(crate) async fn lease(&self) -> Lease {
        self.pools.lease(&self.address).await.unwrap()
    }

    pub(crate) async fn numbers(&self, statement: &str) -> Vec<i64> {
        self.numbers_of(&mut self.lease().await, statement).await
    }

    pub(crate) async fn numbers_of(&self, lease: &mut Lease, statement: &str) -> Vec<i64> {
        let rows = lease.query(statement, &[], 10_000).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// Whether the server is in a transaction that this lease began.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    Inside,
    Outside,
}

/// Outside of a transaction each statement has a time of its own.
pub(crate) async fn state(lease: &mut Lease) -> State {
    let mut times = Vec::new();
    for _ in 0..2 {
        let rows = lease.query("select now()::text", &[], 1000).await.unwrap();
        times.push(rows[0].get::<_, String>(0));
    }
    if times[0] == times[1] {
        State::Inside
    } else {
        State::Outside
    }
}

/// The server's process behind the lease.
pub(crate) async fn backend(lease: &mut Lease) -> i32 {
    let rows = lease.query("select pg_backend_pid()", &[], 1000).await.unwrap();
    rows[0].get(0)
}
