//! Bodies that say more than is known here, as those of a newer version do.

use serde_json::{Value, json};

/// The same JSON with a member more in each of its objects, as a newer program may write it; none where there is no object.
pub(crate) fn grown(body: &[u8]) -> Option<Vec<u8>> {
    fn grow(value: &mut Value) -> bool {
        match value {
            Value::Object(members) => {
                for member in members.values_mut() {
                    grow(member);
                }
                members.insert("ofALaterVersion".to_owned(), json!({"more": [1]}));
                true
            }
            Value::Array(values) => values.iter_mut().fold(false, |any, value| grow(value) | any),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    let mut value = serde_json::from_slice(body).unwrap();
    grow(&mut value).then(|| serde_json::to_vec(&value).unwrap())
}

/// The same JSON with a member more in one of its objects, once for each of them.
pub(crate) fn each_grown(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Object(members) => {
            let mut one = members.clone();
            one.insert("ofALaterVersion".to_owned(), json!(1));
            all.push(Value::Object(one));
            for (name, member) in members {
                for changed in each_grown(member) {
                    let mut one = members.clone();
                    one.insert(name.clone(), changed);
                    all.push(Value::Object(one));
                }
            }
        }
        Value::Array(values) => {
            for (place, member) in values.iter().enumerate() {
                for changed in each_grown(member) {
                    let mut one = values.clone();
                    one[place] = changed;
                    all.push(Value::Array(one));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    all
}
