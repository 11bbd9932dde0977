use std::collections::BTreeSet;

use serde_json::json;
use web::Route;

use crate::operation::Operation;
use crate::response::{headers, problem_schema};

/// One domain's part of the document, a whole document of its own.
#[derive(Debug, Clone)]
pub struct Document {
    name: &'static str,
    about: &'static str,
    version: &'static str,
    title: &'static str,
    guide: &'static str,
    operations: Vec<Operation>,
}

impl Document {
    /// The document of a domain: its name, what it is about, and the version of its contract.
    pub const fn new(name: &'static str, about: &'static str, version: &'static str) -> Self {
        Self {
            name,
            about,
            version,
            title: name,
            guide: about,
            operations: Vec::new(),
        }
    }

    /// The same document, which opens the whole one: with its title and how to begin, in CommonMark.
    pub const fn opening(mut self, title: &'static str, guide: &'static str) -> Self {
        self.title = title;
        self.guide = guide;
        self
    }

    /// The same document with one more operation.
    pub fn with(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// The document as it is kept and served.
    pub fn render(&self) -> String {
        let mut document = json!({
            "openapi": "3.1.0",
            "info": {"title": self.title, "description": self.guide, "version": self.version},
            "servers": [{"url": "/"}],
            "tags": [{"name": self.name, "description": self.about, "x-version": self.version}],
            "paths": {},
            "components": {
                "headers": headers(),
                "schemas": {"Problem": problem_schema()},
                "securitySchemes": {
                    "accessToken": {
                        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                        "description": "The access token that `POST /auth/login` gives.",
                    },
                    "internalKey": {
                        "type": "http", "scheme": "bearer",
                        "description": "The key that the shop was started with (`jobs_key`).",
                    },
                },
            },
        });
        for operation in &self.operations {
            let method = operation.method.name().to_ascii_lowercase();
            document["paths"][operation.path][method] = operation.render(self.name);
            for (name, schema) in &operation.schemas {
                document["components"]["schemas"][name] = schema.clone();
            }
        }
        let mut text = serde_json::to_string_pretty(&document).expect("a document is JSON");
        text.push('\n');
        text
    }

    /// Every method and path that it names.
    fn named(&self) -> BTreeSet<String> {
        let named = self.operations.iter();
        named
            .map(|operation| line(operation.method.name(), operation.path))
            .collect()
    }
}

fn line(method: &str, path: &str) -> String {
    format!("{method} {path}")
}

/// What the document and the table of routes don't both have, a line each; empty when they agree.
pub fn compare<E>(document: &Document, routes: &[Route<E>]) -> Vec<String> {
    let named = document.named();
    let answered: BTreeSet<String> = routes
        .iter()
        .map(|route| line(route.method.name(), route.pattern))
        .collect();
    let doubled = (document.operations.len() != named.len()).then(|| "named twice".to_owned());
    let missing = answered
        .difference(&named)
        .map(|line| format!("not in the document: {line}"));
    let invented = named
        .difference(&answered)
        .map(|line| format!("not a route: {line}"));
    missing.chain(invented).chain(doubled).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use web::{Code, Method};

    use super::*;
    use crate::{Access, Parameter, whole};

    #[derive(utoipa::ToSchema, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct NewThing {
        /// How many.
        #[schema(minimum = 1, maximum = 9)]
        how_many: i64,
        inner: Option<Inner>,
        #[schema(value_type = crate::Quantity, required = true)]
        pieces: Option<i64>,
        #[schema(schema_with = colours)]
        colour: Option<String>,
        #[schema(schema_with = crate::id_field)]
        other_id: i64,
    }

    fn colours() -> utoipa::openapi::schema::Object {
        crate::one_of_or_null(["RED", "BLUE"])
    }

    #[derive(utoipa::ToSchema, serde::Deserialize)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Inner {
        word: String,
    }

    fn document() -> Document {
        Document::new("things", "Things.", "0.1.0")
            .with(
                Operation::new(Access::User, Method::Post, "/things", "makeThing", "Make a thing")
                    .idempotent()
                    .body::<NewThing>(&[("one", json!({"howMany": 1}))])
                    .answers::<Inner>(201, "It is made.")
                    .located()
                    .leads_to("show", "showThing", &[("id", "$response.body#/id")])
                    .leads_to_body(
                        "again",
                        "makeThing",
                        &json!({"howMany": "$request.body#/howMany"}),
                    ),
            )
            .with(
                Operation::new(
                    Access::Open,
                    Method::Get,
                    "/things/{id}",
                    "showThing",
                    "Show a thing",
                )
                .id("id", "Its id.")
                .parameter(Parameter::query("depth", "How deep.", whole(0, 3)))
                .answers_one_or_all::<Inner>(200, "The thing.")
                .paged(30)
                .cached()
                .refuses(Code::Conflict, "It is being made."),
            )
    }

    fn parsed() -> Value {
        serde_json::from_str(&document().render()).unwrap()
    }

    #[test]
    fn an_operation_says_what_it_takes_and_what_it_answers() {
        let parsed = parsed();
        let make = &parsed["paths"]["/things"]["post"];
        let statuses = |operation: &Value| {
            let responses = operation["responses"].as_object().unwrap();
            responses.keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(statuses(make), "201 400 401 406 409 413 415 422 429 500 502 503");
        assert_eq!(make["parameters"][0]["name"], "Idempotency-Key");
        assert_eq!(
            make["requestBody"]["content"]["application/json"]["examples"]["one"]["value"]["howMany"],
            1
        );
        assert_eq!(
            make["responses"]["201"]["links"]["show"]["operationId"],
            "showThing"
        );
        assert_eq!(
            make["responses"]["201"]["links"]["again"]["requestBody"]["howMany"],
            "$request.body#/howMany"
        );
        let show = &parsed["paths"]["/things/{id}"]["get"];
        assert_eq!(statuses(show), "200 304 400 404 406 409 429 500 502 503");
        assert_eq!(show["parameters"][2]["schema"]["default"], 30);
        let shown = &show["responses"]["200"];
        assert!(shown["headers"]["Link"].is_object());
        assert_eq!(
            shown["content"]["application/json"]["schema"]["oneOf"][1]["items"]["$ref"],
            "#/components/schemas/Inner"
        );
        assert_eq!(
            (&make["security"], &show["security"]),
            (&json!([{"accessToken": []}]), &json!([]))
        );
    }

    #[test]
    fn a_schema_brings_what_it_refers_to_and_refuses_unknown_fields() {
        let parsed = parsed();
        let schemas = &parsed["components"]["schemas"];
        let thing = &schemas["NewThing"];
        assert_eq!(thing["additionalProperties"], false);
        assert_eq!(thing["properties"]["howMany"]["maximum"], 9);
        assert_eq!(thing["properties"]["otherId"], crate::id());
        assert_eq!(schemas["Inner"]["required"], json!(["word"]));
    }

    #[test]
    fn a_value_of_all_domains_has_its_bounds_and_may_be_required() {
        let parsed = parsed();
        let schemas = &parsed["components"]["schemas"];
        assert_eq!(
            schemas["NewThing"]["required"],
            json!(["howMany", "pieces", "otherId"])
        );
        assert_eq!(
            schemas["NewThing"]["properties"]["pieces"]["$ref"],
            "#/components/schemas/Quantity"
        );
        assert_eq!(
            (&schemas["Quantity"]["minimum"], &schemas["Quantity"]["maximum"]),
            (&json!(1), &json!(1_000_000))
        );
        assert_eq!(
            schemas["NewThing"]["properties"]["colour"],
            json!({"type": ["string", "null"], "enum": ["RED", "BLUE", null]})
        );
    }

    #[test]
    fn a_page_inside_an_answer_is_asked_for_like_a_list() {
        let operation = Operation::new(Access::Open, Method::Get, "/things", "showThings", "Show")
            .answers::<Inner>(200, "With a page.")
            .paged(20);
        let rendered = operation.render("things");
        assert_eq!(
            (
                &rendered["parameters"][0]["name"],
                &rendered["parameters"][1]["name"]
            ),
            (&json!("limit"), &json!("cursor"))
        );
        assert!(rendered["responses"]["200"]["headers"]["Link"].is_object());
    }

    #[test]
    fn what_only_one_side_has_is_found() {
        let route = |method, pattern| Route {
            method,
            pattern,
            endpoint: (),
        };
        let both = [route(Method::Post, "/things"), route(Method::Get, "/things/{id}")];
        assert_eq!(compare(&document(), &both), Vec::<String>::new());
        assert_eq!(
            compare(&document(), &both[..1]),
            ["not a route: GET /things/{id}"]
        );
        let more = [both[0], both[1], route(Method::Delete, "/things")];
        assert_eq!(
            compare(&document(), &more),
            ["not in the document: DELETE /things"]
        );
        let twice = document().with(document().operations[0].clone());
        assert_eq!(compare(&twice, &both), ["named twice"]);
    }
}
