//! Components remember nothing between two requests, so that one instance may serve many (`requests_per_instance` in the
//! manifest) and nobody can tell: what lives longer than a call would have to be a static, and there is one.

use crate::Finding;
use crate::source::code;
use crate::tree::File;

/// What may stay: where its databases are, which no request changes, and which of them an instance has found in
/// order (crates/store/src/opened.rs says why no answer depends on it).
const ALLOWED: &[(&str, &str)] = &[
    (
        "crates/store/src/spin.rs",
        "static OPENED: RefCell<Opened> = RefCell::default();",
    ),
    (
        "crates/store/src/postgres/spin.rs",
        "static OPENED: RefCell<Opened> = RefCell::default();",
    ),
    (
        "crates/store/src/open.rs",
        "static PLACES: RefCell<BTreeMap<String, Place>> = RefCell::default();",
    ),
    // Of the stand-in for the next release alone: the same constants each time.
    (
        "crates/store/src/next.rs",
        "static LISTS: RefCell<BTreeMap<&'static str, &'static [Migration]>> = RefCell::default();",
    ),
];

/// Crates of which components are made.
const INSIDE: [&str; 9] = [
    "breaker", "forward", "kernel", "openapi", "relay", "remote", "store", "token", "web",
];

/// Complaints about statics, which outlive a call. Constants do not change and are no memory.
fn findings(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| runs_in_a_component(&file.path)) {
        for (place, line) in code(&file.text, false).lines().enumerate() {
            let line = line.trim();
            let declares =
                line.starts_with("static ") || line.starts_with("pub static ") || line.contains(") static ");
            if declares && !ALLOWED.contains(&(file.path.as_str(), line)) {
                let why = "an instance serves many requests: nothing may stay from one to the next";
                findings.push(Finding::new(&file.path, place + 1, why));
            }
        }
    }
    findings
}

fn runs_in_a_component(path: &str) -> bool {
    let crates = INSIDE
        .iter()
        .any(|name| path.starts_with(&format!("crates/{name}/src/")));
    // Drivers for tests and tools are no part of any component.
    let native = path.ends_with("/native.rs");
    path.ends_with(".rs")
        && !native
        && (crates || (path.starts_with("components/") && path.contains("/src/")))
}

#[test]
fn components_remember_nothing_between_requests() {
    crate::expect_none(&findings(&crate::tree::files()));
}

#[test]
fn a_static_is_found() {
    let check = |path: &str, text: &str| crate::lines(&findings(&[File::new(path, text)]));
    let order = "components/order/src/app.rs";
    assert_eq!(
        check(order, "const MOST: u32 = 1;\nfn f(text: &'static str) {}"),
        [0usize; 0]
    );
    assert_eq!(
        check(
            order,
            "thread_local! {\n    static LAST: Cell<u32> = Cell::new(0);\n}"
        ),
        [2]
    );
    assert_eq!(
        check(
            "crates/web/src/lib.rs",
            "pub(crate) static CACHE: OnceLock<u32> = OnceLock::new();"
        ),
        [1]
    );
    assert_eq!(
        check("crates/host/src/app.rs", "static HOST: u32 = 1;"),
        [0usize; 0]
    );
    assert_eq!(check("crates/store/src/spin.rs", ALLOWED[0].1), [0usize; 0]);
}
