//! The page of a product by an ordinary native server: axum, and SQLite in its own process.
//!
//! It reads the same files and answers the same JSON as the shop, without gateway, components and limits: what a page
//! costs on this machine at least.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;
use tokio::sync::oneshot;

/// What is sold, by the products' own statement.
const FIND: &str = include_str!("../../../../../components/product/src/sql/find.sql");

/// What is free, as `levels.sql` of the stock asks for one SKU.
const FREE: &str = "
    select level.on_hand - (select coalesce(sum(held.quantity), 0) from reservation_line held
                             where held.sku_id = level.sku_id and held.held_until > ?2)
      from stock_level level where level.sku_id = ?1";

thread_local! {
    static DATABASES: RefCell<Option<[Connection; 2]>> = const { RefCell::new(None) };
}

/// The server, on a thread and a port of its own. It ends when dropped.
pub(super) struct NativePage {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Result<()>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    id: i64,
    name: String,
    category: String,
    price: i64,
    stock_quantity: i64,
    options: [(); 0],
    skus: Vec<Sku>,
    images: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sku {
    id: i64,
    price: i64,
    stock_quantity: i64,
}

impl NativePage {
    /// Serves the products in this folder.
    pub(super) fn start(folder: PathBuf) -> Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(async {
                let app = Router::new()
                    .route("/products/{id}", get(page))
                    .with_state(Arc::new(folder));
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
                let _ = ready.send(listener.local_addr()?);
                let shutdown = async {
                    let _ = stopped.await;
                };
                tokio::select! {
                    served = axum::serve(axum::serve::ListenerExt::tap_io(listener, |stream| {
                        let _ = stream.set_nodelay(true);
                    }), app) => Ok(served?),
                    () = shutdown => Ok(()),
                }
            })
        });
        let address: SocketAddr = address.recv().context("the native server did not start")?;
        Ok(Self {
            url: format!("http://{address}"),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for NativePage {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // One that failed has answered nobody, which was noticed.
            let _ = thread.join();
        }
    }
}

async fn page(State(folder): State<Arc<PathBuf>>, Path(id): Path<i64>) -> Result<Json<Page>, StatusCode> {
    let found = DATABASES.with_borrow_mut(|databases| -> Result<Option<Page>> {
        if databases.is_none() {
            *databases = Some([open(&folder, "product")?, open(&folder, "stock")?]);
        }
        let [products, stock] = databases.as_ref().context("just opened")?;
        find(products, stock, id)
    });
    match found {
        Ok(Some(page)) => Ok(Json(page)),
        Ok(None) => Err(StatusCode::NOT_FOUND),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn open(folder: &std::path::Path, label: &str) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(
        folder.join(format!("{label}.db")),
        flags,
    )?)
}

fn find(products: &Connection, stock: &Connection, id: i64) -> Result<Option<Page>> {
    let mut found = products.prepare_cached(FIND)?;
    let mut rows = found.query([id])?;
    let mut page: Option<Page> = None;
    let now = std::time::UNIX_EPOCH.elapsed()?.as_micros() as i64;
    while let Some(row) = rows.next()? {
        let price = row.get("price_minor")?;
        if page.is_none() {
            page = Some(Page {
                id: row.get("product_id")?,
                name: row.get("name")?,
                category: row.get("category")?,
                price,
                stock_quantity: 0,
                options: [],
                skus: Vec::new(),
                images: [],
            });
        }
        let Some(page) = &mut page else { break };
        let Some(sku) = row.get::<_, Option<i64>>("sku_id")? else {
            continue;
        };
        let free = stock
            .prepare_cached(FREE)?
            .query_row([sku, now], |row| row.get(0))?;
        page.stock_quantity += free;
        page.skus.push(Sku {
            id: sku,
            price,
            stock_quantity: free,
        });
    }
    Ok(page)
}
