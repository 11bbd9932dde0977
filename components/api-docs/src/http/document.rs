//! What the API's document says about these files.

use openapi::{Access, Document, Operation, Parameter, json};
use web::Method;

use crate::files::{FILES, File, Kind};

/// The document of this component; `openapi.json` keeps its text.
pub fn document() -> Document {
    let empty = Document::new("api-docs", "This document as a page.", env!("CARGO_PKG_VERSION"));
    FILES.iter().map(operation).fold(empty, Document::with)
}

fn operation(file: &File) -> Operation {
    let (name, summary) = match file.kind {
        Kind::Page => ("getApiDocs".to_owned(), "Read this document in a browser"),
        Kind::Asset => (name(file.path), "A file of the page"),
    };
    let operation = Operation::new(Access::Open, Method::Get, file.path, name, summary);
    let operation = match file.kind {
        Kind::Page => operation,
        Kind::Asset => operation.parameter(Parameter::query(
            "v",
            "Tells one version of the file from the next; there is only the present one.",
            json!({"type": "string"}),
        )),
    };
    operation
        .answers_text(
            200,
            "The file.",
            file.media_type.split(';').next().unwrap_or_default(),
        )
        .cached()
}

/// `/api-docs/swagger-ui.css` is `getApiDocsSwaggerUiCss`.
fn name(path: &str) -> String {
    let words = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    format!("get{}", words.map(capital).collect::<String>())
}
