//! `/problems`: what the `type` of a problem leads to, for people a page, for programs JSON.

mod page;

use serde_json::{Value, json};
use web::{Code, Problem, Response};

use crate::accept::preferred;
use crate::door::Head;
use crate::methods::read_only;
use crate::routes::produces;

const PATH: &str = "/problems";

/// The list changes with a new version of the shop only, but then everybody should see it within the hour.
const CACHED: &str = "public, max-age=3600";

/// The answer, if the path is one of these.
pub fn answer(head: &Head) -> Option<Result<Response, Problem>> {
    let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
    let rest = path.strip_prefix(PATH)?;
    match (rest, rest.strip_prefix('/')) {
        ("", _) => Some(show(head, path, query, Code::ALL, true)),
        (_, Some(name)) => {
            let found = Code::ALL.iter().find(|code| code.slug() == name);
            Some(found.map_or_else(
                || Err(Problem::not_found("problem")),
                |code| show(head, path, query, &[*code], false),
            ))
        }
        _ => None,
    }
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
