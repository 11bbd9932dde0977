//! How the shop is shipped: the manifests of `spin.toml` for a place that has no cron trigger.
//!
//! Its tests hold what `infra/` and `deploy/` say against the schemas and programs that will read them: the chart
//! rendered by helm, resources by Kubernetes' own schemas and those of SpinKube and KEDA, rules by promtool, workflows and
//! the compose file by theirs.

mod profile;

pub use profile::{Part, ProfileError, profile};
