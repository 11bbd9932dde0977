//! Packs the files of the page: Swagger UI out of its archive, ours out of `assets`.
//!
//! What comes out is `files.rs`, a table for `src/files.rs`, and beside it each file as it is stored: text
//! compressed, pictures as they are. The same input gives the same bytes.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PNG: &str = "image/png";

/// Out of the archive: the path there, below the folder that has the version in its name; the name here.
const THEIRS: &[(&str, &str, &str)] = &[
    ("dist/swagger-ui.css", "swagger-ui.css", CSS),
    ("dist/swagger-ui-bundle.js", "swagger-ui-bundle.js", SCRIPT),
    ("dist/favicon-16x16.png", "favicon-16x16.png", PNG),
    ("dist/favicon-32x32.png", "favicon-32x32.png", PNG),
    ("LICENSE", "swagger-ui-license.txt", TEXT),
    ("NOTICE", "swagger-ui-notice.txt", TEXT),
];

/// Out of `assets`.
const OURS: &[(&str, &str)] = &[("api-docs.css", CSS), ("api-docs.js", SCRIPT)];

/// The page, which names all others; also out of `assets`.
const PAGE: &str = "index.html";

/// Where the page is served; the other files are below it.
const ROOT: &str = "/api-docs";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=assets");
    let mut archive = Archive::open()?;
    let mut table = Table::default();
    for (path, name, media_type) in THEIRS {
        table.add(name, media_type, &archive.read(path)?)?;
    }
    for (name, media_type) in OURS {
        table.add(name, media_type, &fs::read(asset(name))?)?;
    }
    let page = fs::read_to_string(asset(PAGE))?;
    table.add_page(&page.replace("{version}", &archive.version()?))?;
    table.write()
}

fn asset(name: &str) -> PathBuf {
    PathBuf::from("assets").join(name)
}

/// Swagger UI as it was released, whole.
struct Archive {
    zip: ZipArchive<Cursor<&'static [u8]>>,
}

impl Archive {
    fn open() -> Result<Self> {
        let zip = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
        Ok(Self { zip })
    }

    /// The one folder that everything is in: `swagger-ui-5.32.6`.
    fn folder(&self) -> Result<String> {
        let first = self.zip.name_for_index(0).ok_or("the archive is empty")??;
        let (folder, _) = first.split_once('/').ok_or("the archive has no folder")?;
        Ok(folder.to_owned())
    }

    fn version(&self) -> Result<String> {
        let folder = self.folder()?;
        let version = folder.strip_prefix("swagger-ui-");
        Ok(version.ok_or("the archive is not one of Swagger UI")?.to_owned())
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>> {
        let path = format!("{}/{path}", self.folder()?);
        let mut content = Vec::new();
        self.zip.by_name(&path)?.read_to_end(&mut content)?;
        Ok(content)
    }
}

/// The table as Rust source, and by name where each file is to be asked for.
#[derive(Default)]
struct Table {
    rows: String,
    addresses: BTreeMap<String, String>,
}

impl Table {
    /// Adds a file that the page names. Its address carries its hash, so that nobody who has a new page goes
    /// on with an old file.
    fn add(&mut self, name: &str, media_type: &str, content: &[u8]) -> Result<()> {
        let path = format!("{ROOT}/{name}");
        let hash = hash(content);
        let address = format!("{path}?v={}", &hash[..8]);
        self.addresses.insert(name.to_owned(), address);
        self.row(&path, name, media_type, "Kind::Asset", &hash, content)
    }

    /// Adds the page: every `{name}` in it becomes the address of that file.
    fn add_page(&mut self, text: &str) -> Result<()> {
        let mut page = text.to_owned();
        for (name, address) in &self.addresses {
            page = page.replace(&format!("{{{name}}}"), address);
        }
        if let Some(at) = page.find('{') {
            let line = page[..at].lines().count();
            return Err(format!("{PAGE}:{line}: it names a file that is not there").into());
        }
        let hash = hash(page.as_bytes());
        self.row(ROOT, PAGE, HTML, "Kind::Page", &hash, page.as_bytes())
    }

    fn row(
        &mut self,
        path: &str,
        name: &str,
        media_type: &str,
        kind: &str,
        hash: &str,
        content: &[u8],
    ) -> Result<()> {
        let place = out(name)?;
        let stored = if media_type == PNG {
            fs::write(&place, content)?;
            format!("Stored::Plain(include_bytes!({place:?}))")
        } else {
            fs::write(&place, gzip(content)?)?;
            let length = content.len();
            format!("Stored::Gzip {{ bytes: include_bytes!({place:?}), length: {length} }}")
        };
        self.rows += &format!(
            "File {{ path: {path:?}, kind: {kind}, media_type: {media_type:?}, hash: {hash:?}, stored: {stored} }},\n"
        );
        Ok(())
    }

    fn write(&self) -> Result<()> {
        Ok(fs::write(out("files.rs")?, format!("&[\n{}]\n", self.rows))?)
    }
}

fn out(name: &str) -> Result<PathBuf> {
    Ok(PathBuf::from(std::env::var("OUT_DIR")?).join(name))
}

/// The first half of a SHA-256, in hexadecimal digits.
fn hash(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Without a time and a name, so that the same text always becomes the same bytes.
fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}
