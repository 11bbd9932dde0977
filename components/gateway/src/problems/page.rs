//! The pages themselves: plain HTML that works without a script, in any width, by day and by night.

use web::Code;

/// Nothing is loaded or run, and the only style is ours, named by its digest.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'sha256-zWHbtlFH5X4qtVmurcSmWjqfgo1R2KsQpN0gat4iw/s='; base-uri 'none'; \
                                 form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = ":root{color-scheme:light dark}\
body{margin:0 auto;max-width:44rem;padding:1.5rem 1.25rem 4rem;font:1rem/1.55 system-ui,sans-serif}\
h1{font-size:1.7rem;line-height:1.25}\
h2{font-size:1.15rem;line-height:1.3;margin:0 0 .25rem}\
section{border-top:1px solid #8886;padding:1.1rem 0 .4rem}\
p{margin:.35rem 0 .8rem}\
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}\
ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0 0 .5rem;padding:0;list-style:none}\
li b{display:inline-block;min-width:2.2rem}\
a{color:inherit;text-underline-offset:.15em}";

/// The page that lists problems.
pub(super) fn all(codes: &[Code]) -> String {
    let sections: String = codes
        .iter()
        .map(|code| {
            let (uri, title) = (code.uri(), escape(code.title()));
            let heading = format!("<h2><a href=\"{uri}\">{title}</a></h2>");
            format!(
                "<section id=\"{}\">\n{heading}\n{}</section>\n",
                code.slug(),
                facts(*code)
            )
        })
        .collect();
    let lead = "Whatever Bodega refuses or fails to do, it says as <code>application/problem+json</code> (RFC 9457). \
                Programs decide by <code>type</code> or <code>error</code>, which stay as they are; people read \
                <code>detail</code>. These are all kinds of problems there are.";
    document(
        "Problems",
        &format!("<h1>Problems</h1>\n<p>{lead}</p>\n{sections}"),
    )
}

/// The page of one problem.
pub(super) fn one(code: Code) -> String {
    let title = escape(code.title());
    let body = format!(
        "<h1>{title}</h1>\n{}<p><a href=\"/problems\">All problems</a></p>\n",
        facts(code)
    );
    document(code.title(), &body)
}

fn facts(code: Code) -> String {
    format!(
        "<ul><li><b>{}</b></li><li><code>{}</code></li><li><code>{}</code></li></ul>\n<p>{}</p>\n",
        code.status(),
        code.text(),
        code.uri(),
        marked(code.meaning())
    )
}

fn document(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – Bodega</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         </body>\n</html>\n"
    )
}

/// Text as HTML; what stands in backquotes is code.
fn marked(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(place, part)| {
        let part = escape(part);
        if place % 2 == 1 {
            format!("<code>{part}</code>")
        } else {
            part
        }
    });
    parts.collect()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_names_the_very_style() {
        let digest = STANDARD.encode(Sha256::digest(STYLE));
        assert!(
            POLICY.contains(&format!("style-src 'sha256-{digest}';")),
            "{digest}"
        );
    }

    #[test]
    fn the_page_of_one_problem() {
        expect_test::expect![[r#"
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>It has changed since you read it – Bodega</title>
            <style>:root{color-scheme:light dark}body{margin:0 auto;max-width:44rem;padding:1.5rem 1.25rem 4rem;font:1rem/1.55 system-ui,sans-serif}h1{font-size:1.7rem;line-height:1.25}h2{font-size:1.15rem;line-height:1.3;margin:0 0 .25rem}section{border-top:1px solid #8886;padding:1.1rem 0 .4rem}p{margin:.35rem 0 .8rem}code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0 0 .5rem;padding:0;list-style:none}li b{display:inline-block;min-width:2.2rem}a{color:inherit;text-underline-offset:.15em}</style>
            </head>
            <body>
            <main>
            <h1>It has changed since you read it</h1>
            <ul><li><b>412</b></li><li><code>PRECONDITION_FAILED</code></li><li><code>/problems/precondition-failed</code></li></ul>
            <p>The header <code>If-Match</code> names another version than there is now. Nothing was changed: read it again, and change that version.</p>
            <p><a href="/problems">All problems</a></p>
            </main>
            </body>
            </html>
        "#]].assert_eq(&one(Code::PreconditionFailed));
    }

    #[test]
    fn text_is_text_whatever_stands_in_it() {
        assert_eq!(
            marked("<a href=\"x\">&'</a> `<b>` c"),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt; <code>&lt;b&gt;</code> c"
        );
    }
}
