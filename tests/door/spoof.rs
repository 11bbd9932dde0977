//! Nobody becomes somebody else by what stands in a request, or gets a second request past the first.

use anyhow::Result;
use serde_json::json;
use tests::{Shop, token_of};
use web::Role;

use crate::wire::{exchange, statuses};

/// Ways to write that a request comes from an admin, or from somewhere else.
fn claims(identity: &str) -> Vec<String> {
    let mut claims = Vec::new();
    for name in [
        "x-bodega-identity",
        "X-Bodega-Identity",
        "X-BODEGA-IDENTITY",
        "x_bodega_identity",
        "x-bodega_identity",
        "X_Bodega-Identity",
    ] {
        claims.push(format!("{name}: {identity}"));
        claims.push(format!("{name}: {identity}\r\n{name}: {identity}"));
        claims.push(format!("{name}:\t{identity}"));
        claims.push(format!("Connection: {name}\r\n{name}: {identity}"));
        claims.push(format!("Connection: close, {name}\r\n{name}: {identity}"));
    }
    for name in [
        "x-user-id",
        "X_User_Id",
        "x-user",
        "x-userid",
        "x-account-id",
        "x-remote-user",
        "x-auth-user",
    ] {
        claims.push(format!("{name}: 1"));
    }
    for name in [
        "x-role",
        "x-user-role",
        "X_ROLE",
        "x-admin",
        "x-internal",
        "x-bodega-role",
    ] {
        claims.push(format!("{name}: ADMIN"));
    }
    claims.push("x-bodega-credential: Bearer x\r\nx-internal-key: x".to_owned());
    claims.push("spin-component-route: gateway\r\nspin-path-info: /admin/users".to_owned());
    claims.push("x-original-url: /health/live\r\nx-rewrite-url: /health/live".to_owned());
    claims.push("x-http-method-override: GET".to_owned());
    claims.push("forwarded: for=127.0.0.1;by=gateway;host=order.spin.internal".to_owned());
    claims.push(
        "x-forwarded-for: 127.0.0.1\r\nx-forwarded-host: order.spin.internal\r\nx-real-ip: 127.0.0.1"
            .to_owned(),
    );
    claims
}

#[tokio::test]
async fn no_header_makes_anybody_somebody_else() -> Result<()> {
    let shop = Shop::start()?;
    let victim = shop.customer().await?;
    let url = shop.visitor().url();
    // As the gateway would sign it: what components believe, if it only reached them.
    let key = web::IdentityKey::from_base64(&tests::secrets()[1].1).unwrap();
    let admin = web::Identity {
        user: kernel::UserId::try_new(victim.id)?,
        role: Role::Admin,
    };
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let identity = key.sign(admin, kernel::Instant::from_micros(i64::try_from(now)?));
    let mut asked = 0;
    for claim in claims(&identity) {
        for (path, expected) in [
            ("/users/me", 401),
            ("/orders/me", 401),
            ("/admin/users", 401),
            ("/admin/settlements/dead-letters", 401),
            // Open at the door, and checked by the component itself.
            ("/auth/logout", 401),
        ] {
            let method = if path == "/auth/logout" { "POST" } else { "GET" };
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: shop\r\n{claim}\r\ncontent-length: 0\r\n\r\n");
            let answer = exchange_once(&url, &request)?;
            asked += 1;
            assert_eq!(statuses(&answer), [expected], "{path} with {claim:?}:\n{answer}");
        }
    }
    assert!(asked > 200, "{asked}");
    let token = token_of(victim.id, Role::User);
    for claim in claims(&identity) {
        let request = format!(
            "GET /admin/users HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {token}\r\n{claim}\r\n\r\n"
        );
        let answer = exchange_once(&url, &request)?;
        assert_eq!(statuses(&answer), [403], "{claim:?}:\n{answer}");
    }
    assert_eq!(victim.client.get("/users/me").await?.json["id"], victim.id);
    Ok(())
}

/// The same with the connection closed by the answer, so that reading it ends.
fn exchange_once(url: &str, request: &str) -> Result<String> {
    exchange(
        url,
        request
            .replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
            .as_bytes(),
    )
}

#[tokio::test]
async fn a_request_that_could_end_in_two_places_is_refused() -> Result<()> {
    let shop = Shop::start()?;
    let url = shop.visitor().url();
    let hidden = "GET /products/1 HTTP/1.1\r\nHost: shop\r\n\r\n";
    let post = "POST /users HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n";
    let n = hidden.len();
    for (name, request) in [
        (
            "two lengths",
            format!("{post}Content-Length: 0\r\nContent-Length: {n}\r\n\r\n{hidden}"),
        ),
        (
            "a list of lengths",
            format!("{post}Content-Length: 0, {n}\r\n\r\n{hidden}"),
        ),
        (
            "a length and chunks",
            format!("{post}Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "chunks and a length",
            format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "a length with a sign",
            format!("{post}Content-Length: +0\r\n\r\n{hidden}"),
        ),
        (
            "a length in hexadecimal",
            format!("{post}Content-Length: 0x0\r\n\r\n{hidden}"),
        ),
        (
            "a length below nothing",
            format!("{post}Content-Length: -1\r\n\r\n{hidden}"),
        ),
        (
            "a length of twenty digits",
            format!("{post}Content-Length: 99999999999999999999\r\n\r\n{hidden}"),
        ),
        (
            "chunks that are not",
            format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "chunks, then more",
            format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "chunks twice",
            format!(
                "{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{hidden}"
            ),
        ),
        (
            "a space before the colon",
            format!("{post}Content-Length : {n}\r\n\r\n{hidden}"),
        ),
        (
            "a space before the name",
            format!("{post} Content-Length: {n}\r\n\r\n{hidden}"),
        ),
        (
            "a folded header",
            format!("{post}X-A: b\r\n Content-Length: {n}\r\n\r\n{hidden}"),
        ),
        (
            "a chunk of a strange size",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n{hidden}"),
        ),
        (
            "a chunk of a negative size",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n{hidden}"),
        ),
        (
            "lines that end in LF",
            format!("{post}Content-Length: 0\r\n\r\n{hidden}").replace("\r\n", "\n"),
        ),
        (
            "a lone CR",
            format!("POST /users HTTP/1.1\rHost: shop\r\nContent-Length: 0\r\n\r\n{hidden}"),
        ),
        (
            "NUL in a value",
            format!("{post}X-A: b\0c\r\nContent-Length: 0\r\n\r\n{hidden}"),
        ),
        (
            "chunks in HTTP/1.0",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}")
                .replacen("HTTP/1.1", "HTTP/1.0", 1),
        ),
        ("HTTP/3.7", hidden.replacen("HTTP/1.1", "HTTP/3.7", 1)),
    ] {
        let answer = exchange(&url, request.as_bytes())?;
        let statuses = statuses(&answer);
        assert!(
            matches!(statuses.as_slice(), [400 | 505]),
            "{name}: {statuses:?}\n{answer}"
        );
        assert!(
            !answer.contains("테스트 상품"),
            "{name}: the hidden request was answered"
        );
    }
    for hosts in ["", "Host: shop\r\nHost: other\r\n"] {
        let request = format!("GET /products/1 HTTP/1.1\r\n{hosts}\r\n");
        assert_eq!(statuses(&exchange(&url, request.as_bytes())?), [400], "{hosts:?}");
    }
    assert_eq!(
        shop.visitor().get("/products/1").await?.status,
        200,
        "the shop goes on"
    );
    Ok(())
}

#[tokio::test]
async fn headers_and_targets_have_bounds() -> Result<()> {
    let shop = Shop::start()?;
    let url = shop.visitor().url();
    let many: String = (0..2_000).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = "a".repeat(200_000);
    for (name, request) in [
        (
            "too many headers",
            format!("GET /products HTTP/1.1\r\nHost: shop\r\n{many}\r\n"),
        ),
        (
            "too long a header",
            format!("GET /products HTTP/1.1\r\nHost: shop\r\nX-A: {long}\r\n\r\n"),
        ),
        (
            "too long a target",
            format!("GET /products?name={long} HTTP/1.1\r\nHost: shop\r\n\r\n"),
        ),
    ] {
        let statuses = statuses(&exchange(&url, request.as_bytes())?);
        assert!(
            matches!(statuses.as_slice(), [] | [400 | 414 | 431]),
            "{name}: {statuses:?}"
        );
    }
    assert_eq!(
        shop.visitor().get("/products/1").await?.status,
        200,
        "the shop goes on"
    );
    Ok(())
}

#[tokio::test]
async fn the_internal_routes_have_a_key_of_their_own() -> Result<()> {
    let shop = Shop::start()?;
    let visitor = shop.visitor();
    let body = json!({"email": "mallory@example.com", "password": "pass1234", "name": "Mallory"});
    for path in ["/internal/admins", "/internal/jobs/run"] {
        for token in [
            token_of(1, Role::Admin),
            tests::secrets()[1].1.clone(),
            String::new(),
            "x".to_owned(),
        ] {
            let reply = visitor.with_token(&token).post(path, &body).await?;
            assert_eq!(reply.status, 401, "{path}: {reply:?}");
        }
        assert_eq!(visitor.post(path, &body).await?.status, 401, "{path}");
    }
    for path in [
        "/internal",
        "/internal/",
        "/internal/nothing",
        "//internal/admins",
        "/INTERNAL/admins",
        "/%69nternal/admins",
        "/x/../internal/admins",
    ] {
        let status = visitor.post(path, &body).await?.status;
        assert!(matches!(status, 400 | 401 | 404), "{path}: {status}");
    }
    let operator = visitor.with_token(&tests::jobs_key());
    assert_eq!(operator.post("/internal/admins", &body).await?.status, 201);
    Ok(())
}
