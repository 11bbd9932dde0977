//! `[[trigger.TYPE]]`, with the ids and the inline components that Spin makes up.

use super::Loader;
use crate::document::StringOr;
use crate::routes::Pattern;
use crate::schema::{
    RawComponent, RawComponentRef, RawCronTrigger, RawHttpTrigger, RawNatsTrigger, RawPrivate,
    RawRedisTrigger, RawTriggers, Text,
};
use crate::{
    Application, CronTrigger, HttpRoute, HttpTrigger, NatsTrigger, RedisTrigger, Schedule, Triggers, ident,
    outbound,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::Spanned;

type Components = BTreeMap<Text, RawComponent>;

/// Which names are taken already.
struct Names<'a> {
    triggers: BTreeSet<String>,
    defined: &'a Components,
    inline: Components,
    /// Where a pattern stood first, by what it matches.
    routes: BTreeMap<String, (String, Range<usize>)>,
}

impl Loader<'_> {
    /// The triggers, and the components that were written inside them.
    pub(super) fn triggers(
        &mut self,
        raw: RawTriggers,
        defined: &Components,
        application: &Application,
    ) -> (Triggers, Components) {
        let mut names = Names {
            triggers: given_ids(&raw),
            defined,
            inline: BTreeMap::new(),
            routes: BTreeMap::new(),
        };
        let http = raw
            .http
            .into_iter()
            .filter_map(|trigger| self.http(trigger, &mut names, application))
            .collect();
        let redis = raw
            .redis
            .into_iter()
            .map(|trigger| self.redis(trigger, &mut names, application))
            .collect();
        let cron = raw
            .cron
            .into_iter()
            .map(|trigger| self.cron(trigger, &mut names))
            .collect();
        let nats = raw
            .nats
            .into_iter()
            .map(|trigger| self.nats(trigger, &mut names, application))
            .collect();
        let triggers = Triggers {
            http,
            redis,
            cron,
            nats,
        };
        (triggers, names.inline)
    }

    fn http(
        &mut self,
        raw: RawHttpTrigger,
        names: &mut Names<'_>,
        application: &Application,
    ) -> Option<HttpTrigger> {
        let span = raw.route.span();
        self.refuse_http_extras(&raw);
        let route = self.route(raw.route, names, application);
        let Some(component) = raw.component else {
            if raw.static_response.is_none() {
                self.document.problem(span, "this trigger names no component");
            }
            return None;
        };
        let (id, component) = self.start(raw.id, component, "http", names);
        Some(HttpTrigger { id, component, route })
    }

    fn refuse_http_extras(&mut self, raw: &RawHttpTrigger) {
        let extras = [
            (&raw.static_response, "static_response"),
            (&raw.components, "components"),
            (&raw.dependencies, "dependencies"),
        ];
        for (extra, key) in extras {
            if let Some(extra) = extra {
                self.document.problem(
                    extra.span(),
                    format!("trigger.http: {key} is not supported by this host yet"),
                );
            }
        }
        if let Some(executor) = &raw.executor {
            let message = match executor.r#type.get_ref().as_str() {
                "spin" | "http" => return,
                "wagi" => {
                    "the wagi executor is not supported by this host; export wasi:http instead".to_owned()
                }
                other => {
                    format!("unknown executor `{other}`; leave it out, or write `{{ type = \"spin\" }}`")
                }
            };
            self.document.problem(executor.r#type.span(), message);
        }
    }

    fn route(
        &mut self,
        raw: Spanned<StringOr<RawPrivate>>,
        names: &mut Names<'_>,
        application: &Application,
    ) -> HttpRoute {
        let span = raw.span();
        match raw.into_inner() {
            StringOr::Table(RawPrivate { private: true }) => HttpRoute::Private,
            StringOr::Table(RawPrivate { private: false }) => {
                self.document
                    .problem(span, "route is a pattern or `{ private = true }`");
                HttpRoute::Private
            }
            StringOr::String(route) => {
                self.check_route(&route, span, names, application);
                HttpRoute::Path(route)
            }
        }
    }

    fn check_route(
        &mut self,
        route: &str,
        span: Range<usize>,
        names: &mut Names<'_>,
        application: &Application,
    ) {
        let pattern = match Pattern::new(&application.http_base, route) {
            Ok(pattern) => pattern,
            Err(reason) => return self.document.problem(span, format!("route `{route}`: {reason}")),
        };
        match names.routes.get(&pattern.matches_same()) {
            Some((first, first_span)) => {
                let line = self.document.line(first_span);
                let message = format!("route `{route}` matches the same paths as `{first}` on line {line}");
                self.document.problem(span, message);
            }
            None => {
                names
                    .routes
                    .insert(pattern.matches_same(), (route.to_owned(), span));
            }
        }
    }

    fn redis(
        &mut self,
        raw: RawRedisTrigger,
        names: &mut Names<'_>,
        application: &Application,
    ) -> RedisTrigger {
        if raw.address.is_none() && application.redis_address.is_none() {
            let message = "this trigger needs an address, here or in [application.trigger.redis]";
            self.document.problem(raw.channel.span(), message);
        }
        let channel = self.template(&raw.channel);
        let address = raw.address.map(|address| self.template(&address));
        let (id, component) = self.start(raw.id, raw.component, "redis", names);
        RedisTrigger {
            id,
            component,
            channel,
            address,
        }
    }

    fn cron(&mut self, raw: RawCronTrigger, names: &mut Names<'_>) -> CronTrigger {
        let expression = raw.cron_expression.get_ref();
        let schedule = Schedule::parse(expression).unwrap_or_else(|reason| {
            let message = format!("cron_expression `{expression}`: {reason}");
            self.document.problem(raw.cron_expression.span(), message);
            Schedule::default()
        });
        let (id, component) = self.start(raw.id, raw.component, "cron", names);
        CronTrigger {
            id,
            component,
            schedule,
        }
    }

    fn nats(&mut self, raw: RawNatsTrigger, names: &mut Names<'_>, application: &Application) -> NatsTrigger {
        if raw.address.is_none() && application.nats_address.is_none() {
            let message = "this trigger needs an address, here or in [application.trigger.nats]";
            self.document.problem(raw.subject.span(), message);
        }
        let mut template = |text: Option<Text>| text.map(|text| self.template(&text));
        let (address, queue) = (template(raw.address), template(raw.queue));
        let (stream, durable) = (template(raw.stream), template(raw.durable));
        let subject = self.template(&raw.subject);
        let (max_deliver, ack_wait_ms) = (self.limit(raw.max_deliver), self.limit(raw.ack_wait_ms));
        let (id, component) = self.start(raw.id, raw.component, "nats", names);
        NatsTrigger {
            id,
            component,
            subject,
            address,
            queue,
            stream,
            durable,
            max_deliver,
            ack_wait_ms,
        }
    }

    /// The ids of a trigger and of its component, which must exist or stands right there.
    fn start(
        &mut self,
        id: Option<String>,
        component: RawComponentRef,
        kind: &str,
        names: &mut Names<'_>,
    ) -> (String, String) {
        let span = component.span();
        let component = component.into_inner();
        let given = id.filter(|id| !id.is_empty());
        let trigger = given.unwrap_or_else(|| names.trigger(&component, kind));
        let component = match component {
            StringOr::Table(inline) => {
                if kind != "http" {
                    self.refuse_chaining(&inline, kind, &span);
                }
                names.keep_inline(&trigger, *inline, span)
            }
            StringOr::String(id) => {
                let defined = names.defined.iter().find(|(defined, _)| *defined.get_ref() == id);
                if let (Some((_, component)), true) = (defined, kind != "http") {
                    self.refuse_chaining(component, kind, &span);
                }
                if defined.is_none() {
                    self.document.problem(
                        span,
                        format!("component `{id}` does not exist: there is no [component.{id}]"),
                    );
                }
                id
            }
        };
        (trigger, component)
    }
}

impl Loader<'_> {
    /// Spin starts no application in which a component of another trigger may chain.
    fn refuse_chaining(&mut self, component: &RawComponent, kind: &str, span: &Range<usize>) {
        let hosts = component.allowed_outbound_hosts.iter();
        if let Some(host) = hosts
            .map(Spanned::get_ref)
            .find(|host| outbound::asks_for_chaining(host))
        {
            let message = format!(
                "this component may send requests to `{host}`, which Spin refuses to components with a \
                 {kind} trigger"
            );
            self.document.problem(span.clone(), message);
        }
    }
}

fn given_ids(raw: &RawTriggers) -> BTreeSet<String> {
    let http = raw.http.iter().map(|trigger| &trigger.id);
    let redis = raw.redis.iter().map(|trigger| &trigger.id);
    let cron = raw.cron.iter().map(|trigger| &trigger.id);
    let nats = raw.nats.iter().map(|trigger| &trigger.id);
    http.chain(redis)
        .chain(cron)
        .chain(nats)
        .flatten()
        .cloned()
        .collect()
}

impl Names<'_> {
    /// The id Spin makes up: after the component when that is free, else counted.
    fn trigger(&mut self, component: &StringOr<Box<RawComponent>>, kind: &str) -> String {
        let natural = match component {
            StringOr::String(component) => Some(format!("{component}-{kind}-trigger")),
            StringOr::Table(_) => None,
        };
        let counted = (1..).map(|count: u32| format!("{kind}-trigger{count}"));
        let mut candidates = natural.into_iter().chain(counted);
        let id = candidates
            .find(|id| !self.triggers.contains(id))
            .expect("the counting never ends");
        self.triggers.insert(id.clone());
        id
    }

    fn keep_inline(&mut self, trigger: &str, component: RawComponent, span: Range<usize>) -> String {
        let natural = Some(format!("{trigger}-component")).filter(|id| ident::kebab(id).is_ok());
        let counted = (1..).map(|count: u32| format!("inline-component{count}"));
        let taken = |id: &str| {
            self.defined
                .keys()
                .chain(self.inline.keys())
                .any(|taken| taken.get_ref() == id)
        };
        let id = natural
            .into_iter()
            .chain(counted)
            .find(|id| !taken(id))
            .expect("the counting never ends");
        self.inline.insert(Spanned::new(span, id.clone()), component);
        id
    }
}
