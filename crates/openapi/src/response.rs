use serde_json::{Map, Value, json};
use web::Code;

/// A header in the document's shared definitions.
fn shared(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

/// A response of this description, with the headers that every answer has.
pub(crate) fn response(about: &str) -> Value {
    json!({
        "description": about,
        "headers": {
            "RateLimit": shared("RateLimit"),
            "RateLimit-Policy": shared("RateLimitPolicy"),
            "X-Request-Id": shared("RequestId"),
        },
    })
}

pub(crate) fn add_header(response: &mut Value, name: &str, definition: &str) {
    response["headers"][name] = shared(definition);
}

pub(crate) fn add_content(response: &mut Value, media_type: &str, schema: Value) {
    response["content"][media_type] = json!({"schema": schema});
}

/// The problems of one status: what each of them means here.
pub(crate) fn problem(status: u16, meanings: &[String]) -> Value {
    let mut answer = response(&meanings.join(" "));
    add_content(
        &mut answer,
        "application/problem+json",
        json!({"$ref": "#/components/schemas/Problem"}),
    );
    match status {
        401 | 403 => add_header(&mut answer, "WWW-Authenticate", "Authenticate"),
        405 => add_header(&mut answer, "Allow", "Allow"),
        429 | 502 | 503 => add_header(&mut answer, "Retry-After", "RetryAfter"),
        _ => {}
    }
    answer
}

/// The headers that responses refer to.
pub(crate) fn headers() -> Value {
    let header = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    let mut wait = header("Seconds to wait before trying again.");
    wait["schema"] = json!({"type": "integer", "minimum": 0});
    json!({
        "Allow": header("The methods that this path answers."),
        "Authenticate": header("`Bearer`, with an `error` when a token was sent (RFC 6750)."),
        "ETag": header("The version of what is shown (RFC 9110 §8.8.3); send it back in `If-None-Match` or `If-Match`."),
        "Link": header("The next page, when there is one: `<…>; rel=\"next\"` (RFC 8288)."),
        "Location": header("Where to find what was made."),
        "RateLimit": header("What is left of the limit: `\"<class>\";r=<requests>;t=<seconds>`."),
        "RateLimitPolicy": header("The limit that applies: `\"<class>\";q=<requests>;w=<seconds>`."),
        "RequestId": header("The id of the request; name it when you report something."),
        "RetryAfter": wait,
    })
}

/// The schema of problem documents (RFC 9457), with every code there is.
pub(crate) fn problem_schema() -> Value {
    let all = |text: fn(Code) -> String| Code::ALL.iter().map(|code| text(*code)).collect::<Vec<_>>();
    let mut statuses: Vec<u16> = Code::ALL.iter().map(|code| code.status()).collect();
    statuses.dedup();
    let mut properties = Map::new();
    let mut property = |name: &str, schema: Value| properties.insert(name.to_owned(), schema);
    property(
        "type",
        json!({
            "type": "string", "format": "uri-reference", "enum": all(Code::uri),
            "description": "What kind of problem it is; a page of the shop explains it.",
        }),
    );
    property(
        "title",
        json!({"type": "string", "description": "The same as a sentence."}),
    );
    property("status", json!({"type": "integer", "enum": statuses}));
    property(
        "detail",
        json!({"type": "string", "description": "What is wrong this time."}),
    );
    property(
        "error",
        json!({"type": "string", "enum": all(|code| code.text().to_owned()), "description": "The kind as a word."}),
    );
    property(
        "message",
        json!({"type": "string", "description": "The same text as `detail`."}),
    );
    property(
        "errors",
        json!({
            "type": "array",
            "description": "Each value that is not allowed.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        }),
    );
    json!({
        "type": "object",
        "description": "Why a request was refused (RFC 9457).",
        "required": ["type", "title", "status", "detail", "error", "message"],
        "properties": properties,
    })
}
