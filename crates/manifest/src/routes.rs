//! Which component answers a path.
//!
//! The matching itself is the `routefinder` crate, as in Spin, so that both agree in every corner. What is
//! checked here are the patterns it would take but could never match, or would stumble over later.

use crate::{HttpRoute, Manifest};
use routefinder::{RouteSpec, Segment};
use std::fmt;
use std::sync::Arc;

/// Spin answers everything below this path itself.
const RESERVED: &str = "/.well-known/spin/";

/// The public routes of an application. Cloning is cheap.
#[derive(Clone)]
pub struct Router {
    routes: Arc<routefinder::Router<Arc<Route>>>,
}

#[derive(Debug)]
struct Route {
    component: String,
    based_route: String,
    raw_route: String,
}

/// A route that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route `{route}` of component `{component}`: {reason}")]
pub struct RouteError {
    /// The component it leads to.
    pub component: String,
    /// The pattern as the manifest writes it.
    pub route: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The component that answers a path, and how its route fits.
#[derive(Debug, Clone)]
pub struct RouteMatch {
    route: Arc<Route>,
    trailing_wildcard: String,
    named_wildcards: Vec<(String, String)>,
}

impl Router {
    /// The public routes of a checked manifest, under its base.
    pub fn new(manifest: &Manifest) -> Result<Self, RouteError> {
        let public = manifest
            .triggers
            .http
            .iter()
            .filter_map(|trigger| match &trigger.route {
                HttpRoute::Path(route) => Some((trigger.component.as_str(), route.as_str())),
                HttpRoute::Private => None,
            });
        Self::from_routes(&manifest.application.http_base, public)
    }

    /// A router of pairs of component and pattern.
    pub fn from_routes<'r>(
        base: &str,
        routes: impl IntoIterator<Item = (&'r str, &'r str)>,
    ) -> Result<Self, RouteError> {
        let mut router = routefinder::Router::new();
        for (component, raw_route) in routes {
            let refuse = |reason: String| RouteError {
                component: component.to_owned(),
                route: raw_route.to_owned(),
                reason,
            };
            let pattern = Pattern::new(base, raw_route).map_err(refuse)?;
            let route = Route {
                component: component.to_owned(),
                based_route: pattern.based_route,
                raw_route: raw_route.to_owned(),
            };
            router
                .add(pattern.spec, Arc::new(route))
                .map_err(|never| match never {})?;
        }
        Ok(Self {
            routes: Arc::new(router),
        })
    }

    /// The most specific route that fits the path (without query), or `None`: 404.
    ///
    /// Slashes at either end of the path don't count. Segment by segment, a literal goes before a `:name`,
    /// and that before `/...`; among trailing wildcards the longest prefix wins.
    pub fn route(&self, path: &str) -> Option<RouteMatch> {
        let best = self.routes.best_match(path)?;
        let captures = best.captures();
        let named = captures
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(RouteMatch {
            route: Arc::clone(best.handler()),
            trailing_wildcard: captures
                .wildcard()
                .map(|rest| path_info(rest, path))
                .unwrap_or_default(),
            named_wildcards: named.collect(),
        })
    }

    /// Pattern (base included) and component of every public route, in the order they are tried.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.routes
            .iter()
            .map(|(_, route)| (route.based_route.as_str(), route.component.as_str()))
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.routes()).finish()
    }
}

/// The wildcard's part of the path with its slashes, which the matching leaves out.
fn path_info(rest: &str, path: &str) -> String {
    match (rest.is_empty(), path.ends_with('/')) {
        (true, false) => String::new(),
        (true, true) => "/".to_owned(),
        (false, false) => format!("/{rest}"),
        (false, true) => format!("/{rest}/"),
    }
}

impl RouteMatch {
    /// A match as if the component had the route `/...`: how a request by service chaining arrives.
    pub fn synthetic(component: &str, path: &str) -> Self {
        let any = "/...".to_owned();
        let route = Route {
            component: component.to_owned(),
            based_route: any.clone(),
            raw_route: any,
        };
        Self {
            route: Arc::new(route),
            trailing_wildcard: path.to_owned(),
            named_wildcards: Vec::new(),
        }
    }

    /// The component to run.
    pub fn component(&self) -> &str {
        &self.route.component
    }

    /// The pattern that fits, after the application's base.
    pub fn based_route(&self) -> &str {
        &self.route.based_route
    }

    /// The pattern that fits, as the manifest writes it.
    pub fn raw_route(&self) -> &str {
        &self.route.raw_route
    }

    /// The pattern that fits, as the manifest writes it but without `/...`.
    pub fn raw_route_or_prefix(&self) -> &str {
        self.raw_route().strip_suffix("/...").unwrap_or(self.raw_route())
    }

    /// What stands in place of `...`, from its slash on; empty when there is none.
    pub fn trailing_wildcard(&self) -> &str {
        &self.trailing_wildcard
    }

    /// What stands in place of each `:name`, in the order of the pattern.
    pub fn named_wildcards(&self) -> impl Iterator<Item = (&str, &str)> {
        self.named_wildcards
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A route that is known to work.
#[derive(Debug)]
pub(crate) struct Pattern {
    based_route: String,
    spec: RouteSpec,
}

impl Pattern {
    /// Puts a route under the base and checks it.
    pub(crate) fn new(base: &str, route: &str) -> Result<Self, String> {
        let absolute = if route.starts_with('/') {
            route.to_owned()
        } else {
            format!("/{route}")
        };
        let based_route = format!("{}{}", without_last_slash(base), without_last_slash(&absolute));
        if let Some(wrong) = based_route.chars().find(|letter| !letter.is_ascii_graphic()) {
            return Err(format!(
                "`{wrong}` must be percent-encoded, as it is in a request"
            ));
        }
        if based_route.starts_with(RESERVED) {
            return Err(format!(
                "everything below {RESERVED} is answered by the host itself"
            ));
        }
        let prefix = based_route.strip_suffix("/...");
        if prefix
            .unwrap_or(&based_route)
            .split('/')
            .any(|segment| segment == "...")
        {
            return Err("`...` is only possible at the end, after a slash".to_owned());
        }
        let written = prefix.map_or_else(|| based_route.clone(), |prefix| format!("{prefix}/*"));
        let spec: RouteSpec = written
            .parse()
            .map_err(|_| "a `:` needs a name behind it, and a `*` must have none".to_owned())?;
        check_segments(spec.segments())?;
        Ok(Self { based_route, spec })
    }

    /// Equal for two routes that match the same paths, whatever their `:name`s are called.
    pub(crate) fn matches_same(&self) -> String {
        let text = |segment: &Segment| match segment {
            Segment::Slash => "/".to_owned(),
            Segment::Dot => ".".to_owned(),
            Segment::Exact(text) => text.to_string(),
            Segment::Param(_) => ":".to_owned(),
            Segment::Wildcard => "*".to_owned(),
        };
        self.spec.segments().iter().map(text).collect()
    }
}

fn without_last_slash(text: &str) -> &str {
    text.strip_suffix('/').unwrap_or(text)
}

fn check_segments(segments: &[Segment]) -> Result<(), String> {
    let last = segments.len().saturating_sub(1);
    if segments[..last]
        .iter()
        .any(|segment| matches!(segment, Segment::Wildcard))
    {
        return Err("`*` is only possible at the end".to_owned());
    }
    let mut names = Vec::new();
    for segment in segments {
        let Segment::Param(name) = segment else { continue };
        if !name
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-'))
        {
            return Err(format!(
                "`:{name}` must be letters, digits, `-` and `_`, since it becomes a header's name"
            ));
        }
        if names.contains(&name) {
            return Err(format!("`:{name}` stands in it twice"));
        }
        names.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
