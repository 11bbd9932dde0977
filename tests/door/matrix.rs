//! Every operation of the document × everybody who might call it: the status of each, and nothing changed.

use anyhow::{Context, Result};
use serde_json::json;
use tests::{Client, say};

use crate::scene::{Operation, Scene, changes};
use crate::tokens::spoilt;

/// Somebody who is not the one an operation is for.
struct Stranger {
    name: String,
    client: Client,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// No token, or none that is any good.
    Nobody,
    /// A good token of somebody who does not own what the scene has.
    Other,
}

/// What a stranger must be told; `None` where there is nothing to refuse.
fn expected(operation: &Operation, kind: Kind) -> Option<u16> {
    let about_something = operation.pattern.contains('{');
    match (operation.access.as_str(), kind) {
        ("open", _) => None,
        ("user", Kind::Nobody) | ("admin", Kind::Nobody) | ("internal", _) => Some(401),
        ("admin", Kind::Other) => Some(403),
        // A cart's lines are found in the caller's own cart, and what is not there is removed already.
        ("user", Kind::Other) if operation.name() == "DELETE /cart/items/{productId}" => None,
        ("user", Kind::Other) if about_something => Some(404),
        ("user", Kind::Other) => None,
        (access, _) => panic!("{}: access {access}", operation.name()),
    }
}

async fn strangers(scene: &Scene) -> Result<Vec<Stranger>> {
    let visitor = scene.shop.visitor();
    let login = json!({"email": "root@example.com", "password": "pass1234"});
    let session = visitor.post("/auth/login", &login).await?;
    let token = |name: &str| session.json[name].as_str().map(str::to_owned).context("no token");
    let (access, refresh) = (token("accessToken")?, token("refreshToken")?);
    let nobody = |name: &str, client| Stranger {
        name: name.to_owned(),
        client,
        kind: Kind::Nobody,
    };
    let mut strangers = vec![
        nobody("no token", visitor.clone()),
        nobody("a suspended user", scene.suspended.client.clone()),
        Stranger {
            name: "another user".to_owned(),
            client: scene.other.client.clone(),
            kind: Kind::Other,
        },
    ];
    // Made from an admin's token: were one of them believed, it would open everything.
    let spoilt = spoilt(&access, &refresh, scene.owner.id);
    strangers.extend(
        spoilt
            .into_iter()
            .map(|(name, token)| nobody(name, visitor.with_token(&token))),
    );
    Ok(strangers)
}

#[tokio::test]
async fn nobody_does_what_is_not_theirs_to_do() -> Result<()> {
    let scene = Scene::open().await?;
    let strangers = strangers(&scene).await?;
    let before = scene.contents()?;
    let (mut asked, mut wrong) = (0, Vec::new());
    for operation in &scene.operations {
        for stranger in &strangers {
            let Some(expected) = expected(operation, stranger.kind) else {
                continue;
            };
            let body = operation.example();
            let reply = scene.call(&stranger.client, operation, body.as_ref()).await?;
            asked += 1;
            if reply.status != expected || reply.json["status"] != expected {
                wrong.push(format!(
                    "{} with {}: {} instead of {expected}: {}",
                    operation.name(),
                    stranger.name,
                    reply.status,
                    reply.text
                ));
            }
        }
    }
    say(&format!(
        "{asked} refusals: {} operations, {} strangers",
        scene.operations.len(),
        strangers.len()
    ));
    assert!(
        wrong.is_empty(),
        "{} of {asked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(asked > 800, "only {asked} were asked");
    assert_eq!(changes(&before, &scene.contents()?), Vec::<String>::new());
    Ok(())
}

/// The other half: were everybody refused, the table above would say nothing.
#[tokio::test]
async fn everybody_does_what_is_theirs_to_do() -> Result<()> {
    let scene = Scene::open().await?;
    let mut refused = Vec::new();
    for operation in &scene.operations {
        let reply = scene
            .call(
                &scene.rightful(operation),
                operation,
                operation.example().as_ref(),
            )
            .await?;
        let refused_here = matches!(reply.status, 401 | 403 | 405 | 500..);
        // The example of a login is of nobody who is here.
        if refused_here && operation.name() != "POST /auth/login" {
            refused.push(format!("{}: {} {}", operation.name(), reply.status, reply.text));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    Ok(())
}

#[tokio::test]
async fn an_unusable_token_changes_nothing_on_open_pages() -> Result<()> {
    let scene = Scene::open().await?;
    let strangers = strangers(&scene).await?;
    for operation in &scene.operations {
        if operation.access != "open" || operation.method != reqwest::Method::GET {
            continue;
        }
        let plain = scene.call(&scene.shop.visitor(), operation, None).await?;
        for stranger in strangers.iter().filter(|stranger| stranger.kind == Kind::Nobody) {
            let reply = scene.call(&stranger.client, operation, None).await?;
            assert_eq!(
                (reply.status, &reply.text),
                (plain.status, &plain.text),
                "{} with {}",
                operation.name(),
                stranger.name
            );
        }
    }
    Ok(())
}
