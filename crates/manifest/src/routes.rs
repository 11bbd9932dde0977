//! Which component answers a path.

use crate::Manifest;
use std::sync::Arc;

/// The public routes of an application. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Router {
    routes: Arc<[Arc<Route>]>,
}

#[derive(Debug)]
struct Route {
    component: String,
    based_route: String,
    raw_route: String,
}

/// A route that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route `{route}`: {reason}")]
pub struct RouteError {
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
    /// The routes of a checked manifest, under its base.
    pub fn new(_manifest: &Manifest) -> Result<Self, RouteError> {
        Err(RouteError {
            route: String::new(),
            reason: "not read yet".to_owned(),
        })
    }

    /// The most specific route that fits the path (without query), or `None`: 404.
    pub fn route(&self, _path: &str) -> Option<RouteMatch> {
        None
    }

    /// Pattern (base included) and component of every public route, in the order they are tried.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.routes
            .iter()
            .map(|route| (route.based_route.as_str(), route.component.as_str()))
    }
}

impl RouteMatch {
    /// A match as if the component had the route `/...`: how a request by service chaining arrives.
    pub fn synthetic(component: &str, path: &str) -> Self {
        let route = Route {
            component: component.to_owned(),
            based_route: "/...".to_owned(),
            raw_route: "/...".to_owned(),
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

    /// What stands in place of each `:name`.
    pub fn named_wildcards(&self) -> impl Iterator<Item = (&str, &str)> {
        self.named_wildcards
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
