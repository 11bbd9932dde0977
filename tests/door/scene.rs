//! A shop with something in it for every path, and what its document says about each.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};
use tests::{Client, Reply, Shop, Signup, token_of};
use web::Role;

/// A shop, people in it, and an order of one of them.
pub(crate) struct Scene {
    pub(crate) shop: Shop,
    pub(crate) owner: Signup,
    pub(crate) other: Signup,
    pub(crate) suspended: Signup,
    admin_id: u64,
    pub(crate) operator: Client,
    pub(crate) order: u64,
    pub(crate) operations: Vec<Operation>,
}

/// One operation of the document.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) method: reqwest::Method,
    /// The path with its placeholders.
    pub(crate) pattern: String,
    /// `open`, `user`, `admin` or `internal`.
    pub(crate) access: String,
    pub(crate) said: Value,
}

impl Operation {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.pattern)
    }

    /// The first example of a body, if it takes one.
    pub(crate) fn example(&self) -> Option<Value> {
        let examples = &self.said["requestBody"]["content"]["application/json"]["examples"];
        let first = examples.as_object()?.values().next()?;
        Some(first["value"].clone())
    }

    pub(crate) fn takes_body(&self) -> bool {
        self.said["requestBody"].is_object()
    }

    fn needs_key(&self) -> bool {
        let parameters = self.said["parameters"].as_array().into_iter().flatten();
        parameters
            .filter(|parameter| parameter["required"] == true)
            .any(|parameter| parameter["name"] == "Idempotency-Key")
    }
}

impl Scene {
    pub(crate) async fn open() -> Result<Self> {
        let shop = Shop::start()?;
        let operator = shop.visitor().with_token(&tests::jobs_key());
        let first = json!({"email": "root@example.com", "password": "pass1234", "name": "Root"});
        let made = operator.post("/internal/admins", &first).await?;
        let admin_id = made.json["id"].as_u64().context("no admin")?;
        let admin = shop.visitor().with_token(&token_of(admin_id, Role::Admin));
        let (owner, other, suspended) = (
            shop.customer().await?,
            shop.customer().await?,
            shop.customer().await?,
        );
        let placed = owner.client.order(1, 2).await?;
        let order = placed.json["id"].as_u64().context("no order")?;
        let line = json!({"productId": 1, "quantity": 1});
        ensure!(owner.client.post("/cart/items", &line).await?.status == 201);
        let path = format!("/admin/users/{}", suspended.id);
        ensure!(admin.patch(&path, &json!({"status": "SUSPENDED"})).await?.status == 200);
        let document = shop.visitor().get("/openapi.json").await?;
        ensure!(document.status == 200, "{document:?}");
        shop.settled().await?;
        Ok(Self {
            operations: operations(&document.json),
            shop,
            owner,
            other,
            suspended,
            admin_id,
            operator,
            order,
        })
    }

    /// The path of an operation, with what the scene has in the places of placeholders: what the owner has.
    pub(crate) fn path(&self, operation: &Operation) -> String {
        let order = self.order.to_string();
        let user = self.owner.id.to_string();
        let segments = operation.pattern.split('/').map(|segment| match segment {
            "{orderId}" => order.as_str(),
            "{id}" if operation.pattern.contains("/orders/") => order.as_str(),
            "{id}" if operation.pattern.contains("/users/") => user.as_str(),
            "{name}" => "conflict",
            "{file}" => "api-docs.css",
            segment if segment.starts_with('{') => "1",
            segment => segment,
        });
        segments.collect::<Vec<_>>().join("/")
    }

    /// Who may call an operation, with a token of this moment: one of them logs out everywhere.
    pub(crate) fn rightful(&self, operation: &Operation) -> Client {
        let fresh = |id, role| self.shop.visitor().with_token(&token_of(id, role));
        match operation.access.as_str() {
            "user" => fresh(self.owner.id, Role::User),
            "admin" => fresh(self.admin_id, Role::Admin),
            "internal" => self.operator.clone(),
            _ => self.shop.visitor(),
        }
    }

    /// Calls an operation with its example, or with this body.
    pub(crate) async fn call(
        &self,
        who: &Client,
        operation: &Operation,
        body: Option<&Value>,
    ) -> Result<Reply> {
        let mut request = who.request(operation.method.clone(), &self.path(operation));
        if let Some(body) = body {
            request = request.json(body);
        }
        if operation.needs_key() {
            request = request.header("idempotency-key", format!("{:x}", fastrand::u64(..)));
        }
        who.send(request).await
    }

    /// Everything that is in the shop's databases, but what its jobs write by themselves.
    pub(crate) fn contents(&self) -> Result<BTreeMap<String, Vec<String>>> {
        let mut contents = BTreeMap::new();
        for entry in std::fs::read_dir(self.shop.folder())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "db") {
                read_database(&path, &mut contents)?;
            }
        }
        ensure!(
            contents.len() > 20,
            "these are too few tables: {:?}",
            contents.keys()
        );
        Ok(contents)
    }
}

/// Written by jobs whoever asks for what.
const OF_JOBS: &[&str] = &["lease", "relay"];

fn read_database(path: &Path, contents: &mut BTreeMap<String, Vec<String>>) -> Result<()> {
    let database = Connection::open(path)?;
    let mut tables = database.prepare("select name from sqlite_master where type = 'table' order by name")?;
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in tables {
        if OF_JOBS.iter().any(|word| table.contains(word)) {
            continue;
        }
        let mut select = database.prepare(&format!("select * from \"{table}\""))?;
        let width = select.column_count();
        let line = |row: &rusqlite::Row<'_>| {
            let cells = (0..width).map(|column| row.get::<_, Cell>(column));
            Ok(format!("{:?}", cells.collect::<Result<Vec<_>, _>>()?))
        };
        let mut lines: Vec<String> = select.query_map([], line)?.collect::<Result<_, _>>()?;
        lines.sort();
        let stem = path.file_stem().unwrap_or_default().display().to_string();
        contents.insert(format!("{stem}.{table}"), lines);
    }
    Ok(())
}

/// What was in the one and is not in the other, by table.
pub(crate) fn changes(
    before: &BTreeMap<String, Vec<String>>,
    after: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let changed = before
        .iter()
        .filter(|(table, lines)| after.get(*table) != Some(lines));
    changed
        .map(|(table, lines)| {
            let now = after.get(table).cloned().unwrap_or_default();
            let new: Vec<&String> = now.iter().filter(|line| !lines.contains(line)).collect();
            format!(
                "{table}: {} rows before, {} now; new: {new:?}",
                lines.len(),
                now.len()
            )
        })
        .collect()
}

/// Every operation of a document.
pub(crate) fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(pattern, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, said)| Operation {
            method: method.to_uppercase().parse().unwrap(),
            pattern: pattern.clone(),
            access: said["x-access"].as_str().unwrap_or_default().to_owned(),
            said: said.clone(),
        })
    });
    all.collect()
}
