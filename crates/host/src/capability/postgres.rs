//! Postgres: `spin:postgres@4.0.0`.
//!
//! Sessions are the process's own, in one pool for each address (`crates/pg`). A guest's handle has one while something of
//! it is in there, an open transaction for instance, and none while the guest waits for something else. What it leaves
//! is cleared away before anybody else gets the session.

mod error;
mod interval;
#[cfg(test)]
mod tests;
mod value;

use super::MAX_HANDLES;
use crate::faults::Kind;
use crate::state::State;
use crate::trace;
use bindings::postgres4::postgres::{
    Column, Connection, Error, Host, HostConnection, ParameterValue, QueryError, Row, RowSet,
};
use error::{to_connection_error, to_error};
use pg::config::Host as Server;
use pg::types::ToSql;
use tokio::time::Instant;
use value::{Parameter, data_type, parameter, value};
use wasmtime::Result;
use wasmtime::component::Resource;

/// Bytes of an answer that are held in memory at most, as in Spin.
const LARGEST_ANSWER: usize = 128 << 20;

/// A connection that a guest has opened.
struct Handle {
    connection: pg::Connection,
    database: Database,
}

/// What a connection leads to, in words that may be logged.
struct Database {
    name: String,
    role: String,
}

impl Database {
    fn of(config: &pg::Config) -> Self {
        Self {
            name: config.get_dbname().unwrap_or_default().to_owned(),
            role: config.get_user().unwrap_or_default().to_owned(),
        }
    }

    /// Says why a component got no session. The component itself tells nobody.
    fn is_away(&self, component: &str, error: &pg::Error) {
        let Self { name, role } = self;
        tracing::warn!(%component, database = %name, %role, %error, "a component gets no connection to its database");
    }
}

type Answer<T> = Result<std::result::Result<T, Error>>;

impl State {
    /// Whether every server that the address names stands in `allowed_outbound_hosts`.
    fn may_reach(&self, config: &pg::Config) -> bool {
        let ports = config.get_ports();
        config
            .get_hosts()
            .iter()
            .enumerate()
            .all(|(place, server)| match server {
                Server::Tcp(name) => {
                    let port = ports.get(place).or(ports.first()).copied().unwrap_or(5432);
                    self.guest
                        .hosts
                        .check_address(&format!("{name}:{port}"), "postgres")
                }
                Server::Unix(_) => false,
            })
    }

    /// Runs a statement, with the faults asked before and after it.
    async fn on_postgres(
        &mut self,
        this: &Resource<Connection>,
        statement: &str,
        parameters: &[ParameterValue],
        deed: Deed,
    ) -> Answer<Done> {
        if let Some(text) = self.before(Kind::Postgres, statement).await? {
            return Ok(Err(failed(text)));
        }
        let converted: std::result::Result<Vec<Parameter>, String> =
            parameters.iter().map(parameter).collect();
        let converted = match converted {
            Ok(converted) => converted,
            Err(reason) => return Ok(Err(Error::BadParameter(reason))),
        };
        let place = self.place.clone();
        let Ok(Handle { connection, database }) =
            self.table.get_mut(&Resource::<Handle>::new_borrow(this.rep()))
        else {
            let text = "could not find connection for resource".to_owned();
            return Ok(Err(Error::ConnectionFailed(text)));
        };
        if connection.is_resting() {
            let began = Instant::now();
            let awake = connection.wake().await;
            if let Some(metrics) = &self.app.metrics {
                metrics.leased(&database.name, began.elapsed());
            }
            if let Err(error) = awake {
                database.is_away(&self.guest.id, &error);
                return Ok(Err(to_connection_error(&error)));
            }
        }
        let mut span = place.begin(|| trace::statement("postgresql", &database.name, statement));
        let done = deed
            .carry_out(connection, statement, &references(&converted))
            .await;
        if done.is_err() {
            span.fail("the statement failed");
        }
        drop(span);
        if let Some(text) = self.after(Kind::Postgres, statement).await? {
            return Ok(Err(failed(text)));
        }
        Ok(done)
    }
}

/// What is wanted of a statement.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Query,
    Execute,
}

/// What came of it.
enum Done {
    Rows(RowSet),
    Changed(u64),
}

impl Deed {
    async fn carry_out(
        self,
        connection: &mut pg::Connection,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> std::result::Result<Done, Error> {
        match self {
            Self::Query => {
                let rows = connection.query(statement, parameters, LARGEST_ANSWER).await;
                let rows = rows.map_err(|error| to_error(&error))?;
                row_set(&rows)
                    .map(Done::Rows)
                    .map_err(Error::ValueConversionFailed)
            }
            Self::Execute => {
                let changed = connection.execute(statement, parameters).await;
                changed.map(Done::Changed).map_err(|error| to_error(&error))
            }
        }
    }
}

fn references(parameters: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    parameters
        .iter()
        .map(|parameter| parameter.as_ref() as &(dyn ToSql + Sync))
        .collect()
}

fn failed(text: String) -> Error {
    Error::QueryFailed(QueryError::Text(text))
}

impl Host for State {}

impl HostConnection for State {
    async fn open(&mut self, address: String) -> Answer<Resource<Connection>> {
        if let Some(text) = self.before(Kind::Postgres, "open").await? {
            return Ok(Err(Error::ConnectionFailed(text)));
        }
        let config = match pg::parse(&address) {
            Ok(config) => config,
            Err(error) => return Ok(Err(to_connection_error(&error))),
        };
        if !self.may_reach(&config) {
            tracing::warn!(
                component = %self.guest.id,
                "a connection was refused: its address is not in allowed_outbound_hosts"
            );
            let text = "the address is not permitted".to_owned();
            return Ok(Err(Error::ConnectionFailed(text)));
        }
        if self.open_handles >= MAX_HANDLES {
            return Ok(Err(Error::ConnectionFailed(
                "too many connections opened".to_owned(),
            )));
        }
        let database = Database::of(&config);
        let began = Instant::now();
        let connection = self.app.postgres.open(&address).await;
        if let Some(metrics) = &self.app.metrics {
            metrics.leased(&database.name, began.elapsed());
        }
        let connection = match connection {
            Ok(connection) => connection,
            Err(error) => {
                database.is_away(&self.guest.id, &error);
                return Ok(Err(to_connection_error(&error)));
            }
        };
        let handle = self.table.push(Handle { connection, database })?;
        self.open_handles += 1;
        Ok(Ok(Resource::new_own(handle.rep())))
    }

    async fn query(
        &mut self,
        this: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Answer<RowSet> {
        let done = self.on_postgres(&this, &statement, &params, Deed::Query).await?;
        Ok(done.map(|done| match done {
            Done::Rows(rows) => rows,
            Done::Changed(_) => RowSet {
                columns: Vec::new(),
                rows: Vec::new(),
            },
        }))
    }

    async fn execute(
        &mut self,
        this: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Answer<u64> {
        let done = self
            .on_postgres(&this, &statement, &params, Deed::Execute)
            .await?;
        Ok(done.map(|done| match done {
            Done::Changed(count) => count,
            Done::Rows(rows) => rows.rows.len() as u64,
        }))
    }

    async fn drop(&mut self, this: Resource<Connection>) -> Result<()> {
        self.table.delete(Resource::<Handle>::new_own(this.rep()))?;
        self.open_handles -= 1;
        Ok(())
    }
}

/// Without rows there are no columns: so says Spin, which reads them off the first row.
fn row_set(rows: &[pg::Row]) -> std::result::Result<RowSet, String> {
    let column = |column: &pg::Column| Column {
        name: column.name().to_owned(),
        data_type: data_type(column.type_()),
    };
    let columns = rows.first().map(pg::Row::columns).unwrap_or_default();
    let values = |row: &pg::Row| -> std::result::Result<Row, String> {
        (0..row.len()).map(|place| value(row, place)).collect()
    };
    Ok(RowSet {
        columns: columns.iter().map(column).collect(),
        rows: rows.iter().map(values).collect::<std::result::Result<_, _>>()?,
    })
}
