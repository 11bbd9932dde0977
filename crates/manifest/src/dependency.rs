//! Components composed into a component, and what they get of its capabilities.

use crate::ident;
use semver::Version;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// One import of a component and the file that satisfies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Which import, or which imports.
    pub name: DependencyName,
    /// The `.wasm` file whose export takes its place.
    pub path: PathBuf,
    /// The export to take when it is called differently from the import.
    pub export: Option<String>,
    /// What of the parent's capabilities it gets.
    pub inherit: Inherit,
}

/// What a dependency gets of its parent's capabilities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Inherit {
    /// Nothing: every host interface refuses it.
    #[default]
    Nothing,
    /// Everything its parent has.
    All,
    /// Only these.
    Only(BTreeSet<Capability>),
}

impl Inherit {
    /// Whether the dependency gets this capability.
    pub fn grants(&self, capability: Capability) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Only(granted) => granted.contains(&capability),
        }
    }
}

/// A capability that can be named in `inherit_configuration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// `ai_models`
    AiModels,
    /// `allowed_outbound_hosts`
    AllowedOutboundHosts,
    /// `environment`
    Environment,
    /// `files`
    Files,
    /// `key_value_stores`
    KeyValueStores,
    /// `sqlite_databases`
    SqliteDatabases,
    /// `variables`
    Variables,
}

impl Capability {
    /// Every capability, in the order of their names.
    pub const ALL: [Self; 7] = [
        Self::AiModels,
        Self::AllowedOutboundHosts,
        Self::Environment,
        Self::Files,
        Self::KeyValueStores,
        Self::SqliteDatabases,
        Self::Variables,
    ];

    /// The word the manifest uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::AiModels => "ai_models",
            Self::AllowedOutboundHosts => "allowed_outbound_hosts",
            Self::Environment => "environment",
            Self::Files => "files",
            Self::KeyValueStores => "key_value_stores",
            Self::SqliteDatabases => "sqlite_databases",
            Self::Variables => "variables",
        }
    }

    /// The capability of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.name() == name)
    }
}

/// The import a dependency stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyName {
    /// An import without a package, such as `payments`.
    Plain(String),
    /// `namespace:package/interface@version`; without an interface it stands for all of the package's.
    Package {
        /// `namespace:package`.
        package: String,
        /// The one interface, if only one is meant.
        interface: Option<String>,
        /// The exact version, if one is named.
        version: Option<String>,
    },
}

impl fmt::Display for DependencyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (package, interface, version) = match self {
            Self::Plain(name) => return f.write_str(name),
            Self::Package {
                package,
                interface,
                version,
            } => (package, interface, version),
        };
        f.write_str(package)?;
        if let Some(interface) = interface {
            write!(f, "/{interface}")?;
        }
        if let Some(version) = version {
            write!(f, "@{version}")?;
        }
        Ok(())
    }
}

impl FromStr for DependencyName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.contains([':', '/']) {
            ident::kebab(text)?;
            return Ok(Self::Plain(text.to_owned()));
        }
        let (name, version) = split(text, '@');
        let (package, interface) = split(name, '/');
        let (namespace, package_name) = package
            .split_once(':')
            .ok_or("a package is written `namespace:name`")?;
        ident::kebab(namespace)?;
        ident::kebab(package_name)?;
        interface.map_or(Ok(()), ident::kebab)?;
        version.map_or(Ok(()), |version| checked(version).map(drop))?;
        let [interface, version] = [interface, version].map(|part| part.map(str::to_owned));
        Ok(Self::Package {
            package: package.to_owned(),
            interface,
            version,
        })
    }
}

fn split(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator)
        .map_or((text, None), |(before, after)| (before, Some(after)))
}

fn checked(version: &str) -> Result<Version, String> {
    Version::parse(version).map_err(|error| format!("version `{version}`: {error}"))
}

impl DependencyName {
    /// Whether one import could be meant by both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let (
            Self::Package {
                package,
                interface,
                version,
            },
            Self::Package {
                package: other_package,
                interface: other_interface,
                version: other_version,
            },
        ) = (self, other)
        else {
            return false;
        };
        let differ = |mine: Option<String>, theirs: Option<String>| {
            mine.is_some() && theirs.is_some() && mine != theirs
        };
        package == other_package
            && !differ(interface.clone(), other_interface.clone())
            && !differ(
                version.as_deref().map(compatible),
                other_version.as_deref().map(compatible),
            )
    }
}

/// The part of a version that must be equal for two to be interchangeable.
fn compatible(version: &str) -> String {
    let Ok(version) = Version::parse(version) else {
        return version.to_owned();
    };
    match (version.major, version.minor) {
        _ if !version.pre.is_empty() => format!(
            "{}.{}.{}-{}",
            version.major, version.minor, version.patch, version.pre
        ),
        (0, 0) => format!("0.0.{}", version.patch),
        (0, minor) => format!("0.{minor}"),
        (major, _) => major.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let name: Result<DependencyName, _> = text.parse();
        if let Ok(name) = &name {
            assert_eq!(name.to_string(), text, "a name is written as it is read");
        }
        expected.assert_eq(&format!("{name:?}"));
    }

    #[test]
    fn names_are_plain_or_of_a_package() {
        check("payments", expect![[r#"Ok(Plain("payments"))"#]]);
        check(
            "shop:stock",
            expect![[r#"Ok(Package { package: "shop:stock", interface: None, version: None })"#]],
        );
        check(
            "shop:stock/stock@0.1.0",
            expect![[
                r#"Ok(Package { package: "shop:stock", interface: Some("stock"), version: Some("0.1.0") })"#
            ]],
        );
        check(
            "shop:stock@0.1.0",
            expect![[r#"Ok(Package { package: "shop:stock", interface: None, version: Some("0.1.0") })"#]],
        );
        check(
            "Payments_x",
            expect![[r#"Err("only letters a-z, digits and `-` are allowed, not `_`")"#]],
        );
        check(
            "stock/stock",
            expect![[r#"Err("a package is written `namespace:name`")"#]],
        );
        check(
            "shop:stock/stock@one",
            expect![[r#"Err("version `one`: unexpected character 'o' while parsing major version number")"#]],
        );
        check("shop:", expect![[r#"Err("it is empty")"#]]);
    }

    #[test]
    fn names_overlap_when_one_import_fits_both() {
        let overlap = |one: &str, other: &str| {
            let [one, other]: [DependencyName; 2] = [one, other].map(|text| text.parse().expect("a name"));
            assert_eq!(one.overlaps(&other), other.overlaps(&one), "it goes both ways");
            one.overlaps(&other)
        };
        assert!(overlap("shop:stock", "shop:stock/stock"));
        assert!(overlap("shop:stock@0.1.0", "shop:stock/stock@0.1.3"));
        assert!(overlap("shop:stock@1.0.0", "shop:stock@1.4.0"));
        assert!(!overlap("shop:stock@0.1.0", "shop:stock@0.2.0"));
        assert!(!overlap("shop:stock@1.0.0-a", "shop:stock@1.0.0"));
        assert!(!overlap("shop:stock/stock", "shop:stock/levels"));
        assert!(!overlap("shop:stock", "shop:payment"));
        assert!(!overlap("stock", "payment"));
    }

    #[test]
    fn inheriting_is_all_nothing_or_what_is_listed() {
        let only = Inherit::Only([Capability::Variables].into());
        let granted = |inherit: Inherit| Capability::ALL.map(|capability| inherit.grants(capability));
        assert_eq!(granted(Inherit::All), [true; 7]);
        assert_eq!(granted(Inherit::Nothing), [false; 7]);
        assert_eq!(granted(only), [false, false, false, false, false, false, true]);
    }

    #[test]
    fn every_capability_is_found_by_its_name() {
        for capability in Capability::ALL {
            assert_eq!(Capability::by_name(capability.name()), Some(capability));
        }
        assert_eq!(Capability::by_name("sqlite_database"), None);
    }
}
