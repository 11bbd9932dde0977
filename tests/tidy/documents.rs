//! Sizes, names and papers: what a reader counts on finding.

use crate::Finding;
use crate::tree::File;

/// Past this a file is two files.
const MOST_LINES: usize = 500;

fn too_long(file: &File) -> Option<Finding> {
    let is_code = ["rs", "sql", "wit", "sh"]
        .iter()
        .any(|extension| file.has_extension(extension));
    let count = file.text.lines().count();
    let why = format!("{count} lines; {MOST_LINES} is the limit, 100 to 300 usual");
    (is_code && count > MOST_LINES).then(|| Finding::new(&file.path, MOST_LINES + 1, why))
}

fn without_readme(component: &str, files: &[File]) -> Option<Finding> {
    let path = format!("components/{component}/README.md");
    let written = files
        .iter()
        .any(|file| file.path == path && file.text.lines().count() >= 10);
    let why = "a component says on one page what it is for, its words, states, refusals and tables";
    (!written).then(|| Finding::new(&path, 1, why))
}

/// `migrations/NNNN_what_it_does.sql`, counted from one without a gap in each folder.
fn migrations(files: &[File]) -> Vec<Finding> {
    let named = |path: &str| {
        let (folder, name) = path.rsplit_once('/')?;
        folder
            .ends_with("/migrations")
            .then(|| (folder.to_owned(), name.to_owned()))
    };
    let of = files.iter().filter_map(|file| Some((file, named(&file.path)?)));
    numbered(of, "_", ".sql", "NNNN_what_it_does.sql")
}

/// `docs/decisions/NNNN-title.md`, counted in the same way.
fn decisions(files: &[File]) -> Vec<Finding> {
    let folder = "docs/decisions";
    let of = files.iter().filter_map(|file| {
        let name = file.path.strip_prefix(folder)?.strip_prefix('/')?;
        Some((file, (folder.to_owned(), name.to_owned())))
    });
    numbered(of, "-", ".md", "NNNN-title.md")
}

fn numbered<'a>(
    files: impl Iterator<Item = (&'a File, (String, String))>,
    separator: &str,
    ending: &str,
    form: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut last = (String::new(), 0);
    for (file, (folder, name)) in files {
        if last.0 != folder {
            last = (folder, 0);
        }
        match number(&name, separator, ending) {
            None => findings.push(Finding::new(&file.path, 1, format!("a name has the form {form}"))),
            Some(number) => {
                if number != last.1 + 1 {
                    let why = format!(
                        "number {number} follows {}; none is missing, none used twice",
                        last.1
                    );
                    findings.push(Finding::new(&file.path, 1, why));
                }
                last.1 = number;
            }
        }
    }
    findings
}

fn number(name: &str, separator: &str, ending: &str) -> Option<u32> {
    let (number, rest) = name.strip_suffix(ending)?.split_once(separator)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || separator.contains(c);
    (number.len() == 4 && !rest.is_empty() && rest.chars().all(plain)).then(|| number.parse().ok())?
}

/// Places that name a decision which nobody wrote.
fn dangling(file: &File, files: &[File]) -> Vec<Finding> {
    let prefix = concat!("docs/", "decisions/");
    let mut findings = Vec::new();
    for (line, text) in file.lines() {
        for (at, _) in text.match_indices(prefix) {
            let rest = &text[at..];
            let end = rest.find(".md").map(|end| end + 3);
            let Some(path) = end.map(|end| &rest[..end]).filter(|path| !path.contains(' ')) else {
                continue;
            };
            let is_name = path[prefix.len()..].starts_with(|c: char| c.is_ascii_digit());
            if is_name && !files.iter().any(|other| other.path == path) {
                findings.push(Finding::new(&file.path, line, format!("there is no {path}")));
            }
        }
    }
    findings
}

#[test]
fn no_file_is_too_long() {
    crate::expect_none(
        &crate::tree::files()
            .iter()
            .filter_map(too_long)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_file_that_is_too_long_is_found() {
    let long = "\n".repeat(MOST_LINES + 1);
    assert!(too_long(&File::new("a.rs", &long)).is_some());
    assert!(too_long(&File::new("a.rs", &long[1..])).is_none());
    assert!(too_long(&File::new("a.md", &long)).is_none());
}

#[test]
fn every_component_has_a_readme() {
    let files = crate::tree::files();
    let components = crate::tree::components();
    assert!(!components.is_empty());
    crate::expect_none(
        &components
            .iter()
            .filter_map(|name| without_readme(name, &files))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_missing_or_empty_readme_is_found() {
    let page = "line\n".repeat(10);
    let path = "components/a/README.md";
    assert!(without_readme("a", &[]).is_some());
    assert!(without_readme("a", &[File::new(path, "# a\n")]).is_some());
    assert!(without_readme("a", &[File::new(path, &page)]).is_none());
}

#[test]
fn migrations_are_numbered() {
    crate::expect_none(&migrations(&crate::tree::files()));
}

#[test]
fn decisions_are_numbered() {
    crate::expect_none(&decisions(&crate::tree::files()));
}

#[test]
fn a_bad_name_a_gap_and_a_repeated_number_are_found() {
    let names = |names: &[&str]| -> Vec<File> { names.iter().map(|name| File::new(name, "")).collect() };
    let of = |paths: &[&str]| migrations(&names(paths)).len();
    assert_eq!(
        of(&[
            "c/a/migrations/0001_x.sql",
            "c/a/migrations/0002_y.sql",
            "c/b/migrations/0001_z.sql"
        ]),
        0
    );
    assert_eq!(of(&["c/a/migrations/0002_x.sql"]), 1);
    assert_eq!(of(&["c/a/migrations/0001_x.sql", "c/a/migrations/0001_y.sql"]), 1);
    assert_eq!(of(&["c/a/migrations/1_x.sql"]), 1);
    assert_eq!(of(&["c/a/migrations/0001_x.txt"]), 1);
    assert_eq!(
        decisions(&names(&[
            "docs/decisions/0001-one.md",
            "docs/decisions/0003-three.md"
        ]))
        .len(),
        1
    );
    assert_eq!(decisions(&names(&["docs/decisions/One.md"])).len(), 1);
}

#[test]
fn every_decision_that_is_named_was_written() {
    let files = crate::tree::files();
    let ours = files.iter().filter(|file| !file.path.starts_with("tests/tidy/"));
    crate::expect_none(&ours.flat_map(|file| dangling(file, &files)).collect::<Vec<_>>());
}

#[test]
fn a_decision_that_nobody_wrote_is_found() {
    let files = [File::new("docs/decisions/0001-a.md", "")];
    let text = "see docs/decisions/0001-a.md\nand docs/decisions/0002-b.md";
    assert_eq!(crate::lines(&dangling(&File::new("x.md", text), &files)), [2]);
}
