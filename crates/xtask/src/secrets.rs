//! The shop's keys: made once per state directory, readable by their owner only, never replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use toml::Table;

use crate::run::note;

const KEY_BYTES: usize = 32;

/// The secrets of the shop in `state_dir`; makes them if there are none yet.
pub(crate) fn ensure_in(state_dir: &Path) -> Result<PathBuf> {
    let path = state_dir.join("secrets.toml");
    fs::create_dir_all(state_dir).with_context(|| format!("could not make {}", state_dir.display()))?;
    match fs::read_to_string(&path) {
        Ok(text) => {
            verify(&text).with_context(|| {
                format!(
                    "{} is broken; repair it, or move it away to start with new keys",
                    path.display()
                )
            })?;
            close_to_others(&path)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => create(&path)?,
        Err(error) => return Err(error).with_context(|| format!("could not read {}", path.display())),
    }
    Ok(path)
}

fn create(path: &Path) -> Result<()> {
    let text = format!(
        "# Made by `cargo xtask up`. Whoever reads this can sign in as anyone: keep it to yourself.\n\
         # jwt_keys: id:key pairs with commas between, the first one signs. identity_key: one key.\n\
         # jobs_key: what `Authorization: Bearer` must say on /internal/**.\n\
         jwt_keys = \"k1:{}\"\n\
         identity_key = \"{}\"\n\
         jobs_key = \"{}\"\n",
        random_key()?,
        random_key()?,
        random_key()?
    );
    // Whole or not at all, and never over a file that came to be meanwhile.
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&part, path);
    fs::remove_file(&part)?;
    linked.with_context(|| format!("could not write {}", path.display()))?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    note(&format!("made new keys in {}", path.display()));
    Ok(())
}

fn random_key() -> Result<String> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| anyhow!("the system has no random numbers: {error}"))?;
    Ok(STANDARD.encode(key))
}

fn verify(text: &str) -> Result<()> {
    let table: Table = text.parse()?;
    let value = |name: &str| {
        let value = table.get(name).with_context(|| format!("{name} is missing"))?;
        value.as_str().with_context(|| format!("{name} is not a string"))
    };
    for pair in value("jwt_keys")?
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (id, key) = pair
            .split_once(':')
            .context("jwt_keys holds something that is not id:key")?;
        verify_key(key).with_context(|| format!("the key {id} in jwt_keys"))?;
    }
    ensure!(!value("jwt_keys")?.trim().is_empty(), "jwt_keys is empty");
    verify_key(value("identity_key")?).context("identity_key")?;
    // Without one the internal routes are closed, which is how shops began.
    match table.contains_key("jobs_key") {
        true => verify_key(value("jobs_key")?).context("jobs_key"),
        false => Ok(()),
    }
}

/// Says what is wrong with a key, and nothing of the key itself.
fn verify_key(key: &str) -> Result<()> {
    let bytes = STANDARD.decode(key).map_err(|_| anyhow!("it is not base64"))?;
    ensure!(
        bytes.len() >= KEY_BYTES,
        "it has {} bytes, fewer than {KEY_BYTES}",
        bytes.len()
    );
    Ok(())
}

fn close_to_others(path: &Path) -> Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        note(&format!(
            "{} was readable by others; it no longer is",
            path.display()
        ));
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_for_their_owner_only_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = ensure_in(dir.path()).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        ensure_in(dir.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no partial file stays"
        );
    }

    #[test]
    fn a_broken_file_is_refused_by_name_and_left_as_it_is() {
        let good = STANDARD.encode([7; 32]);
        let cases = [
            ("not toml [".to_owned(), "broken"),
            (format!("jwt_keys = \"k1:{good}\""), "identity_key is missing"),
            (
                format!("jwt_keys = \"\"\nidentity_key = \"{good}\""),
                "jwt_keys is empty",
            ),
            (
                format!("jwt_keys = \"{good}\"\nidentity_key = \"{good}\""),
                "not id:key",
            ),
            (
                format!("jwt_keys = \"k1:YQ==\"\nidentity_key = \"{good}\""),
                "fewer than 32",
            ),
            (
                format!("jwt_keys = \"k1:{good}\"\nidentity_key = \"?\""),
                "not base64",
            ),
            (
                format!("jwt_keys = \"k1:{good}\"\nidentity_key = \"{good}\"\njobs_key = \"YQ==\""),
                "jobs_key",
            ),
        ];
        for (text, reason) in cases {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("secrets.toml"), &text).unwrap();
            let error = format!("{:#}", ensure_in(dir.path()).unwrap_err());
            assert!(error.contains(reason), "{error}");
            assert!(!error.contains(&good), "a key is in the message");
            assert_eq!(fs::read_to_string(dir.path().join("secrets.toml")).unwrap(), text);
        }
    }
}
