use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use web::{Code, Method};

use crate::parameter::{Parameter, id};
use crate::response::{add_content, add_header, problem, response};

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Whoever is logged in.
    User,
    /// Whoever runs the shop.
    Admin,
    /// Whoever has the key of the internal routes.
    Internal,
}

/// One method on one path: what it takes and what it answers.
#[derive(Debug, Clone)]
pub struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) schemas: BTreeMap<String, Value>,
    name: String,
    summary: &'static str,
    about: Option<&'static str>,
    access: Access,
    parameters: Vec<Parameter>,
    body: Option<Value>,
    answers: BTreeMap<u16, Value>,
    refusals: BTreeMap<u16, Vec<String>>,
    last: u16,
}

impl Access {
    const fn text(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::User => "user",
            Self::Admin => "admin",
            Self::Internal => "internal",
        }
    }

    fn security(self) -> Value {
        match self {
            Self::Open => json!([]),
            Self::User | Self::Admin => json!([{"accessToken": []}]),
            Self::Internal => json!([{"internalKey": []}]),
        }
    }
}

impl Operation {
    /// An operation; `name` is its `operationId`, and `summary` a short sentence without its full stop.
    pub fn new(
        access: Access,
        method: Method,
        path: &'static str,
        name: impl Into<String>,
        summary: &'static str,
    ) -> Self {
        let operation = Self {
            method,
            path,
            schemas: BTreeMap::new(),
            name: name.into(),
            summary,
            about: None,
            access,
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            refusals: BTreeMap::new(),
            last: 0,
        };
        let operation = operation
            .refuses(
                Code::Malformed,
                "The request can't be understood, or a value in it is not allowed.",
            )
            .refuses(
                Code::NotAcceptable,
                "The answer would be JSON, which `Accept` leaves out.",
            )
            .refuses(Code::TooManyRequests, "Too many requests.")
            .refuses(Code::Internal, "A defect of ours.")
            .refuses(Code::BadGateway, "Something behind this failed.")
            .refuses(Code::Unavailable, "Something behind this can't be reached now.");
        match access {
            Access::Open => operation,
            Access::User => operation.refuses(Code::Unauthorized, "There is no valid access token."),
            Access::Admin => operation
                .refuses(Code::Unauthorized, "There is no valid access token.")
                .refuses(Code::Forbidden, "The token's role is not ADMIN."),
            Access::Internal => operation
                .refuses(Code::Unauthorized, "The key is missing or wrong.")
                .refuses(Code::Forbidden, "The shop runs without such a key."),
        }
    }

    /// What else there is to know, in CommonMark.
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = Some(about);
        self
    }

    /// One more parameter. One of the path brings the 404 of what is not there.
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        let of_path = parameter.0["in"] == "path";
        self.parameters.push(parameter);
        if of_path && !self.refusals.contains_key(&Code::NotFound.status()) {
            self.refuses(Code::NotFound, "It does not exist, or it is not yours.")
        } else {
            self
        }
    }

    /// The id in the path.
    pub fn id(self, name: &str, about: &str) -> Self {
        self.parameter(Parameter::path(name, about, id()))
    }

    /// It may be sent with an `Idempotency-Key`.
    pub fn idempotent(self) -> Self {
        self.key(Parameter::idempotency_key())
    }

    /// It must be sent with an `Idempotency-Key`.
    pub fn idempotent_only(self) -> Self {
        self.key(Parameter::idempotency_key().required())
    }

    fn key(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self.refuses(Code::Conflict, "A request with this key is still running.")
            .refuses(Code::Unprocessable, "The key was used for another body.")
    }

    /// It takes a JSON body of this type; the examples have names, and work on a new shop where they can.
    pub fn body<T: ToSchema>(self, examples: &[(&str, Value)]) -> Self {
        self.takes::<T>(true, examples)
    }

    /// It takes a JSON body of this type, or none.
    pub fn optional_body<T: ToSchema>(self, examples: &[(&str, Value)]) -> Self {
        self.takes::<T>(false, examples)
    }

    fn takes<T: ToSchema>(mut self, required: bool, examples: &[(&str, Value)]) -> Self {
        let schema = self.schema::<T>();
        let examples: Map<String, Value> = examples
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!({"value": value})))
            .collect();
        let mut content = json!({"schema": schema});
        if !examples.is_empty() {
            content["examples"] = examples.into();
        }
        self.body = Some(json!({"required": required, "content": {"application/json": content}}));
        self.refuses(Code::TooLarge, "The body is too large.")
            .refuses(Code::UnsupportedMediaType, "The body is not JSON.")
    }

    /// It answers a JSON document of this type.
    pub fn answers<T: ToSchema>(mut self, status: u16, about: &str) -> Self {
        let schema = self.schema::<T>();
        self.answer(status, about, "application/json", schema)
    }

    /// It answers a page of a list: an array of this type, with `limit`, `cursor` and `Link`.
    pub fn lists<T: ToSchema>(self, about: &str) -> Self {
        self.answers_all::<T>(200, about).paged(20)
    }

    /// The answer that was named last carries a page of a list, this long when nobody says: `limit`, `cursor`
    /// and `Link`.
    pub fn paged(mut self, length: u32) -> Self {
        self.parameters.extend(Parameter::of_list(length));
        self.with_header("Link", "Link")
    }

    /// It answers an array of this type, whole.
    pub fn answers_all<T: ToSchema>(mut self, status: u16, about: &str) -> Self {
        let schema = json!({"type": "array", "items": self.schema::<T>()});
        self.answer(status, about, "application/json", schema)
    }

    /// It answers a JSON object that other documents describe.
    pub fn answers_any(self, status: u16, about: &str) -> Self {
        self.answer(status, about, "application/json", json!({"type": "object"}))
    }

    /// It answers one of this type or an array of them, whichever was asked for.
    pub fn answers_one_or_all<T: ToSchema>(mut self, status: u16, about: &str) -> Self {
        let one = self.schema::<T>();
        let schema = json!({"oneOf": [one, {"type": "array", "items": one}]});
        self.answer(status, about, "application/json", schema)
    }

    /// It answers something that is not JSON.
    pub fn answers_text(self, status: u16, about: &str, media_type: &str) -> Self {
        self.answer(status, about, media_type, json!({"type": "string"}))
    }

    /// It answers without a body.
    pub fn answers_nothing(mut self, status: u16, about: &str) -> Self {
        self.answers.insert(status, response(about));
        self.last = status;
        self
    }

    fn answer(mut self, status: u16, about: &str, media_type: &str, schema: Value) -> Self {
        let answer = self.answers.entry(status).or_insert_with(|| response(about));
        add_content(answer, media_type, schema);
        self.last = status;
        self
    }

    /// The answer that was named last says where the new thing is.
    pub fn located(self) -> Self {
        self.with_header("Location", "Location")
    }

    /// The answer that was named last carries an `ETag`.
    pub fn tagged(self) -> Self {
        self.with_header("ETag", "ETag")
    }

    fn with_header(mut self, name: &str, definition: &str) -> Self {
        if let Some(answer) = self.answers.get_mut(&self.last) {
            add_header(answer, name, definition);
        }
        self
    }

    /// A 304 stands for what the client has already; it says so by `If-None-Match`.
    pub fn cached(self) -> Self {
        let about = "Versions that are here already; the answer is 304 when one of them is the present one.";
        let mut operation = self.parameter(tags("If-None-Match", about)).tagged();
        let last = operation.last;
        operation = operation.answers_nothing(304, "It has not changed.").tagged();
        operation.last = last;
        operation
    }

    /// It is done only to the version that `If-Match` names.
    pub fn guarded(self) -> Self {
        let about = "Change it only if this is still the version there is.";
        self.parameter(tags("If-Match", about))
            .tagged()
            .refuses(Code::PreconditionFailed, "It has changed since it was read.")
    }

    /// What can be asked next: `values` says where each parameter of `operation` is found, such as
    /// `("id", "$response.body#/id")`. It belongs to the answer that was named last.
    pub fn leads_to(mut self, name: &str, operation: &str, values: &[(&str, &str)]) -> Self {
        let values: Map<String, Value> = values
            .iter()
            .map(|(parameter, place)| ((*parameter).to_owned(), (*place).into()))
            .collect();
        if let Some(answer) = self.answers.get_mut(&self.last) {
            answer["links"][name] = json!({"operationId": operation, "parameters": values});
        }
        self
    }

    /// The same for what is said in a body: each of its values is where a value of `body` says, such as
    /// `{"email": "$request.body#/email"}`.
    pub fn leads_to_body(mut self, name: &str, operation: &str, body: &Value) -> Self {
        if let Some(answer) = self.answers.get_mut(&self.last) {
            answer["links"][name] = json!({"operationId": operation, "requestBody": body});
        }
        self
    }

    /// It may be refused like this.
    pub fn refuses(mut self, code: Code, meaning: &str) -> Self {
        let meanings = self.refusals.entry(code.status()).or_default();
        if !meanings.iter().any(|known| known == meaning) {
            meanings.push(meaning.to_owned());
        }
        self
    }

    /// A reference to the schema of a type, which is kept with all it refers to.
    fn schema<T: ToSchema>(&mut self) -> Value {
        let mut found = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut found);
        for (name, schema) in found {
            let schema = serde_json::to_value(schema).expect("a schema is JSON");
            self.schemas.insert(name, schema);
        }
        json!({"$ref": format!("#/components/schemas/{}", T::name())})
    }

    /// The object that stands in the document.
    pub(crate) fn render(&self, tag: &str) -> Value {
        let mut responses: Map<String, Value> = self
            .refusals
            .iter()
            .map(|(status, meanings)| (status.to_string(), problem(*status, meanings)))
            .collect();
        for (status, answer) in &self.answers {
            responses.insert(status.to_string(), answer.clone());
        }
        let mut value = json!({
            "operationId": self.name,
            "summary": self.summary,
            "tags": [tag],
            "security": self.access.security(),
            "x-access": self.access.text(),
            "responses": responses,
        });
        if let Some(about) = self.about {
            value["description"] = about.into();
        }
        if !self.parameters.is_empty() {
            let parameters: Vec<Value> = self.parameters.iter().map(|one| one.0.clone()).collect();
            value["parameters"] = parameters.into();
        }
        if let Some(body) = &self.body {
            value["requestBody"] = body.clone();
        }
        value
    }
}

fn tags(name: &str, about: &str) -> Parameter {
    let schema = json!({"type": "string", "minLength": 1, "pattern": r#"^(\*|(W/)?"[!#-~]{0,64}"(, (W/)?"[!#-~]{0,64}"){0,9})$"#});
    Parameter::header(name, about, schema)
}
