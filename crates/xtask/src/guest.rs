//! The guests of this tree: what `components/*` and `tests/guests/*` say about themselves.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::Table;

use crate::tree::Tree;

/// A crate that becomes one `.wasm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guest {
    /// The package's name, which is also the artefact's.
    pub(crate) name: String,
    /// The guests that are composed into it, from `[package.metadata.bodega] plug`.
    pub(crate) plugs: Vec<String>,
    /// The guests that complete it, from `[package.metadata.bodega] whole`: where the manifest composes
    /// one level deep, others can only take it whole, as `NAME-whole.wasm`.
    pub(crate) whole: Vec<String>,
    /// The components that complete it where domains are deployed on their own, from `[package.metadata.bodega] remote`:
    /// adapters in the place of those that are elsewhere. It becomes `NAME-remote.wasm`.
    pub(crate) remote: Vec<String>,
    /// Its features `mutant-…`: builds without one of its guards.
    pub(crate) mutants: Vec<String>,
}

/// All guests, by name.
pub(crate) fn all(tree: &Tree) -> Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for folder in ["components", "tests/guests"] {
        let folder = tree.path(folder);
        let entries =
            fs::read_dir(&folder).with_context(|| format!("could not list {}", folder.display()))?;
        for entry in entries {
            let manifest = entry?.path().join("Cargo.toml");
            if manifest.exists() {
                guests.push(read(&manifest)?);
            }
        }
    }
    guests.sort_by(|one, other| one.name.cmp(&other.name));
    refuse_bad_plugs(&guests)?;
    refuse_bad_remotes(&guests)?;
    Ok(guests)
}

/// The guests that have a remote variant, each after those whose variant it takes in.
pub(crate) fn remotes(guests: &[Guest]) -> Vec<&Guest> {
    let mut remotes: Vec<&Guest> = guests.iter().filter(|guest| !guest.remote.is_empty()).collect();
    remotes.sort_by_key(|guest| guest.remote.iter().any(|part| variant(guests, part).is_some()));
    remotes
}

/// The guest whose remote variant has this name.
fn variant<'a>(guests: &'a [Guest], name: &str) -> Option<&'a Guest> {
    let of = name.strip_suffix("-remote")?;
    guests
        .iter()
        .find(|guest| guest.name == of && !guest.remote.is_empty())
}

fn read(manifest: &Path) -> Result<Guest> {
    let text = fs::read_to_string(manifest)?;
    parse(&text).with_context(|| format!("in {}", manifest.display()))
}

fn parse(text: &str) -> Result<Guest> {
    let table: Table = text.parse()?;
    let package = table.get("package").context("there is no [package]")?;
    let name = package
        .get("name")
        .and_then(|name| name.as_str())
        .context("the package has no name")?;
    let ours = package.get("metadata").and_then(|all| all.get("bodega"));
    let names = |key: &str| match ours.and_then(|ours| ours.get(key)) {
        None => Ok(Vec::new()),
        Some(list) => list
            .clone()
            .try_into()
            .with_context(|| format!("`{key}` is a list of component names")),
    };
    Ok(Guest {
        name: name.to_owned(),
        plugs: names("plug")?,
        whole: names("whole")?,
        remote: names("remote")?,
        mutants: mutants(&table),
    })
}

fn mutants(table: &Table) -> Vec<String> {
    let features = table.get("features").and_then(|features| features.as_table());
    let names = features.into_iter().flat_map(Table::keys);
    names
        .filter(|name| name.starts_with("mutant-"))
        .cloned()
        .collect()
}

/// Composition is one level deep, as Spin's is: what is plugged in must be whole by itself.
fn refuse_bad_plugs(guests: &[Guest]) -> Result<()> {
    for guest in guests {
        for plug in &guest.plugs {
            match guests.iter().find(|other| other.name == *plug) {
                None => bail!("{} plugs {plug}, but there is no such component", guest.name),
                Some(other) if !other.plugs.is_empty() => {
                    bail!(
                        "{} plugs {plug}, which plugs others itself; name those here too",
                        guest.name
                    )
                }
                Some(_) => {}
            }
        }
        let unknown = |name: &&String| guests.iter().all(|other| other.name != **name);
        if let Some(missing) = guest.whole.iter().find(unknown) {
            bail!(
                "{} is made whole by {missing}, but there is no such component",
                guest.name
            );
        }
    }
    Ok(())
}

/// A remote variant is made of components and of variants that are made of components alone.
fn refuse_bad_remotes(guests: &[Guest]) -> Result<()> {
    let is_guest = |name: &str| guests.iter().any(|guest| guest.name == name);
    for guest in remotes(guests) {
        let own = format!("{}-remote", guest.name);
        if is_guest(&own) {
            bail!("{own} is a component and the remote variant of another one");
        }
        for part in &guest.remote {
            match variant(guests, part) {
                None if is_guest(part) => {}
                Some(inner) if inner.remote.iter().all(|part| is_guest(part)) => {}
                None => bail!("{own} takes in {part}, but there is no such component"),
                Some(_) => bail!("{own} takes in {part}, which takes in a variant itself"),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(name: &str, plugs: &[&str]) -> Guest {
        Guest {
            name: name.to_owned(),
            plugs: plugs.iter().map(|&plug| plug.to_owned()).collect(),
            whole: Vec::new(),
            remote: Vec::new(),
            mutants: Vec::new(),
        }
    }

    #[test]
    fn a_manifest_names_the_package_and_its_plugs() {
        let text = "[package]\nname = \"payment\"\n[package.metadata.bodega]\nplug = [\"fake-pg\"]\n";
        assert_eq!(parse(text).unwrap(), guest("payment", &["fake-pg"]));
        assert_eq!(
            parse("[package]\nname = \"stock\"\n").unwrap(),
            guest("stock", &[])
        );
        assert!(parse("[package]\nname = \"x\"\n[package.metadata.bodega]\nplug = \"y\"\n").is_err());
        let whole = "[package]\nname = \"order\"\n[package.metadata.bodega]\nwhole = [\"stock\"]\n";
        assert_eq!(parse(whole).unwrap().whole, ["stock"]);
        let mutant = "[package]\nname = \"order\"\n[features]\nmutant-no-lease = []\nother = []\n";
        assert_eq!(parse(mutant).unwrap().mutants, ["mutant-no-lease"]);
    }

    #[test]
    fn what_makes_a_guest_whole_must_exist() {
        let order = Guest {
            whole: vec!["stock".to_owned()],
            ..guest("order", &[])
        };
        assert!(refuse_bad_plugs(&[order.clone(), guest("stock", &[])]).is_ok());
        assert!(refuse_bad_plugs(&[order]).is_err());
    }

    #[test]
    fn a_plug_must_exist_and_be_whole() {
        assert!(refuse_bad_plugs(&[guest("a", &["b"]), guest("b", &[])]).is_ok());
        assert!(refuse_bad_plugs(&[guest("a", &["b"])]).is_err());
        assert!(refuse_bad_plugs(&[guest("a", &["b"]), guest("b", &["c"]), guest("c", &[])]).is_err());
    }

    #[test]
    fn remote_variants_come_in_the_order_in_which_they_can_be_made() {
        let remote = |name: &str, parts: &[&str]| Guest {
            remote: parts.iter().map(|&part| part.to_owned()).collect(),
            ..guest(name, &[])
        };
        let order = remote("order", &["product-remote", "stock-remote"]);
        let product = remote("product", &["stock-remote"]);
        let guests = [order, product.clone(), guest("stock-remote", &[])];
        assert!(refuse_bad_remotes(&guests).is_ok());
        let names: Vec<&str> = remotes(&guests).iter().map(|guest| guest.name.as_str()).collect();
        assert_eq!(names, ["product", "order"]);

        assert!(
            refuse_bad_remotes(std::slice::from_ref(&product)).is_err(),
            "no such component"
        );
        let clash = [product, guest("stock-remote", &[]), guest("product-remote", &[])];
        assert!(refuse_bad_remotes(&clash).is_err(), "two files of one name");
        let deep = [
            remote("a", &["b-remote"]),
            remote("b", &["c-remote"]),
            remote("c", &["d"]),
            guest("d", &[]),
        ];
        assert!(refuse_bad_remotes(&deep).is_err(), "too deep");
    }
}
