use rustls::{ClientConfig, RootCertStore};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Error;
use crate::error::told;

/// How long a server may take to answer a connection, where the address does not say.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long what was sent may stay unconfirmed before its machine counts as lost, where the address does not say. The
/// system's own limit is a quarter of an hour, in which each statement on such a connection costs its caller's deadline.
const UNCONFIRMED: Duration = Duration::from_secs(6);

/// A silent connection is asked whether it lives after this time, then so often, and is lost after so many in vain.
const PROBE_AFTER: Duration = Duration::from_secs(10);
const PROBE_EVERY: Duration = Duration::from_secs(3);
const PROBES: u32 = 3;

/// The library's default, which is not to be told from an address that says two hours.
const UNSAID: Duration = Duration::from_secs(2 * 60 * 60);

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
    notice_lost_machines(&mut config);
    Ok(config)
}

fn notice_lost_machines(config: &mut Config) {
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNCONFIRMED);
    }
    if config.get_keepalives_idle() == UNSAID {
        config.keepalives_idle(PROBE_AFTER);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(PROBE_EVERY);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(PROBES);
    }
}

/// Connects to the first host that takes us, and keeps the connection going for as long as its client lives. Whatever it
/// `keeps` is kept until the connection has ended.
pub(crate) async fn connect<T: Send + 'static>(
    config: &Config,
    keeps: T,
) -> Result<(Client, AbortHandle), Error> {
    let (client, connection) = first_of(config).await?;
    let running = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(error = %told(&error), "a connection to a database was lost");
        }
        drop(keeps);
    });
    Ok((client, running.abort_handle()))
}

type Connected = (
    Client,
    Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>,
);

async fn first_of(config: &Config) -> Result<Connected, Error> {
    let hosts = config.get_hosts().len();
    let first = match config.get_load_balance_hosts() {
        LoadBalanceHosts::Random => RandomState::new().hash_one(()) as usize % hosts.max(1),
        _ => 0,
    };
    let mut failures = Vec::new();
    for place in 0..hosts {
        match take(&alone(config, (first + place) % hosts)).await {
            Ok(connected) => return Ok(connected),
            Err(failure) => failures.push(failure),
        }
    }
    failures.dedup();
    Err(Error::Connect(failures.join("; ")))
}

/// Each host has the whole time: the library's own limit ends with the socket, so a server that accepts and says
/// nothing would keep us from the next one for ever.
async fn take(config: &Config) -> Result<Connected, String> {
    let limit = config.get_connect_timeout().copied().unwrap_or(PATIENCE);
    match tokio::time::timeout(limit, config.connect(tls())).await {
        Ok(connected) => connected.map_err(|error| told(&error)),
        Err(_) => Err(format!("no answer within {limit:?}")),
    }
}

/// The address with one of its hosts.
fn alone(config: &Config, place: usize) -> Config {
    if config.get_hosts().len() == 1 {
        return config.clone();
    }
    let mut alone = Config::new();
    if let Some(Host::Tcp(host)) = config.get_hosts().get(place) {
        alone.host(host);
    }
    let ports = config.get_ports();
    if let Some(port) = ports.get(place).or(ports.first()) {
        alone.port(*port);
    }
    if let Some(user) = config.get_user() {
        alone.user(user);
    }
    if let Some(database) = config.get_dbname() {
        alone.dbname(database);
    }
    if let Some(options) = config.get_options() {
        alone.options(options);
    }
    if let Some(name) = config.get_application_name() {
        alone.application_name(name);
    }
    if let Some(password) = config.get_password() {
        alone.password(password);
    }
    if let Some(limit) = config.get_connect_timeout() {
        alone.connect_timeout(*limit);
    }
    if let Some(limit) = config.get_tcp_user_timeout() {
        alone.tcp_user_timeout(*limit);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        alone.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        alone.keepalives_retries(retries);
    }
    alone
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    alone
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_machine_is_noticed_unless_the_address_says_otherwise() {
        let limits = |behind: &str| {
            let config = parse(&format!("postgres://me@there/ours{behind}")).expect("an address");
            (
                config.get_tcp_user_timeout().map(Duration::as_secs),
                config.get_keepalives_idle().as_secs(),
                config.get_keepalives_interval().map(|every| every.as_secs()),
                config.get_keepalives_retries(),
            )
        };
        assert_eq!(limits(""), (Some(6), 10, Some(3), Some(3)));
        let own = "?tcp_user_timeout=1&keepalives_idle=2&keepalives_interval=4&keepalives_retries=5";
        assert_eq!(limits(own), (Some(1), 2, Some(4), Some(5)));
    }

    #[test]
    fn one_host_of_several_is_asked_as_if_it_were_alone() {
        let options = "?options=-c%20geqo%3Doff&application_name=n&sslmode=disable&connect_timeout=7\
            &tcp_user_timeout=8&keepalives=0&keepalives_idle=9&keepalives_interval=10&keepalives_retries=11\
            &target_session_attrs=read-write&channel_binding=disable&load_balance_hosts=random&sslnegotiation=direct";
        let parse =
            |hosts: &str| parse(&format!("postgres://me:secret@{hosts}/ours{options}")).expect("an address");
        for hosts in ["one:1,two:2", "zero,two:2"] {
            assert_eq!(alone(&parse(hosts), 1), parse("two:2"), "{hosts}");
        }
        assert_eq!(alone(&parse("one:1"), 0), parse("one:1"));
    }
}
