//! Components composed into a component, and what they get of its capabilities.

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

    fn from_str(_text: &str) -> Result<Self, Self::Err> {
        Err("not read yet".to_owned())
    }
}
