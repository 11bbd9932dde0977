//! What every path does alike, through the real host: origins, OPTIONS, media types, versions.

use anyhow::Result;
use reqwest::Method;
use tests::{Client, Reply, Shop};

const ORIGIN: &str = "https://shop.example";

async fn ask(client: &Client, method: Method, path: &str, headers: &[(&str, &str)]) -> Result<Reply> {
    let request = client.request(method, path);
    let with = |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| request.header(*name, *value);
    client.send(headers.iter().fold(request, with)).await
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name)?.to_str().ok()
}

#[tokio::test]
async fn pages_of_a_named_origin_may_read_and_no_others() -> Result<()> {
    let shop = Shop::start_with(&["--variable", &format!("cors_allowed_origins={ORIGIN}")])?;
    let visitor = shop.visitor();
    for (origin, allowed) in [
        (ORIGIN, Some(ORIGIN)),
        ("https://evil.example", None),
        ("null", None),
    ] {
        let preflight = [("origin", origin), ("access-control-request-method", "POST")];
        let asked = ask(&visitor, Method::OPTIONS, "/orders", &preflight).await?;
        assert_eq!(asked.status, 204, "{origin}: {asked:?}");
        assert_eq!(header(&asked, "access-control-allow-origin"), allowed, "{origin}");
        // A page, a refusal of a component, and one of the door.
        for path in ["/products/1", "/products/none", "/orders/me"] {
            let reply = ask(&visitor, Method::GET, path, &[("origin", origin)]).await?;
            assert_eq!(
                header(&reply, "access-control-allow-origin"),
                allowed,
                "{origin} {path}"
            );
            assert_eq!(header(&reply, "access-control-allow-credentials"), None);
        }
    }
    Ok(())
}

#[tokio::test]
async fn methods_media_types_and_versions_are_answered_alike() -> Result<()> {
    let shop = Shop::start()?;
    let visitor = shop.visitor();
    let page = ask(&visitor, Method::GET, "/products/1", &[]).await?;
    let tag = header(&page, "etag").unwrap().to_owned();
    for (method, headers, status) in [
        (Method::OPTIONS, vec![], 204),
        (Method::HEAD, vec![], 200),
        (Method::DELETE, vec![], 405),
        (Method::GET, vec![("accept", "text/html")], 406),
        (Method::GET, vec![("accept", "text/html, */*;q=0.1")], 200),
        (Method::GET, vec![("if-none-match", tag.as_str())], 304),
        (Method::GET, vec![("if-none-match", "\"other\"")], 200),
        (Method::GET, vec![("if-none-match", "other")], 400),
    ] {
        let reply = ask(&visitor, method.clone(), "/products/1", &headers).await?;
        assert_eq!(reply.status, status, "{method} {headers:?}: {reply:?}");
        match status {
            204 | 405 => assert_eq!(header(&reply, "allow"), Some("GET, HEAD, OPTIONS")),
            304 => assert_eq!(
                (header(&reply, "etag"), reply.text.as_str()),
                (Some(tag.as_str()), "")
            ),
            _ => {}
        }
    }
    let text = ask(
        &visitor,
        Method::POST,
        "/users",
        &[("content-type", "text/plain")],
    )
    .await?;
    assert_eq!(
        (text.status, header(&text, "accept-post")),
        (415, Some("application/json"))
    );
    // What the stranger could do is no secret, but the path is guarded all the same.
    assert_eq!(ask(&visitor, Method::OPTIONS, "/orders", &[]).await?.status, 401);
    let ids = (header(&page, "x-request-id"), header(&text, "x-request-id"));
    assert!(ids.0.is_some() && ids.0 != ids.1, "{ids:?}");
    Ok(())
}
