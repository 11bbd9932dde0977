//! Addresses with several hosts.

use crate::support::scene;
use pg::Options;
use std::net::{Ipv4Addr, TcpListener};

#[tokio::test]
async fn a_host_that_says_nothing_is_followed_by_the_next() {
    let Some(scene) = scene(Options::default()) else {
        return;
    };
    // The system takes connections in, and nobody ever reads from them.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let hosts = format!(
        "127.0.0.1:{},127.0.0.1:{}",
        silent.local_addr().unwrap().port(),
        scene.server.port()
    );
    let address = format!("postgres://postgres:postgres@{hosts}/ours?connect_timeout=1");
    let mut connection = scene.pools.open(&address).await.unwrap();
    connection.execute("select 1", &[]).await.unwrap();
}

#[tokio::test]
async fn why_none_of_them_took_us_is_told_for_each() {
    let Some(scene) = scene(Options::default()) else {
        return;
    };
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let hosts = format!(
        "127.0.0.1:{},127.0.0.1:{}",
        scene.server.port(),
        silent.local_addr().unwrap().port()
    );
    let address = format!("postgres://postgres:wrong-secret@{hosts}/ours?connect_timeout=1");
    let error = scene.pools.open(&address).await.err().unwrap().to_string();
    for reason in ["password authentication failed", "no answer within 1s"] {
        assert!(error.contains(reason), "{error}");
    }
    assert!(!error.contains("wrong-secret"), "{error}");
}
