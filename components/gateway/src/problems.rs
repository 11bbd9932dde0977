//! `/problems`: what the `type` of a problem leads to, for people a page, for programs JSON.

mod page;

use serde_json::{Value, json};
use web::{Code, Problem, Response};

use crate::accept::preferred;
use crate::door::Head;
use crate::methods::read_only;
use crate::routes::produces;

/// The list changes with a new version of the shop only, but then everybody should see it within the hour.
const CACHED: &str = "public, max-age=3600";

/// The answer on one of these paths.
pub fn answer(head: &Head) -> Result<Response, Problem> {
    let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
    let Some((_, name)) = path.split_once("/problems/") else {
        return show(head, path, query, Code::ALL, true);
    };
    let found = Code::ALL.iter().find(|code| code.slug() == name);
    let code = found.ok_or_else(|| Problem::not_found("problem"))?;
    show(head, path, query, &[*code], false)
}

fn show(head: &Head, path: &str, query: &str, codes: &[Code], list: bool) -> Result<Response, Problem> {
    if let Some(answer) = read_only(head.method)? {
        return Ok(answer);
    }
    web::Query::parse(query)?.only(&[])?;
    let response = match (preferred(&head.headers, produces(path))?, codes) {
        ("text/html", [code]) if !list => html(page::one(*code)),
        ("text/html", codes) => html(page::all(codes)),
        (_, [code]) if !list => Response::json(200, &entry(*code)),
        (_, codes) => {
            let entries: Vec<Value> = codes.iter().copied().map(entry).collect();
            Response::json(200, &entries)
        }
    };
    response
        .header("cache-control", CACHED)
        .header("vary", "Accept")
        .conditional(&head.request())
}

fn html(page: String) -> Response {
    Response::document(200, "text/html; charset=utf-8", page).header("content-security-policy", page::POLICY)
}

fn entry(code: Code) -> Value {
    json!({
        "type": code.uri(),
        "title": code.title(),
        "status": code.status(),
        "error": code.text(),
        "meaning": code.meaning(),
    })
}
