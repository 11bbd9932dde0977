//! What the manifest's triggers ask for: handlers, times, channels.

use super::LoadError;
use crate::app::{Cron, Listener};
use broker::{Address, Subscription};
use manifest::{Manifest, NatsTrigger, RedisTrigger, Resolver, Template};
use std::collections::BTreeMap;

/// What a component must be able to be run for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    pub(super) http: bool,
    pub(super) cron: bool,
    /// The kind of trigger that hands it messages, with its article.
    pub(super) message: Option<&'static str>,
}

/// The components that triggers name, all of them or those asked for.
pub(super) fn needs<'m>(
    manifest: &'m Manifest,
    only: &[String],
) -> Result<BTreeMap<&'m str, Needs>, LoadError> {
    let mut all: BTreeMap<&str, Needs> = BTreeMap::new();
    let triggers = &manifest.triggers;
    for trigger in &triggers.http {
        all.entry(&trigger.component).or_default().http = true;
    }
    for trigger in &triggers.cron {
        all.entry(&trigger.component).or_default().cron = true;
    }
    for trigger in &triggers.nats {
        all.entry(&trigger.component).or_default().message = Some("a NATS");
    }
    for trigger in &triggers.redis {
        all.entry(&trigger.component).or_default().message = Some("a Redis");
    }
    if let Some(unknown) = only.iter().find(|id| !all.contains_key(id.as_str())) {
        return Err(LoadError::NoSuchComponent(unknown.clone()));
    }
    all.retain(|id, _| only.is_empty() || only.iter().any(|wanted| wanted == id));
    Ok(all)
}

/// The times at which components run.
pub(super) fn crons(manifest: &Manifest, needs: &BTreeMap<&str, Needs>) -> Vec<Cron> {
    let triggers = manifest.triggers.cron.iter();
    triggers
        .filter(|trigger| needs.contains_key(trigger.component.as_str()))
        .map(|trigger| Cron {
            component: trigger.component.clone(),
            schedule: trigger.schedule.clone(),
        })
        .collect()
}

/// The channels for whose messages components run.
pub(super) fn listeners(
    manifest: &Manifest,
    needs: &BTreeMap<&str, Needs>,
    resolver: &Resolver,
) -> Result<Vec<Listener>, LoadError> {
    let loaded = |component: &str| needs.contains_key(component);
    let mut listeners = Vec::new();
    for trigger in &manifest.triggers.redis {
        if loaded(&trigger.component) {
            let failed = |reason| refused(&trigger.id, reason);
            listeners.push(redis(trigger, manifest, resolver).map_err(failed)?);
        }
    }
    for trigger in &manifest.triggers.nats {
        if loaded(&trigger.component) {
            let failed = |reason| refused(&trigger.id, reason);
            listeners.push(nats(trigger, manifest, resolver).map_err(failed)?);
        }
    }
    Ok(listeners)
}

fn refused(trigger: &str, reason: String) -> LoadError {
    LoadError::Trigger {
        trigger: trigger.to_owned(),
        reason,
    }
}

fn redis(trigger: &RedisTrigger, manifest: &Manifest, resolver: &Resolver) -> Result<Listener, String> {
    let address = trigger.address.as_ref();
    let address = expand(resolver, address.or(manifest.application.redis_address.as_ref()))?;
    listener(
        &trigger.component,
        &address.unwrap_or_default(),
        resolver
            .expand(&trigger.channel)
            .map_err(|error| error.to_string())?,
    )
}

fn nats(trigger: &NatsTrigger, manifest: &Manifest, resolver: &Resolver) -> Result<Listener, String> {
    let address = trigger.address.as_ref();
    let address = expand(resolver, address.or(manifest.application.nats_address.as_ref()))?;
    let own = [
        ("queue", expand(resolver, trigger.queue.as_ref())?),
        ("stream", expand(resolver, trigger.stream.as_ref())?),
        ("durable", expand(resolver, trigger.durable.as_ref())?),
        ("max_deliver", trigger.max_deliver.map(|count| count.to_string())),
        ("ack_wait_ms", trigger.ack_wait_ms.map(|ms| ms.to_string())),
    ];
    let address = with_parameters(&address.unwrap_or_default(), &own);
    if !address.starts_with("nats://") {
        return Err("the address of a NATS trigger begins with nats://".to_owned());
    }
    listener(
        &trigger.component,
        &address,
        resolver
            .expand(&trigger.subject)
            .map_err(|error| error.to_string())?,
    )
}

fn expand(resolver: &Resolver, template: Option<&Template>) -> Result<Option<String>, String> {
    template
        .map(|template| resolver.expand(template))
        .transpose()
        .map_err(|error| error.to_string())
}

/// The address with what the trigger says in place of what the address says.
fn with_parameters(address: &str, own: &[(&str, Option<String>)]) -> String {
    let (place, query) = address.split_once('?').unwrap_or((address, ""));
    let ours = own
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
    let is_own = |pair: &&str| {
        let name = pair.split('=').next();
        own.iter()
            .any(|(own, value)| value.is_some() && name == Some(own))
    };
    let theirs = query.split('&').filter(|pair| !pair.is_empty() && !is_own(pair));
    let all: Vec<String> = theirs.map(str::to_owned).chain(ours).collect();
    match all.is_empty() {
        true => place.to_owned(),
        false => format!("{place}?{}", all.join("&")),
    }
}

fn listener(component: &str, address: &str, channel: String) -> Result<Listener, String> {
    let subscription = Subscription {
        address: Address::parse(address).map_err(|error| error.to_string())?,
        channel,
        name: component.to_owned(),
    };
    subscription.check().map_err(|error| error.to_string())?;
    Ok(Listener {
        component: subscription.name,
        address: subscription.address,
        channel: subscription.channel,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_trigger_says_goes_before_what_its_address_says() {
        let own = [
            ("queue", None),
            ("stream", Some("shop".to_owned())),
            ("durable", None),
        ];
        let check = |address: &str, expected: &str| assert_eq!(with_parameters(address, &own), expected);
        check("nats://a", "nats://a?stream=shop");
        check("nats://a?", "nats://a?stream=shop");
        check(
            "nats://a?stream=other&durable=d",
            "nats://a?durable=d&stream=shop",
        );
        assert_eq!(with_parameters("nats://a?queue=q", &[]), "nats://a?queue=q");
        assert_eq!(with_parameters("nats://a", &[("queue", None)]), "nats://a");
    }
}
