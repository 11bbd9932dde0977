//! One document out of the parts that the components write (OpenAPI 3.1).

use serde_json::{Map, Value};

use crate::routes::{Upstream, upstream};

/// Why the parts don't fit together. All of them are defects of ours: a test puts together what is shipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It is not a document.
    #[error("the part of {0} is not a document: {1}")]
    Unreadable(&'static str, &'static str),
    /// It names a path that this door brings to another component.
    #[error("{0} describes {1}, which is not its own")]
    Foreign(&'static str, String),
    /// Two parts mean different things by one name.
    #[error("{0} and a part before it differ in {1}")]
    Clash(&'static str, String),
}

/// What a name may stand for in `components`, and must stand for in every part.
const SHARED: [&str; 3] = ["headers", "schemas", "securitySchemes"];

/// The door's own document with the parts in it.
pub fn merge(own: &str, parts: &[(Upstream, Vec<u8>)]) -> Result<Value, Misfit> {
    let mut whole = parse("gateway", own.as_bytes())?;
    for (from, bytes) in parts {
        let part = parse(from.name(), bytes)?;
        add_paths(&mut whole, *from, &part)?;
        for kind in SHARED {
            add_shared(&mut whole, *from, kind, &part)?;
        }
        add_tags(&mut whole, &part);
    }
    // What the shop is for comes first, the door's own pages last.
    if let Some(tags) = whole["tags"].as_array_mut() {
        tags.rotate_left(1);
    }
    Ok(whole)
}

fn parse(from: &'static str, bytes: &[u8]) -> Result<Value, Misfit> {
    let document: Value =
        serde_json::from_slice(bytes).map_err(|_| Misfit::Unreadable(from, "it is not JSON"))?;
    let fits = document["paths"].is_object()
        && SHARED.iter().all(|kind| document["components"][kind].is_object())
        && document["tags"].is_array();
    fits.then_some(document)
        .ok_or(Misfit::Unreadable(from, "paths, components or tags are missing"))
}

fn add_paths(whole: &mut Value, from: Upstream, part: &Value) -> Result<(), Misfit> {
    for (path, operations) in entries(&part["paths"]) {
        if upstream(&concrete(path)) != Some(from) {
            return Err(Misfit::Foreign(from.name(), path.clone()));
        }
        whole["paths"][path] = operations.clone();
    }
    Ok(())
}

fn add_shared(whole: &mut Value, from: Upstream, kind: &str, part: &Value) -> Result<(), Misfit> {
    for (name, meaning) in entries(&part["components"][kind]) {
        let place = &mut whole["components"][kind][name];
        if place.is_null() {
            *place = meaning.clone();
        } else if place != meaning {
            return Err(Misfit::Clash(from.name(), format!("{kind}/{name}")));
        }
    }
    Ok(())
}

fn add_tags(whole: &mut Value, part: &Value) {
    if let (Some(all), Some(more)) = (whole["tags"].as_array_mut(), part["tags"].as_array()) {
        all.extend(more.iter().cloned());
    }
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flat_map(Map::iter)
}

/// A path that the pattern fits: `/orders/{id}` becomes `/orders/1`.
fn concrete(pattern: &str) -> String {
    let segment = |segment| if is_placeholder(segment) { "1" } else { segment };
    pattern.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn is_placeholder(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(name: &str, paths: Value, schemas: Value) -> String {
        json!({
            "openapi": "3.1.0",
            "tags": [{"name": name}],
            "paths": paths,
            "components": {"headers": {}, "schemas": schemas, "securitySchemes": {}},
        })
        .to_string()
    }

    fn merged(parts: &[(Upstream, &str)]) -> Result<Value, Misfit> {
        let parts: Vec<_> = parts
            .iter()
            .map(|(from, text)| (*from, text.as_bytes().to_vec()))
            .collect();
        merge(
            &document("gateway", json!({"/health/live": {}}), json!({"Problem": 1})),
            &parts,
        )
    }

    #[test]
    fn the_parts_make_one_document() {
        let order = document(
            "order",
            json!({"/orders/{id}": {"get": 1}}),
            json!({"Problem": 1, "Order": 2}),
        );
        let cart = document("cart", json!({"/cart": {"get": 3}}), json!({"Problem": 1}));
        let whole = merged(&[(Upstream::Order, &order), (Upstream::Cart, &cart)]).unwrap();
        assert_eq!(
            whole["paths"],
            json!({"/health/live": {}, "/orders/{id}": {"get": 1}, "/cart": {"get": 3}})
        );
        assert_eq!(whole["components"]["schemas"], json!({"Problem": 1, "Order": 2}));
        let tags: Vec<&Value> = whole["tags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tag| &tag["name"])
            .collect();
        assert_eq!(tags, ["order", "cart", "gateway"]);
    }

    #[test]
    fn a_part_speaks_for_itself_only() {
        let foreign = document("cart", json!({"/orders/{id}/x": {}}), json!({}));
        assert_eq!(
            merged(&[(Upstream::Cart, &foreign)]).unwrap_err(),
            Misfit::Foreign("cart", "/orders/{id}/x".to_owned())
        );
        let clash = document("cart", json!({}), json!({"Problem": 7}));
        assert_eq!(
            merged(&[(Upstream::Cart, &clash)]).unwrap_err(),
            Misfit::Clash("cart", "schemas/Problem".to_owned())
        );
        for text in ["", "[]", "{}", r#"{"paths":{},"components":{},"tags":[]}"#] {
            assert!(
                matches!(
                    merged(&[(Upstream::Cart, text)]),
                    Err(Misfit::Unreadable("cart", _))
                ),
                "{text}"
            );
        }
    }
}
