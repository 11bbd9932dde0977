//! The text format of Prometheus 0.0.4, read as strictly as it may be: what a lenient reader forgives is a mistake here.

use std::collections::BTreeMap;

/// One number with its labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// A page of figures.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The kind of each family, by its name.
    pub(crate) families: BTreeMap<String, String>,
    pub(crate) samples: Vec<Sample>,
}

impl Page {
    /// Reads a page; the error says what is wrong with which line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut page = Self::default();
        let mut family = String::new();
        if !text.ends_with('\n') {
            return Err("the last line has no end".to_owned());
        }
        for line in text.lines() {
            let wrong = |why: &str| format!("{why}: {line}");
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').ok_or_else(|| wrong("no type"))?;
                if !["counter", "gauge", "histogram"].contains(&kind) {
                    return Err(wrong("an unknown type"));
                }
                if page.families.insert(name.to_owned(), kind.to_owned()).is_some() {
                    return Err(wrong("a family stands twice"));
                }
                name.clone_into(&mut family);
            } else if line
                .strip_prefix("# HELP ")
                .is_some_and(|rest| rest.contains(' '))
            {
                family.clear();
            } else if line.starts_with('#') {
                return Err(wrong("a strange comment"));
            } else {
                let sample = sample(line).ok_or_else(|| wrong("no sample"))?;
                page.take(sample, &family).map_err(|why| wrong(&why))?;
            }
        }
        Ok(page)
    }

    fn take(&mut self, sample: Sample, family: &str) -> Result<(), String> {
        let kind = self.families.get(family).map_or("", String::as_str);
        let suffix = sample.name.strip_prefix(family).ok_or("outside of its family")?;
        let fits = match kind {
            "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
            "counter" => suffix.is_empty() && family.ends_with("_total") && sample.value >= 0.0,
            "gauge" => suffix.is_empty(),
            _ => false,
        };
        if !fits {
            return Err(format!("no sample of the {kind} {family}"));
        }
        let same = |known: &&Sample| known.name == sample.name && known.labels == sample.labels;
        if self.samples.iter().any(|known| same(&known)) {
            return Err("a series stands twice".to_owned());
        }
        self.samples.push(sample);
        Ok(())
    }

    /// All numbers of a name.
    pub(crate) fn values(&self, name: &str) -> Vec<f64> {
        let named = self.samples.iter().filter(|sample| sample.name == name);
        named.map(|sample| sample.value).collect()
    }

    /// The number of the one series that has these labels, and maybe others.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |sample: &&Sample| {
            let says =
                |(label, value): &(&str, &str)| sample.labels.get(*label).is_some_and(|said| said == value);
            sample.name == name && labels.iter().all(says)
        };
        let mut found = self.samples.iter().filter(has);
        match (found.next(), found.next()) {
            (Some(sample), None) => Some(sample.value),
            _ => None,
        }
    }
}

/// `name{label="value",…} number`.
fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            if !is_name(label) || labels.insert(label.to_owned(), value).is_some() {
                return None;
            }
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    rest = after.strip_prefix('}')?;
                    break;
                }
            }
        }
    }
    let value = rest.strip_prefix(' ')?.parse().ok()?;
    is_name(name).then(|| Sample {
        name: name.to_owned(),
        labels,
        value,
    })
}

fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// A label's value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                same @ ('"' | '\\') => same,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
    None
}

#[test]
fn a_page_is_read_and_a_wrong_one_refused() {
    let head = "# HELP a_total A.\n# TYPE a_total counter\n";
    let page = Page::parse(&format!(
        "{head}a_total{{route=\"/x/{{id}}\",s=\"q\\\"\\\\\\n\"}} 3\na_total 1\n"
    ));
    let page = page.expect("a page");
    assert_eq!(page.value("a_total", &[("route", "/x/{id}")]), Some(3.0));
    assert_eq!(page.samples[0].labels["s"], "q\"\\\n");
    for wrong in [
        "a_total 1\n".to_owned(),
        format!("{head}a_total 1"),
        format!("{head}a_total one\n"),
        format!("{head}a_total 1\na_total 2\n"),
        format!("{head}a_total{{x=1}} 1\n"),
        format!("{head}a_total{{x=\"1\"}}1\n"),
        format!("{head}b_total 1\n"),
        format!("{head}{head}a_total 1\n"),
        "# HELP a A.\n# TYPE a counter\na 1\n".to_owned(),
    ] {
        assert!(Page::parse(&wrong).is_err(), "{wrong}");
    }
}
