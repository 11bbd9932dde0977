//! What is understood of anything that anybody might answer.

use expect_test::expect;
use remote::{Reply, read, stock};

#[test]
fn nothing_but_the_services_own_words_is_an_answer() {
    let line = |status: u16, content_type: &str, retry_after: Option<&str>, body: &str| {
        let reply = Reply {
            status,
            content_type: Some(content_type.to_owned()),
            retry_after: retry_after.map(str::to_owned),
            body: body.as_bytes().to_vec(),
        };
        format!("{:?}\n", read::<stock::Release>(&reply))
    };
    let (ours, json) = ("application/vnd.bodega.rpc+json", "application/json");
    let (problem, html) = ("application/problem+json", "text/html");
    let committed = r#"{"code":"committed"}"#;
    let table = [
        line(200, ours, None, "{}"),
        line(
            200,
            "Application/Vnd.Bodega.RPC+json; charset=utf-8",
            None,
            r#"{"more":1}"#,
        ),
        line(200, ours, None, "{"),
        line(200, ours, None, ""),
        line(200, json, None, "{}"),
        line(200, html, None, "<html>"),
        line(204, ours, None, ""),
        line(302, html, None, ""),
        line(409, problem, None, committed),
        line(409, json, None, committed),
        line(409, problem, None, r#"{"code":"expired"}"#),
        line(409, problem, None, r#"{"error":"CONFLICT"}"#),
        line(503, problem, Some("2"), r#"{"detail":"busy"}"#),
        line(503, problem, Some("Sun, 06 Nov 1994 08:49:37 GMT"), "?"),
        line(503, html, Some("2"), "overloaded"),
        line(500, problem, None, r#"{"detail":"broken"}"#),
        line(500, html, None, committed),
        line(502, problem, None, "{}"),
        line(504, html, None, ""),
        line(429, problem, Some("7"), "{}"),
        line(401, problem, None, "{}"),
        line(403, problem, None, "{}"),
        line(404, problem, None, "{}"),
        line(404, html, None, "{}"),
    ]
    .concat();
    expect![[r#"
        Decided(Ok(Done))
        Decided(Ok(Done))
        Nonsense { story: "an answer that can't be read: EOF while parsing an object at line 1 column 1", wait_ms: None, runs: false }
        Nonsense { story: "an answer that can't be read: EOF while parsing a value at line 1 column 0", wait_ms: None, runs: false }
        Nonsense { story: "it answered 200", wait_ms: None, runs: false }
        Nonsense { story: "it answered 200", wait_ms: None, runs: false }
        Nonsense { story: "it answered 204", wait_ms: None, runs: false }
        Nonsense { story: "it answered 302", wait_ms: None, runs: false }
        Decided(Err(Committed))
        Nonsense { story: "it answered 409", wait_ms: None, runs: false }
        Misfit("a refusal that can't be read: unknown variant `expired`, expected `committed` at line 1 column 17")
        Misfit("a refusal that can't be read: missing field `code` at line 1 column 20")
        Unavailable { detail: "busy", wait_ms: Some(2000) }
        Unavailable { detail: "it is not available", wait_ms: None }
        Nonsense { story: "it answered 503", wait_ms: Some(2000), runs: false }
        Nonsense { story: "it answered 500", wait_ms: None, runs: true }
        Nonsense { story: "it answered 500", wait_ms: None, runs: false }
        Nonsense { story: "it answered 502", wait_ms: None, runs: false }
        Nonsense { story: "it answered 504", wait_ms: None, runs: false }
        Nonsense { story: "it answered 429", wait_ms: Some(7000), runs: false }
        Misfit("it answered 401")
        Misfit("it answered 403")
        Misfit("it answered 404")
        Nonsense { story: "it answered 404", wait_ms: None, runs: false }
    "#]].assert_eq(&table);
}
