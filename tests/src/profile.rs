//! What the shops of a run are made of, and the servers that they need for it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use testkit::servers::{Nats, Postgres, Redis, Sync};

use crate::books::name_postgres;

/// What the shops of this run are made of: `BODEGA_TEST_PROFILE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// `sqlite`, or nothing: one process, its data in files.
    Sqlite,
    /// `postgres`: one process, its data in a Postgres.
    Postgres,
    /// `replicas`: two processes with their data in one Postgres; events, limits and the key-value store in one Redis. Every
    /// request goes to the other one than the request before.
    Replicas,
}

/// How many processes a shop of [`Profile::Replicas`] is.
const REPLICAS: usize = 2;

impl Profile {
    /// What the environment asks for.
    pub fn of_this_run() -> Result<Self> {
        match std::env::var("BODEGA_TEST_PROFILE").as_deref() {
            Err(_) | Ok("" | "sqlite") => Ok(Self::Sqlite),
            Ok("postgres") => Ok(Self::Postgres),
            Ok("replicas") => Ok(Self::Replicas),
            Ok(other) => {
                bail!("BODEGA_TEST_PROFILE is {other:?}, none of sqlite, postgres, replicas")
            }
        }
    }

    /// How many processes a shop is.
    pub(crate) const fn processes(self) -> usize {
        match self {
            Self::Sqlite | Self::Postgres => 1,
            Self::Replicas => REPLICAS,
        }
    }

    /// Starts what a shop needs. A run that asks for a server which is not installed fails.
    pub(crate) fn servers(self) -> Result<Servers> {
        match self {
            Self::Sqlite => Ok(Servers::default()),
            Self::Postgres => Ok(Servers {
                postgres: Some(Postgres::start().context("this profile needs a Postgres")?),
                ..Servers::default()
            }),
            Self::Replicas => {
                Servers::shared(Sync::Off, Bus::Redis).context("this profile needs a Postgres and a Redis")
            }
        }
    }
}

/// What carries the events between replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bus {
    /// The Redis that they share anyhow.
    Redis,
    /// A stream of NATS JetStream.
    JetStream,
}

/// The servers of a shop; gone with it.
#[derive(Debug, Default)]
pub struct Servers {
    /// Its databases, where they are not files.
    pub postgres: Option<Postgres>,
    /// Limits and the key-value store, and the events if nothing else has them.
    pub redis: Option<Redis>,
    /// The events.
    pub nats: Option<Nats>,
}

impl Servers {
    /// What several processes need that are one shop; none, said loudly, when it is not installed.
    pub fn shared(sync: Sync, bus: Bus) -> Option<Self> {
        Some(Self {
            postgres: Some(Postgres::start_with(sync)?),
            redis: Some(Redis::start()?),
            nats: match bus {
                Bus::Redis => None,
                Bus::JetStream => Some(Nats::start()?),
            },
        })
    }

    /// The bus, as `events_address` has it.
    fn events(&self) -> Option<String> {
        let stream = |nats: &Nats| format!("{}?stream=shop", nats.address());
        self.nats
            .as_ref()
            .map(stream)
            .or_else(|| self.redis.as_ref().map(Redis::address))
    }

    /// Makes the databases and writes down where everything is, for the shop in this folder; answers the flags
    /// that a process of it needs.
    pub(crate) fn lay_out(&self, folder: &Path) -> Result<Vec<String>> {
        if let Some(postgres) = &self.postgres {
            name_postgres(folder, postgres)?;
        }
        let Some(redis) = &self.redis else {
            return Ok(Vec::new());
        };
        let config = folder.join("runtime-config.toml");
        let store = format!(
            "[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"\n",
            redis.address()
        );
        std::fs::write(&config, store)?;
        let variables = [
            ("limits_address", redis.address()),
            ("events_address", self.events().unwrap_or_default()),
        ];
        let variables = variables
            .iter()
            .flat_map(|(name, value)| ["--variable".to_owned(), format!("{name}={value}")]);
        Ok(["--runtime-config-file".to_owned(), config.display().to_string()]
            .into_iter()
            .chain(variables)
            .collect())
    }
}
