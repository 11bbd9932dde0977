//! Nobody sets by a body what only the shop may set.

use anyhow::Result;
use serde_json::{Value, json};
use tests::say;

use crate::scene::{Operation, Scene, changes};

/// What an attacker would like to choose.
fn wishes() -> [(&'static str, Value); 9] {
    [
        ("id", json!(1)),
        ("userId", json!(1)),
        ("price", json!(1)),
        ("unitPrice", json!(1)),
        ("status", json!("PAID")),
        ("role", json!("ADMIN")),
        ("totalAmount", json!(1)),
        ("paymentAmount", json!(0)),
        ("createdAt", json!("2020-01-01T00:00:00Z")),
    ]
}

/// What others send in a form of their own, of which the shop believes nothing: it looks for itself.
const OF_OTHERS: [&str; 1] = ["POST /payments/webhook"];

/// Every object in a body with one more field, one at a time.
fn with_one_more(body: &Value, name: &str, wish: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    if let Value::Object(fields) = body {
        if !fields.contains_key(name) {
            let mut more = body.clone();
            more[name] = wish.clone();
            all.push(more);
        }
        for (field, inner) in fields {
            all.extend(with_one_more(inner, name, wish).into_iter().map(|inner| {
                let mut outer = body.clone();
                outer[field] = inner;
                outer
            }));
        }
    }
    if let Value::Array(items) = body {
        for (place, item) in items.iter().enumerate() {
            all.extend(with_one_more(item, name, wish).into_iter().map(|item| {
                let mut outer = body.clone();
                outer[place] = item;
                outer
            }));
        }
    }
    all
}

/// Whether a field of this name may be sent.
fn takes(operation: &Operation, schemas: &Value, name: &str) -> bool {
    let schema = &operation.said["requestBody"]["content"]["application/json"]["schema"];
    mentions(schema, schemas, name)
}

fn mentions(schema: &Value, schemas: &Value, name: &str) -> bool {
    let referred = schema["$ref"].as_str().and_then(|place| place.rsplit('/').next());
    if let Some(other) = referred {
        return mentions(&schemas[other], schemas, name);
    }
    let one_of = ["oneOf", "anyOf", "allOf"]
        .iter()
        .filter_map(|kind| schema[*kind].as_array());
    !schema["properties"][name].is_null() || one_of.flatten().any(|schema| mentions(schema, schemas, name))
}

#[tokio::test]
async fn no_body_sets_what_only_the_shop_sets() -> Result<()> {
    let scene = Scene::open().await?;
    let schemas = scene.shop.visitor().get("/openapi.json").await?.json["components"]["schemas"].clone();
    let before = scene.contents()?;
    let (mut asked, mut wrong) = (0, Vec::new());
    for operation in scene.operations.iter().filter(|operation| operation.takes_body()) {
        let example = operation.example().unwrap_or_else(|| json!({}));
        for (name, wish) in wishes() {
            if takes(operation, &schemas, name) {
                continue;
            }
            for body in with_one_more(&example, name, &wish) {
                let reply = scene
                    .call(&scene.rightful(operation), operation, Some(&body))
                    .await?;
                asked += 1;
                if reply.status != 400 && !OF_OTHERS.contains(&operation.name().as_str()) {
                    wrong.push(format!(
                        "{} {body}: {} {}",
                        operation.name(),
                        reply.status,
                        reply.text
                    ));
                }
            }
        }
    }
    say(&format!("{asked} bodies with one field too many"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 100, "only {asked} were asked");
    assert_eq!(changes(&before, &scene.contents()?), Vec::<String>::new());
    Ok(())
}

#[test]
fn every_object_in_a_body_is_tried() {
    let body = json!({"items": [{"a": 1}], "b": {"c": 1}});
    let tried = with_one_more(&body, "id", &json!(7));
    assert_eq!(
        tried,
        [
            json!({"items": [{"a": 1}], "b": {"c": 1}, "id": 7}),
            json!({"items": [{"a": 1}], "b": {"c": 1, "id": 7}}),
            json!({"items": [{"a": 1, "id": 7}], "b": {"c": 1}}),
        ]
    );
}
