//! What is understood of anything that anybody might answer.

use expect_test::expect;
use remote::{Reading, Reply, payment, read, stock};
use web::{Code, Problem, Response};

/// What our host says for a service that it has no room for (crates/host/src/answer.rs).
const NO_ROOM: &str = r#"{"detail":"too many requests are running","error":"BUSY","message":"too many requests are running","status":503,"title":"Service Unavailable","type":"about:blank"}"#;

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
    let own = |detail: &str| {
        let response = Response::from(Problem::new(Code::Unavailable, detail));
        String::from_utf8(response.body().to_vec()).expect("JSON is text")
    };
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
        line(200, ours, None, "9"),
        line(200, ours, None, "{} {"),
        line(200, json, None, "{}"),
        line(200, html, None, "<html>"),
        line(204, ours, None, ""),
        line(302, html, None, ""),
        line(409, problem, None, committed),
        line(409, json, None, committed),
        line(409, problem, None, r#"{"code":"expired"}"#),
        line(409, problem, None, r#"{"error":"CONFLICT"}"#),
        line(409, problem, None, r#"{"code":"comm"#),
        line(503, problem, Some("2"), &own("busy")),
        line(503, problem, Some("Sun, 06 Nov 1994 08:49:37 GMT"), &own("busy")),
        line(503, problem, Some("2"), NO_ROOM),
        line(503, problem, Some("2"), r#"{"detail":"busy"}"#),
        line(503, problem, None, "?"),
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
        Misfit("an answer that can't be read: invalid type: integer `9`, expected struct Done at line 1 column 1")
        Misfit("an answer that can't be read: trailing characters at line 1 column 4")
        Nonsense { story: "it answered 200", wait_ms: None, runs: false }
        Nonsense { story: "it answered 200", wait_ms: None, runs: false }
        Nonsense { story: "it answered 204", wait_ms: None, runs: false }
        Nonsense { story: "it answered 302", wait_ms: None, runs: false }
        Decided(Err(Committed))
        Nonsense { story: "it answered 409", wait_ms: None, runs: false }
        Misfit("a refusal that can't be read: unknown variant `expired`, expected `committed` at line 1 column 17")
        Misfit("a refusal that can't be read: missing field `code` at line 1 column 20")
        Nonsense { story: "a refusal that can't be read: EOF while parsing a string at line 1 column 13", wait_ms: None, runs: false }
        Unavailable { detail: "busy", wait_ms: Some(2000) }
        Unavailable { detail: "busy", wait_ms: None }
        Nonsense { story: "it answered 503, and not in its own words", wait_ms: Some(2000), runs: false }
        Nonsense { story: "it answered 503, and not in its own words", wait_ms: Some(2000), runs: false }
        Nonsense { story: "it answered 503, and not in its own words", wait_ms: None, runs: false }
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

#[test]
fn a_word_of_a_newer_service_is_no_answer_and_no_outage_either() {
    let receipt = |state: &str, currency: &str| {
        format!(
            r#"{{"id":5,"state":"{state}","method":"card","amount":{{"minor":1,"currency":"{currency}"}},"refunded":{{"minor":0,"currency":"KRW","exact":true}},"failure":null,"at":1,"reference":"x"}}"#
        )
    };
    let read = |body: &str| {
        let reading = read::<payment::Charge>(&Reply {
            status: 200,
            content_type: Some("application/vnd.bodega.rpc+json".to_owned()),
            retry_after: None,
            body: body.as_bytes().to_vec(),
        });
        match reading {
            Reading::Decided(_) => "decided",
            Reading::Misfit(_) => "misfit",
            Reading::Nonsense { runs: false, .. } => "nonsense",
            Reading::Nonsense { runs: true, .. } | Reading::Unavailable { .. } => "another one",
        }
    };
    assert_eq!(read(&receipt("captured", "KRW")), "decided");
    assert_eq!(read(&receipt("authorized", "KRW")), "misfit");
    assert_eq!(
        read(&receipt("captured", "KRW").replace("\"id\":5,", "")),
        "misfit"
    );
    // Wherever it is cut short, it was lost on the way.
    let whole = receipt("captured", "₩");
    for end in 0..whole.len() {
        let part = &whole.as_bytes()[..end];
        let part = std::str::from_utf8(part).unwrap_or("{");
        assert_eq!(read(part), "nonsense", "{part}");
    }
}
