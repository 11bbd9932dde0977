//! The binary itself: what it prints, what it does with signals, what it refuses.

use crate::support::{guest, probe, ticker};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn bodega() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bodega"));
    for name in ["SPIN_HTTP_LISTEN_ADDR", "RUNTIME_CONFIG_FILE", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

fn application() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"test\"\n{}",
        probe()
    );
    std::fs::write(dir.path().join("spin.toml"), text).expect("a manifest");
    dir
}

fn up(dir: &Path, more: &[&str]) -> Command {
    let mut command = bodega();
    command
        .arg("up")
        .arg("-f")
        .arg(dir)
        .args(["--listen", "127.0.0.1:0"])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Reads the line that says where the server listens.
fn address(child: &mut Child) -> String {
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("it is piped");
    // Byte by byte, so that nothing behind the line is taken.
    let mut byte = [0];
    while stdout.read_exact(&mut byte).is_ok() && byte != *b"\n" {
        line.push(char::from(byte[0]));
    }
    let url = line.strip_prefix("Serving ").expect("the first line says where");
    url.strip_prefix("http://").expect("a URL").to_owned()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
}

fn get(address: &str, path: &str) -> String {
    use std::io::Write;
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn it_says_where_it_serves_and_drains_on_sigterm() {
    let dir = application();
    let stats = dir.path().join("stats.json");
    let stats_file = stats.display().to_string();
    let mut child = up(dir.path(), &["--stats-file", &stats_file])
        .spawn()
        .expect("it starts");
    let address = address(&mut child);
    assert!(get(&address, "/probe/tx-commit").contains("Ok(())"));
    let slow = std::thread::spawn(move || get(&address, "/probe/sleep?ms=500"));
    std::thread::sleep(Duration::from_millis(200));
    signal(&child, "TERM");
    assert!(slow.join().expect("no panic").contains("slept 500 ms"));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let stats: serde_json::Value =
        serde_json::from_slice(&std::fs::read(stats).expect("counters")).expect("JSON");
    assert_eq!(stats["requests"], 2);
    assert_eq!(stats["databases"]["default"]["commits"], 2);
    assert!(dir.path().join(".bodega/default.db").exists());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let dir = application();
    let mut child = up(dir.path(), &[]).spawn().expect("it starts");
    let address = address(&mut child);
    let slow = std::thread::spawn(move || std::panic::catch_unwind(|| get(&address, "/probe/sleep?ms=9000")));
    std::thread::sleep(Duration::from_millis(200));
    let started = Instant::now();
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(200));
    signal(&child, "INT");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(started.elapsed() < Duration::from_secs(2));
    drop(slow.join());
}

#[test]
fn what_components_print_goes_to_the_log_with_their_id() {
    let dir = application();
    let logs = dir.path().join("logs");
    let log_dir = logs.display().to_string();
    let mut child = up(dir.path(), &["--log-dir", &log_dir])
        .spawn()
        .expect("it starts");
    let address = address(&mut child);
    get(&address, "/probe/print");
    signal(&child, "TERM");
    let log = BufReader::new(child.stderr.take().expect("it is piped"));
    let lines: Vec<serde_json::Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(&line.expect("text")).ok())
        .collect();
    child.wait().expect("it ends");
    let said = |text: &str, stream: &str| {
        lines
            .iter()
            .any(|line| line["message"] == text && line["component"] == "probe" && line["stream"] == stream)
    };
    assert!(said("said aloud", "stdout"), "{lines:?}");
    assert!(said("muttered", "stderr"), "{lines:?}");
    let file = std::fs::read_to_string(logs.join("probe_stdout.txt")).expect("a log file");
    assert_eq!(file, "said aloud\n");
}

#[test]
fn what_runs_without_a_request_is_announced_and_drained() {
    let dir = tempfile::tempdir().expect("a folder");
    let triggers = "[[trigger.cron]]\ncron_expression = \"* * * * * *\"\ncomponent = \"ticker\"\n\
                    [[trigger.redis]]\nchannel = \"shop\"\ncomponent = \"ticker\"\n\
                    address = \"redis://:hush@127.0.0.1:1\"\n";
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"test\"\n{}{triggers}",
        ticker(&[], "")
    );
    std::fs::write(dir.path().join("spin.toml"), text).expect("a manifest");
    let mut child = up(dir.path(), &[]).spawn().expect("it starts");
    let address = address(&mut child);
    let started = Instant::now();
    while !get(&address, "/ticker/notes").contains("tick done") {
        assert!(started.elapsed() < Duration::from_secs(60), "it never ticks");
        std::thread::sleep(Duration::from_millis(100));
    }
    signal(&child, "TERM");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("Active Channels:\n  ticker: shop on redis://:***@127.0.0.1:1"),
        "{said}"
    );
    assert!(
        said.contains("Scheduled Components:\n  ticker: * * * * * *"),
        "{said}"
    );
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!log.contains("hush"), "{log}");
}

fn failed(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn flags_it_does_not_know_are_named() {
    let output = bodega().args(["up", "--colour"]).output().expect("it runs");
    assert!(failed(&output).contains("--colour"));
}

#[test]
fn a_variable_that_is_misspelt_is_named_without_its_value() {
    let dir = application();
    let mut child = up(dir.path(), &["--variable", "adress=hush"])
        .spawn()
        .expect("it starts");
    address(&mut child);
    signal(&child, "TERM");
    let output = child.wait_with_output().expect("it ends");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("\"adress\"") && !log.contains("hush"), "{log}");
}

#[test]
fn an_unknown_key_in_the_manifest_ends_the_start() {
    let dir = application();
    let path = dir.path().join("spin.toml");
    let text = std::fs::read_to_string(&path).expect("a manifest");
    std::fs::write(&path, format!("{text}colour = \"red\"\n")).expect("a manifest");
    let text = failed(&up(dir.path(), &[]).output().expect("it runs"));
    assert!(text.contains("spin.toml:") && text.contains("colour"), "{text}");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("an address").to_string();
    let dir = application();
    let output = bodega()
        .args(["up", "--listen", &listen, "-f"])
        .arg(dir.path())
        .output();
    let text = failed(&output.expect("it runs"));
    assert!(text.contains(&format!("{listen} is already in use")), "{text}");
}

#[test]
fn check_and_compose_need_no_server() {
    let dir = application();
    let checked = bodega().arg("check").arg("-f").arg(dir.path()).status();
    assert!(checked.expect("it runs").success());
    let output = dir.path().join("sub/whole.wasm");
    let composed = bodega()
        .arg("compose")
        .arg(guest("caller"))
        .arg("--plug")
        .arg(guest("tool"))
        .arg("-o")
        .arg(&output)
        .status();
    assert!(composed.expect("it runs").success());
    assert!(output.exists());
    let useless = bodega()
        .arg("compose")
        .arg(guest("caller"))
        .arg("--plug")
        .arg(guest("hello"))
        .arg("-o")
        .arg(&output)
        .output();
    assert!(failed(&useless.expect("it runs")).contains("satisfies no import"));
}
