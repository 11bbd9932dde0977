//! Contracts are documented to the last case, and count money in whole units.

use crate::Finding;
use crate::tree::File;

/// What a block's lines are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// Fields or cases, each of which says what it means.
    Members,
    /// An interface, a world, a resource.
    Items,
}

fn undocumented(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut blocks: Vec<Block> = Vec::new();
    let (mut documented, mut open_parens) = (false, 0_usize);
    for (line, text) in file.lines() {
        let text = text.trim();
        if text.starts_with("///") {
            documented = true;
            continue;
        }
        let code = text.split("//").next().unwrap_or_default().trim();
        if code.is_empty() {
            documented &= !text.is_empty();
            continue;
        }
        if code.starts_with('@') && !code.contains(':') {
            continue;
        }
        let whole = open_parens == 0;
        if whole && needs_words(code, blocks.last().copied()) && !documented {
            findings.push(Finding::new(
                &file.path,
                line,
                format!("`{code}` has no `///` line that says what it means"),
            ));
        }
        for c in code.chars() {
            match c {
                '(' | '<' => open_parens += 1,
                ')' => open_parens = open_parens.saturating_sub(1),
                '>' if !code.contains("->") || open_parens > 0 => open_parens = open_parens.saturating_sub(1),
                '{' => blocks.push(block(code)),
                '}' => drop(blocks.pop()),
                _ => {}
            }
        }
        documented = false;
    }
    findings
}

fn block(code: &str) -> Block {
    let members = ["record ", "variant ", "enum ", "flags "];
    if members.iter().any(|keyword| code.starts_with(keyword)) {
        Block::Members
    } else {
        Block::Items
    }
}

fn needs_words(code: &str, inside: Option<Block>) -> bool {
    let silent = ["package ", "use ", "import ", "export ", "include ", "}"];
    if silent.iter().any(|keyword| code.starts_with(keyword)) {
        return false;
    }
    match inside {
        // The members of `use a.{b, c}` over several lines are names, not declarations.
        Some(Block::Members) => true,
        Some(Block::Items) | None => {
            let keywords = [
                "interface ",
                "world ",
                "record ",
                "variant ",
                "enum ",
                "flags ",
                "resource ",
                "type ",
            ];
            keywords.iter().any(|keyword| code.starts_with(keyword)) || code.contains("func(")
        }
    }
}

fn floats(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in file.lines() {
        let code = text.split("//").next().unwrap_or_default();
        let words = code.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
        if words
            .into_iter()
            .any(|word| ["f32", "f64", "float32", "float64"].contains(&word))
        {
            findings.push(Finding::new(
                &file.path,
                line,
                "amounts are integers of the smallest unit; no floats in a contract",
            ));
        }
    }
    findings
}

fn ours() -> Vec<File> {
    let mut files = crate::tree::files();
    files.retain(|file| {
        file.has_extension("wit") && file.path.starts_with("wit/") && !file.path.starts_with("wit/deps/")
    });
    assert!(!files.is_empty(), "there are no contracts in wit/");
    files
}

#[test]
fn everything_in_a_contract_is_documented() {
    crate::expect_none(&ours().iter().flat_map(undocumented).collect::<Vec<_>>());
}

#[test]
fn no_contract_has_floats() {
    crate::expect_none(&ours().iter().flat_map(floats).collect::<Vec<_>>());
}

#[test]
fn a_declaration_without_words_is_found() {
    let text = "\
package shop:x@0.1.0;
interface bare {
    use shop:types/ids@0.1.0.{
        order-id,
    };
    record r {
        /// Said.
        a: u32,
        b: u32,
    }
    /// Said.
    variant v {
        c(string),
    }
    d: func(
        id: order-id,
        other: list<u32>,
    ) -> result<_, v>;
    /// Said.
    @since(version = 0.1.0)
    e: func() -> bool;
    // Not a doc line.
    type f = u32;
}
";
    assert_eq!(
        crate::lines(&undocumented(&File::new("wit/x.wit", text))),
        [2, 6, 9, 13, 15, 23]
    );
}

#[test]
fn a_float_is_found() {
    let text = "a: f64,\n// f64 in words\nb: list<float32>,\nf64-like: u32,";
    assert_eq!(crate::lines(&floats(&File::new("wit/x.wit", text))), [1, 3]);
}
