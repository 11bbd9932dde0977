//! What is served under `/api-docs`, as what, and to whom.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::collections::BTreeSet;
use std::io::Read;

use api_docs::files::FILES;
use api_docs::http::handle;
use expect_test::expect;
use flate2::read::GzDecoder;
use web::{Method, Request, Response};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn get(target: &str) -> Request {
    Request::new(Method::Get, target)
}

fn gzipped(target: &str) -> Request {
    get(target).with_header("accept-encoding", "gzip, deflate, br")
}

fn header(response: &Response, name: &str) -> String {
    response.header_value(name).unwrap_or("-").to_owned()
}

fn text(target: &str) -> String {
    let response = handle(&get(target));
    assert_eq!(response.status(), 200, "{target}");
    String::from_utf8(response.body().to_vec()).unwrap()
}

/// Every address that the page or a stylesheet asks for by itself or as a link, but for the document.
fn addresses(page: &str) -> Vec<&str> {
    let after = |mark| page.split(mark).skip(1);
    let found = after("href=\"").chain(after("src=\""));
    let found = found.map(|rest| rest.split('"').next().unwrap());
    found.filter(|address| *address != "/openapi.json").collect()
}

#[test]
fn each_file_has_its_type_its_codings_and_its_time() {
    let mut table = String::new();
    for file in FILES {
        let (plain, packed) = (handle(&get(file.path)), handle(&gzipped(file.path)));
        assert_eq!((plain.status(), packed.status()), (200, 200), "{}", file.path);
        let cells = ["content-type", "cache-control", "vary", "content-encoding"];
        let [kind, cache, vary, coding] = cells.map(|name| header(&packed, name));
        assert_eq!(header(&plain, "content-encoding"), "-", "{}", file.path);
        assert_eq!(header(&plain, "vary"), vary, "{}", file.path);
        table += &format!("{} | {kind} | {cache} | {vary} | {coding}\n", file.path);
    }
    expect![[r#"
        /api-docs/swagger-ui.css | text/css; charset=utf-8 | public, max-age=3600 | Accept-Encoding | gzip
        /api-docs/swagger-ui-bundle.js | text/javascript; charset=utf-8 | public, max-age=3600 | Accept-Encoding | gzip
        /api-docs/favicon-16x16.png | image/png | public, max-age=3600 | - | -
        /api-docs/favicon-32x32.png | image/png | public, max-age=3600 | - | -
        /api-docs/swagger-ui-license.txt | text/plain; charset=utf-8 | public, max-age=3600 | Accept-Encoding | gzip
        /api-docs/swagger-ui-notice.txt | text/plain; charset=utf-8 | public, max-age=3600 | Accept-Encoding | gzip
        /api-docs/api-docs.css | text/css; charset=utf-8 | public, max-age=3600 | Accept-Encoding | gzip
        /api-docs/api-docs.js | text/javascript; charset=utf-8 | public, max-age=3600 | Accept-Encoding | gzip
        /api-docs | text/html; charset=utf-8 | no-cache | Accept-Encoding | gzip
    "#]]
    .assert_eq(&table);
}

#[test]
fn the_policy_lets_nothing_run_but_our_own_files() {
    for file in FILES {
        for request in [get(file.path), gzipped(file.path)] {
            assert_eq!(
                header(&handle(&request), "content-security-policy"),
                POLICY,
                "{}",
                file.path
            );
        }
    }
    let page = text("/api-docs");
    // What the policy would keep from working.
    for inline in [
        "<style",
        " style=",
        " onload=",
        " onclick=",
        "javascript:",
        "http://",
        "https://",
    ] {
        assert!(!page.contains(inline), "{inline}");
    }
    let scripts: Vec<&str> = page.split("<script").skip(1).collect();
    assert_eq!(scripts.len(), 2);
    for script in scripts {
        assert!(
            script.contains(" src=\"/api-docs/") && script.contains("\"></script>"),
            "{script}"
        );
    }
}

#[test]
fn everything_the_page_names_is_there_and_nothing_else() {
    let page = text("/api-docs");
    let named = addresses(&page);
    for address in &named {
        assert_eq!(handle(&get(address)).status(), 200, "{address}");
        let (path, version) = address.split_once("?v=").unwrap();
        let file = FILES.iter().find(|file| file.path == path).unwrap();
        assert!(version.len() == 8 && file.hash.starts_with(version), "{address}");
    }
    let paths = |address: &&str| (*address).split('?').next().unwrap().to_owned();
    let named: BTreeSet<String> = named.iter().map(paths).collect();
    let served: BTreeSet<String> = FILES.iter().map(|file| file.path.to_owned()).collect();
    let unnamed: Vec<_> = served.difference(&named).collect();
    assert_eq!(unnamed, ["/api-docs"]);
}

#[test]
fn the_page_shows_our_document_and_keeps_nothing() {
    let script = text("/api-docs/api-docs.js");
    for setting in [
        "url: \"/openapi.json\"",
        "deepLinking: true",
        "persistAuthorization: false",
        "queryConfigEnabled: false",
        "tryItOutEnabled: true",
        "validatorUrl: null",
        "withCredentials: false",
    ] {
        assert!(script.contains(setting), "{setting}");
    }
    assert!(text("/api-docs").contains("Shown with Swagger UI 5."));
    assert!(text("/api-docs/swagger-ui-bundle.js").contains("SwaggerUIBundle"));
    assert!(text("/api-docs/swagger-ui-license.txt").contains("Apache License"));
    assert!(text("/api-docs/swagger-ui-notice.txt").contains("SmartBear"));
    for file in FILES {
        assert_eq!(header(&handle(&get(file.path)), "set-cookie"), "-");
    }
}

#[test]
fn a_compressed_file_is_the_plain_one() {
    for file in FILES {
        let (plain, packed) = (handle(&get(file.path)), handle(&gzipped(file.path)));
        let mut unpacked = Vec::new();
        if header(&packed, "content-encoding") == "gzip" {
            GzDecoder::new(packed.body()).read_to_end(&mut unpacked).unwrap();
        } else {
            unpacked = packed.body().to_vec();
        }
        assert!(unpacked == plain.body() && !unpacked.is_empty(), "{}", file.path);
        assert_eq!(
            header(&packed, "etag") == header(&plain, "etag"),
            header(&packed, "content-encoding") == "-",
            "{}: a tag stands for bytes",
            file.path
        );
    }
    let bundle = "/api-docs/swagger-ui-bundle.js";
    let (plain, packed) = (handle(&get(bundle)), handle(&gzipped(bundle)));
    assert!(packed.body().len() * 3 < plain.body().len());
}

#[test]
fn two_files_never_have_one_tag() {
    let tags: BTreeSet<&str> = FILES.iter().map(|file| file.hash).collect();
    assert_eq!(tags.len(), FILES.len());
    assert!(tags.iter().all(|tag| tag.len() == 32));
}

#[test]
fn who_has_it_already_gets_304() {
    for file in FILES {
        for request in [get(file.path), gzipped(file.path)] {
            let full = handle(&request);
            let tag = header(&full, "etag");
            let ask = |condition: &str| handle(&request.clone().with_header("if-none-match", condition));
            for condition in [
                tag.clone(),
                format!("W/{tag}"),
                format!("\"other\", {tag}"),
                format!("\"a,b\",{tag} , \"c\""),
                "*".to_owned(),
            ] {
                let answer = ask(&condition);
                assert_eq!((answer.status(), answer.body().len()), (304, 0), "{condition}");
                for name in ["etag", "cache-control", "vary", "content-security-policy"] {
                    assert_eq!(header(&answer, name), header(&full, name), "{condition} {name}");
                }
                for name in ["content-type", "content-encoding"] {
                    assert_eq!(header(&answer, name), "-", "{condition} {name}");
                }
            }
            let bare = tag.trim_matches('"').to_owned();
            for condition in ["\"other\"".to_owned(), format!("\"{bare}x\""), "\"*\"".to_owned()] {
                assert!(ask(&condition) == full, "{condition}");
            }
            for nonsense in [
                bare.clone(),
                format!("\"{bare}"),
                format!("w/{tag}"),
                format!("W/W/{tag}"),
            ] {
                assert_eq!(ask(&nonsense).status(), 400, "{nonsense}");
            }
        }
    }
}

#[test]
fn the_tag_of_one_coding_is_not_that_of_another() {
    let page = "/api-docs";
    let packed = header(&handle(&gzipped(page)), "etag");
    let answer = handle(&get(page).with_header("if-none-match", packed.as_str()));
    assert_eq!(answer.status(), 200);
    assert_ne!(header(&answer, "etag"), packed);
}

#[test]
fn head_says_what_get_says() {
    for file in FILES {
        for accepted in ["identity", "gzip"] {
            let request = |method| Request::new(method, file.path).with_header("accept-encoding", accepted);
            let (get, head) = (handle(&request(Method::Get)), handle(&request(Method::Head)));
            assert_eq!(
                (head.status(), head.headers(), head.body().len()),
                (200, get.headers(), 0),
                "{}",
                file.path
            );
        }
    }
}

#[test]
fn what_is_not_there_is_404() {
    for path in [
        "/api-docs/",
        "/api-docs/index.html",
        "/api-docs/swagger-ui.js",
        "/api-docs/swagger-ui-bundle.js.map",
        "/api-docs/swagger-initializer.js",
        "/api-docs/oauth2-redirect.html",
        "/api-docs/api-docs.js/",
        "/api-docs/x/api-docs.js",
        "/api-docs/../api-docs",
        "/API-DOCS",
        "/",
        "/openapi.json",
    ] {
        for method in [Method::Get, Method::Head, Method::Delete] {
            let refused = handle(&Request::new(method, path));
            assert_eq!(
                (refused.status(), header(&refused, "content-type").as_str()),
                (404, "application/problem+json"),
                "{path}"
            );
        }
    }
}

#[test]
fn another_method_is_405() {
    for file in FILES {
        for method in [
            Method::Post,
            Method::Put,
            Method::Patch,
            Method::Delete,
            Method::Other,
        ] {
            let refused = handle(&Request::new(method, file.path));
            assert_eq!(
                (refused.status(), header(&refused, "allow").contains("GET, HEAD")),
                (405, true),
                "{}",
                file.path
            );
        }
    }
}

/// Swagger UI could otherwise be made to show a stranger's document under our name.
#[test]
fn the_address_configures_nothing() {
    for target in [
        "/api-docs?url=https://evil.example/openapi.json",
        "/api-docs?configUrl=/x.json",
        "/api-docs?v=1",
        "/api-docs/api-docs.js?w=1",
        "/api-docs/api-docs.js?v=1&v=2",
    ] {
        assert_eq!(handle(&get(target)).status(), 400, "{target}");
    }
    for target in [
        "/api-docs?",
        "/api-docs/api-docs.js?v=old",
        "/api-docs/api-docs.js?v",
    ] {
        assert_eq!(handle(&get(target)).status(), 200, "{target}");
    }
}
