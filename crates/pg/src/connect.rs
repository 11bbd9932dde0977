use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Error;
use crate::error::told;

/// How long a server may take to answer a connection, where the address does not say.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads an address: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or in the form `host=… user=…`. What it answers
/// connects to its hosts and to nothing else, so they are what an allow-list has to look at.
pub fn parse(address: &str) -> Result<Config, Error> {
    let mut config: Config = address.parse().map_err(|error| Error::Address(told(&error)))?;
    if config.get_hosts().is_empty() {
        return Err(Error::Address("it names no host".to_owned()));
    }
    // Who decides by the name of a host whether it may be reached must not be led to another one.
    if !config.get_hostaddrs().is_empty() {
        return Err(Error::Address(
            "it names an address beside its host (hostaddr)".to_owned(),
        ));
    }
    if config
        .get_hosts()
        .iter()
        .any(|host| matches!(host, Host::Unix(_)))
    {
        return Err(Error::Address("components reach no Unix sockets".to_owned()));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    if config.get_application_name().is_none() {
        config.application_name("bodega");
    }
    Ok(config)
}

/// Connects, and keeps the connection going for as long as its client lives. Whatever it `keeps` is kept until the
/// connection has ended.
pub(crate) async fn connect<T: Send + 'static>(
    config: &Config,
    keeps: T,
) -> Result<(Client, AbortHandle), Error> {
    let connecting = config.connect(tls());
    let limit = config.get_connect_timeout().copied().unwrap_or(PATIENCE);
    let late = || Error::Connect(format!("no answer within {limit:?}"));
    // The crate's own limit covers one host's socket; a server that accepts and says nothing would hold us for ever.
    let connected = tokio::time::timeout(limit, connecting)
        .await
        .map_err(|_| late())?;
    let (client, connection) = connected.map_err(|error| Error::Connect(told(&error)))?;
    let running = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(error = %told(&error), "a connection to a database was lost");
        }
        drop(keeps);
    });
    Ok((client, running.abort_handle()))
}

/// TLS as the address asks for it (`sslmode`), with the certificates that this system trusts
/// (`SSL_CERT_FILE` names others).
pub fn tls() -> MakeRustlsConnect {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap_or_else(|error| panic!("ring offers no usable TLS version: {error}"))
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    });
    MakeRustlsConnect::new(ClientConfig::clone(config))
}
