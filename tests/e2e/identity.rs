//! Who gets in, and who does not any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tests::{Client, Reply, Shop};

use crate::assert_sound;

const PASSWORD: &str = "pass1234";

/// What a login gives.
struct Session {
    client: Client,
    access: String,
    refresh: String,
}

async fn log_in(shop: &Shop, email: &str, password: &str) -> Result<Reply> {
    let body = json!({"email": email, "password": password});
    shop.visitor().post("/auth/login", &body).await
}

fn session(shop: &Shop, reply: &Reply) -> Result<Session> {
    ensure!(reply.status == 200, "{reply:?}");
    let text = |name: &str| reply.json[name].as_str().map(str::to_owned).context("no token");
    let access = text("accessToken")?;
    Ok(Session {
        client: shop.visitor().with_token(&access),
        access,
        refresh: text("refreshToken")?,
    })
}

async fn refresh(shop: &Shop, token: &str) -> Result<Reply> {
    let body = json!({"refreshToken": token});
    shop.visitor().post("/auth/refresh", &body).await
}

/// Somebody with an account, logged in.
async fn member(shop: &Shop, email: &str) -> Result<(u64, Session)> {
    let body = json!({"email": email, "password": PASSWORD, "name": "김보데"});
    let made = shop.visitor().post("/users", &body).await?;
    ensure!(made.status == 201, "{made:?}");
    let id = made.json["id"].as_u64().context("no id")?;
    Ok((id, session(shop, &log_in(shop, email, PASSWORD).await?)?))
}

/// The first admin, made with the operator's key.
async fn root(shop: &Shop) -> Result<Session> {
    let body = json!({"email": "root@example.com", "password": PASSWORD, "name": "Root"});
    let operator = shop.visitor().with_token(&tests::jobs_key());
    let made = operator.post("/internal/admins", &body).await?;
    ensure!(made.status == 201 && made.json["role"] == "ADMIN", "{made:?}");
    session(shop, &log_in(shop, "root@example.com", PASSWORD).await?)
}

/// The store of marks is memory here, and gone with the process.
#[tokio::test]
async fn who_was_locked_out_stays_out_when_the_shop_starts_again() -> Result<()> {
    let mut shop = Shop::start()?;
    let admin = root(&shop).await?;
    let (id, guilty) = member(&shop, "guilty@example.com").await?;
    let (_, careful) = member(&shop, "careful@example.com").await?;
    let (_, innocent) = member(&shop, "innocent@example.com").await?;
    let suspend = json!({"status": "SUSPENDED"});
    let suspended = admin
        .client
        .patch(&format!("/admin/users/{id}"), &suspend)
        .await?;
    assert_eq!(suspended.status, 200, "{suspended:?}");
    let change = json!({"currentPassword": PASSWORD, "newPassword": "another1234"});
    let changed = careful.client.post("/users/me/password", &change).await?;
    assert_eq!(changed.status, 204, "{changed:?}");
    for _ in 0..2 {
        shop.kill();
        shop.resume()?;
        for (name, session, status) in [
            ("guilty", &guilty, 401),
            ("careful", &careful, 401),
            ("innocent", &innocent, 200),
        ] {
            let reply = shop
                .visitor()
                .with_token(&session.access)
                .get("/users/me")
                .await?;
            assert_eq!(reply.status, status, "{name}: {reply:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_suspended_member_is_out_at_once_and_comes_back() -> Result<()> {
    let shop = Shop::start()?;
    let admin = root(&shop).await?.client;
    let (id, owner) = member(&shop, "guilty@example.com").await?;
    let (_, other) = member(&shop, "innocent@example.com").await?;
    assert_eq!(owner.client.order(1, 1).await?.status, 201);
    let found = admin.get("/admin/users?searchText=GUILTY&status=ACTIVE").await?;
    assert_eq!(found.json.as_array().map(Vec::len), Some(1), "{found:?}");
    assert_eq!(found.json[0]["id"], id);

    let path = format!("/admin/users/{id}");
    let suspended = admin.patch(&path, &json!({"status": "SUSPENDED"})).await?;
    assert_eq!(suspended.status, 200, "{suspended:?}");
    for page in ["/orders/me", "/cart", "/users/me"] {
        assert_eq!(owner.client.get(page).await?.status, 401, "{page}");
        assert_eq!(other.client.get(page).await?.status, 200, "{page}");
    }
    assert_eq!(owner.client.order(1, 1).await?.status, 401);
    assert_eq!(owner.client.get("/products/1").await?.status, 200, "open to all");
    assert_ne!(refresh(&shop, &owner.refresh).await?.status, 200);
    assert_eq!(log_in(&shop, "guilty@example.com", PASSWORD).await?.status, 403);

    let back = admin
        .patch(&path, &json!({"status": "ACTIVE", "grade": "GOLD"}))
        .await?;
    assert_eq!(
        (back.status, &back.json["grade"]),
        (200, &json!("GOLD")),
        "{back:?}"
    );
    assert_eq!(
        owner.client.get("/cart").await?.status,
        401,
        "the old token stays dead"
    );
    let again = session(&shop, &log_in(&shop, "guilty@example.com", PASSWORD).await?)?;
    assert_eq!(again.client.get("/cart").await?.status, 200);

    // I13: every change is in the log.
    let log: Vec<String> = tests::with_database(shop.folder(), "account", |accounts| {
        let changes = "select field || ' ' || value_before || ' ' || value_after as change
                         from account_audit where user_id = ?1 order by number";
        let rows = accounts.read(changes, store::params![id as i64])?;
        Ok(rows
            .iter()
            .map(|row| row.get("change"))
            .collect::<Result<_, _>>()?)
    })?;
    assert_eq!(
        log,
        [
            "STATUS ACTIVE SUSPENDED",
            "STATUS SUSPENDED ACTIVE",
            "GRADE NORMAL GOLD"
        ]
    );
    assert_sound(&shop);
    Ok(())
}

#[tokio::test]
async fn nobody_becomes_an_admin_without_one_and_the_last_one_stays() -> Result<()> {
    let shop = Shop::start()?;
    let body = json!({"email": "root@example.com", "password": PASSWORD, "name": "Root"});
    let (id, member) = member(&shop, "member@example.com").await?;
    for client in [
        shop.visitor(),
        shop.visitor().with_token("wrong"),
        member.client.clone(),
        shop.admin(),
    ] {
        assert_eq!(client.post("/internal/admins", &body).await?.status, 401);
    }
    for given in [
        json!({"email": "x@example.com", "password": PASSWORD, "name": "X", "role": "ADMIN"}),
        json!({"email": "x@example.com", "password": PASSWORD, "name": "X", "id": 1}),
    ] {
        assert_eq!(
            shop.visitor().post("/users", &given).await?.status,
            400,
            "{given}"
        );
    }
    let promoted = json!({"role": "ADMIN"});
    let path = format!("/admin/users/{id}");
    assert_eq!(member.client.patch(&path, &promoted).await?.status, 403);
    assert_eq!(member.client.patch("/users/me", &promoted).await?.status, 400);

    let admin = root(&shop).await?.client;
    let me = admin.get("/users/me").await?.json["id"]
        .as_u64()
        .context("no id")?;
    for change in [json!({"role": "USER"}), json!({"status": "INACTIVE"})] {
        let refused = admin.patch(&format!("/admin/users/{me}"), &change).await?;
        assert_eq!(refused.status, 409, "{refused:?}");
    }
    assert_eq!(admin.patch(&path, &promoted).await?.status, 200);
    assert_eq!(
        member.client.get("/cart").await?.status,
        401,
        "another role needs another token"
    );
    let renewed = session(&shop, &refresh(&shop, &member.refresh).await?)?;
    assert_eq!(renewed.client.get("/admin/users").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn another_password_ends_every_session() -> Result<()> {
    let shop = Shop::start()?;
    let (_, first) = member(&shop, "mover@example.com").await?;
    let second = session(&shop, &log_in(&shop, "mover@example.com", PASSWORD).await?)?;
    let change = |current: &str, new: &str| json!({"currentPassword": current, "newPassword": new});
    let wrong = first
        .client
        .post("/users/me/password", &change("wrong1234", "next1234"))
        .await?;
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert_eq!(first.client.get("/cart").await?.status, 200, "nothing happened");
    let weak = first
        .client
        .post("/users/me/password", &change(PASSWORD, "short"))
        .await?;
    assert_eq!(weak.status, 400, "{weak:?}");
    let changed = first
        .client
        .post("/users/me/password", &change(PASSWORD, "next1234"))
        .await?;
    assert_eq!(changed.status, 204, "{changed:?}");
    for session in [&first, &second] {
        assert_eq!(session.client.get("/cart").await?.status, 401);
        assert_eq!(refresh(&shop, &session.refresh).await?.status, 401);
    }
    assert_eq!(log_in(&shop, "mover@example.com", PASSWORD).await?.status, 401);
    let back = session(&shop, &log_in(&shop, "mover@example.com", "next1234").await?)?;
    assert_eq!(back.client.get("/cart").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn two_tabs_may_refresh_at_once_and_a_thief_is_found_out() -> Result<()> {
    let shop = Shop::start()?;
    let (_, owner) = member(&shop, "tabs@example.com").await?;
    let (one, two) = tokio::join!(refresh(&shop, &owner.refresh), refresh(&shop, &owner.refresh));
    let (one, two) = (session(&shop, &one?)?, session(&shop, &two?)?);
    assert_eq!(name(&one.refresh), name(&two.refresh), "one line of tokens");
    let next = session(&shop, &refresh(&shop, &one.refresh).await?)?;
    assert_eq!(
        refresh(&shop, &owner.refresh).await?.status,
        401,
        "its successor was used"
    );
    assert_eq!(
        refresh(&shop, &next.refresh).await?.status,
        401,
        "and so the session has ended"
    );
    Ok(())
}

/// What the shop knows a token by.
fn name(token: &str) -> String {
    let claims = token.split('.').nth(1).expect("a token has three parts");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    claims["jti"]
        .as_str()
        .expect("a refresh token has a name")
        .to_owned()
}

#[tokio::test]
async fn keys_change_under_load_and_nobody_is_logged_out() -> Result<()> {
    let mut shop = Shop::start()?;
    let [(_, old), ..] = tests::secrets();
    let new = format!("next:{}", tests::jobs_key());
    let (_, mut owner) = member(&shop, "loyal@example.com").await?;
    // Each step waits until everybody has a token of the one before, as the drill says.
    for keys in [format!("{old},{new}"), format!("{new},{old}"), new] {
        let stop = Arc::new(AtomicBool::new(false));
        let load: Vec<_> = (0..4)
            .map(|_| tokio::spawn(knock(owner.client.clone(), stop.clone())))
            .collect();
        tokio::time::sleep(Duration::from_millis(200)).await;
        ensure!(shop.stop()?.success(), "the shop does not stop in order");
        stop.store(true, Ordering::Relaxed);
        for client in load {
            client.await??;
        }
        shop.set_flags(&["--variable", &format!("jwt_keys={keys}")]);
        shop.resume()?;
        let kept = shop.visitor().with_token(&owner.access);
        assert_eq!(kept.get("/cart").await?.status, 200, "{keys}");
        owner = session(&shop, &refresh(&shop, &owner.refresh).await?)?;
        assert_eq!(owner.client.get("/cart").await?.status, 200, "{keys}");
    }
    Ok(())
}

/// Asks again and again. The shop may be gone, but it never says that the token is bad.
async fn knock(client: Client, stop: Arc<AtomicBool>) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        if let Ok(reply) = client.get("/cart").await {
            ensure!(reply.status != 401, "{reply:?}");
        }
    }
    Ok(())
}
