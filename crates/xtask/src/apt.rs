//! Packages from the distribution, fetched by apt itself into a private directory.
//!
//! Apt verifies signatures as on any other day; nothing is installed, no root is needed, and the
//! machine's own package lists stay as they are. The mirror is the one the machine is configured
//! with; no host name is written down here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::run::{output, run};

/// Releases by which the main Debian archive is known, as opposed to other people's archives.
const DEBIAN_SUITES: &[&str] = &[
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "sid",
    "oldstable",
    "stable",
    "testing",
    "unstable",
];

/// The archive's keys, where Debian and its relatives install them.
const KEYRINGS: &[&str] = &[
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/// One place that packages come from, and what the machine's owner says about trusting it.
#[derive(Debug, PartialEq, Eq)]
struct Mirror {
    uri: String,
    /// Deb822 fields, such as `Signed-By`, carried over as they are.
    options: Vec<(String, String)>,
}

/// An apt with a configuration, package lists and a cache of its own, under one directory.
pub(crate) struct Apt {
    dir: PathBuf,
}

impl Apt {
    /// Sets one up under `dir` for `suite` of the machine's own mirror and fetches its index.
    pub(crate) fn open(dir: &Path, suite: &str) -> Result<Apt> {
        let mirrors = machine_mirrors(Path::new("/etc/apt"))?;
        ensure!(
            !mirrors.is_empty(),
            "apt is not configured with a Debian mirror (looked in /etc/apt)"
        );
        for sub in ["sources", "state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(dir.join(sub))?;
        }
        fs::write(dir.join("state/status"), "")?;
        let apt = Apt {
            dir: dir.to_path_buf(),
        };
        let mut last = None;
        for mirror in &mirrors {
            fs::write(dir.join("sources/bodega.sources"), mirror.stanza(suite))?;
            match run(apt.command("apt-get").args(["--error-on=any", "update"])) {
                Ok(()) => return Ok(apt),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("no mirror")?).with_context(|| format!("no index of the suite {suite}"))
    }

    /// The versions of `package` on offer, newest first.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let table = output(self.command("apt-cache").args(["madison", package]))?;
        let versions = table
            .lines()
            .filter_map(|line| line.split('|').nth(1))
            .map(|v| v.trim().to_owned());
        Ok(versions.collect())
    }

    /// Downloads and verifies one version of `package` and unpacks it into `into`.
    pub(crate) fn unpack(&self, package: &str, version: &str, into: &Path) -> Result<()> {
        let downloads = self.dir.join("downloads").join(package);
        fs::create_dir_all(&downloads)?;
        let wanted = format!("{package}={version}");
        run(self
            .command("apt-get")
            .args(["download", &wanted])
            .current_dir(&downloads))?;
        let found = fs::read_dir(&downloads)?
            .next()
            .with_context(|| format!("apt brought no {wanted}"))??;
        run(Command::new("dpkg-deb").arg("-x").arg(found.path()).arg(into))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let at = |option: &str, sub: &str| format!("{option}={}", self.dir.join(sub).display());
        for option in [
            "Dir::Etc::sourcelist=/dev/null".to_owned(),
            at("Dir::Etc::sourceparts", "sources"),
            at("Dir::State", "state"),
            at("Dir::State::status", "state/status"),
            at("Dir::Cache", "cache"),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=2".to_owned(),
            "Acquire::http::Timeout=20".to_owned(),
            "Acquire::https::Timeout=20".to_owned(),
            // As root, apt would fetch as a user that cannot write below our target directory.
            "APT::Sandbox::User=root".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command.arg("-q").env("LC_ALL", "C").stdin(Stdio::null());
        command
    }
}

impl Mirror {
    /// A `.sources` file for `suite` on this mirror.
    fn stanza(&self, suite: &str) -> String {
        let mut text = format!(
            "Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\n",
            self.uri
        );
        for (name, value) in &self.options {
            text += &format!("{name}: {value}\n");
        }
        text
    }
}

/// The Debian mirrors that `etc_apt` (`/etc/apt`) is configured with.
fn machine_mirrors(etc_apt: &Path) -> Result<Vec<Mirror>> {
    let mut files = vec![etc_apt.join("sources.list")];
    if let Ok(entries) = fs::read_dir(etc_apt.join("sources.list.d")) {
        let mut parts: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        parts.sort();
        files.extend(parts);
    }
    let mut mirrors = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        let found = match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => one_line_style(&text),
            Some("sources") => deb822_style(&text),
            _ => continue,
        };
        for mirror in found {
            if !mirrors.contains(&mirror) {
                mirrors.push(mirror);
            }
        }
    }
    if mirrors.is_empty() && !Path::new("/usr/bin/apt-get").exists() {
        bail!("this machine has no apt");
    }
    Ok(mirrors)
}

/// Entries such as `deb [signed-by=/a.gpg] http://mirror/debian bookworm main`.
fn one_line_style(text: &str) -> Vec<Mirror> {
    text.lines().filter_map(one_line).collect()
}

fn one_line(line: &str) -> Option<Mirror> {
    let line = line.split('#').next()?.trim();
    let rest = line.strip_prefix("deb")?.trim_start_matches([' ', '\t']);
    let (options, rest) = match rest.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let (uri, suite) = (words.next()?, words.next()?);
    if !is_debian(suite) || !words.any(|component| component == "main") {
        return None;
    }
    let options = options
        .split_whitespace()
        .filter_map(|option| option.split_once('='));
    let fields = options.map(|(name, value)| (name.to_owned(), value.replace(',', " ")));
    Some(Mirror::new(uri, fields.collect()))
}

/// Stanzas of `Name: value` fields, separated by empty lines; a value goes on in indented lines.
fn deb822_style(text: &str) -> Vec<Mirror> {
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let stanzas = kept.split(|line| line.trim().is_empty());
    stanzas
        .flat_map(|stanza| deb822_stanza(&fields(stanza)))
        .collect()
}

fn deb822_stanza(fields: &[(String, String)]) -> Vec<Mirror> {
    let words = |wanted: &str| -> Vec<&str> {
        let named = fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        named.flat_map(|(_, value)| value.split_whitespace()).collect()
    };
    let enabled = !words("Enabled")
        .iter()
        .any(|word| ["no", "false", "0"].contains(word));
    let of_debian = words("Suites").iter().any(|suite| is_debian(suite));
    if !enabled || !of_debian || !words("Types").contains(&"deb") || !words("Components").contains(&"main") {
        return Vec::new();
    }
    words("URIs")
        .into_iter()
        .map(|uri| Mirror::new(uri, fields.to_vec()))
        .collect()
}

fn fields(stanza: &[&str]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in stanza {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    fields
}

/// A suite of the archive that also has the backports: not security, which lives elsewhere.
fn is_debian(suite: &str) -> bool {
    let release = suite
        .strip_suffix("-updates")
        .or_else(|| suite.strip_suffix("-backports"))
        .unwrap_or(suite);
    DEBIAN_SUITES.contains(&release)
}

impl Mirror {
    /// Keeps, of an entry's fields, those that say whether the mirror is to be believed.
    fn new(uri: &str, fields: Vec<(String, String)>) -> Mirror {
        let carried = ["Signed-By", "Trusted", "Check-Valid-Until"];
        let kept = fields.into_iter().filter_map(|(name, value)| {
            let known = carried
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(&name))?;
            let value = if known == "Signed-By" {
                with_archive_keys(value)
            } else {
                value
            };
            Some((known.to_owned(), value))
        });
        Mirror {
            uri: uri.to_owned(),
            options: kept.collect(),
        }
    }
}

/// An entry may name the keys of its own release only; the suite we want may be signed by newer ones,
/// which the same keyring package holds.
fn with_archive_keys(signed_by: String) -> String {
    if !signed_by.starts_with('/') {
        return signed_by;
    }
    let missing = KEYRINGS
        .iter()
        .filter(|path| !signed_by.contains(**path) && Path::new(path).exists());
    missing.fold(signed_by.clone(), |all, path| format!("{all} {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uris(mirrors: &[Mirror]) -> Vec<&str> {
        mirrors.iter().map(|mirror| mirror.uri.as_str()).collect()
    }

    #[test]
    fn only_enabled_binary_entries_of_the_debian_archive_count() {
        let text = "\
# a comment
Types: deb
URIs: http://one.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN KEY-----
 .
 abc

Types: deb
URIs: http://two.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://three.example/debian
Suites: trixie
Components: main

Types: deb-src
URIs: http://four.example/debian
Suites: trixie
Components: main
";
        let found = deb822_style(text);
        assert_eq!(uris(&found), ["http://one.example/debian"]);
        assert!(
            found[0]
                .stanza("trixie-backports")
                .contains("Signed-By: \n -----BEGIN KEY-----\n .\n abc\n")
        );
    }

    #[test]
    fn one_line_entries_keep_their_options_and_others_archives_are_passed_over() {
        let text = "\
deb https://packages.example/apt cloud-sdk-bookworm main
deb-src http://mirror.example/debian trixie main
deb [arch=amd64 trusted=yes] http://mirror.example/debian trixie main contrib # ours
deb http://mirror.example/other trixie contrib
";
        let found = one_line_style(text);
        assert_eq!(uris(&found), ["http://mirror.example/debian"]);
        assert_eq!(found[0].options, [("Trusted".to_owned(), "yes".to_owned())]);
    }
}
