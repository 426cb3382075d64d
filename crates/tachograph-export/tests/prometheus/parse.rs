//! A strict parser of the Prometheus text format 0.0.4, written from its description alone.
//!
//! It refuses what servers may tolerate: a family without HELP and TYPE, in that order, before its
//! samples; a family in two places; a sample that is not of the family above it; a label or series
//! twice; reserved labels; unknown escapes; blank lines.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    /// As written.
    pub(crate) value: String,
}

impl Sample {
    pub(crate) fn float(&self) -> f64 {
        self.value.parse().expect("checked while parsing")
    }
}

/// The families in order; `Err` names the line and what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Vec<Family>, String> {
    let body = match text {
        "" => return Ok(Vec::new()),
        text => text.strip_suffix('\n').ok_or("no newline at the end")?,
    };
    let mut families: Vec<Family> = Vec::new();
    let mut series = BTreeSet::new();
    let mut lines = body.split('\n').peekable();
    while let Some(line) = lines.next() {
        let told = |what: &str| format!("{what}: {line:?}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            let ty = lines.next().unwrap_or_default();
            families.push(head(help, ty).map_err(|what| told(&what))?);
        } else {
            let sample = sample(line).map_err(|what| told(&what))?;
            let family = families.last_mut().ok_or_else(|| told("sample without a family"))?;
            belongs(&sample, family).map_err(|what| told(&what))?;
            let labels: BTreeMap<_, _> = sample.labels.iter().cloned().collect();
            if !series.insert((sample.name.clone(), labels)) {
                return Err(told("series twice"));
            }
            family.samples.push(sample);
        }
    }
    distinct_names(&families)?;
    Ok(families)
}

fn head(help: &str, ty: &str) -> Result<Family, String> {
    let (name, help) = help.split_once(' ').ok_or("HELP without text")?;
    let ty = ty.strip_prefix("# TYPE ").ok_or("HELP without TYPE below")?;
    let (typed, kind) = ty.split_once(' ').ok_or("TYPE without a type")?;
    if typed != name || !is_name(name, true) {
        return Err(format!("bad family name {name:?}, {typed:?}"));
    }
    if !["counter", "gauge", "summary"].contains(&kind) {
        return Err(format!("unknown type {kind:?}"));
    }
    let help = unescape(help, false)?;
    Ok(Family { name: name.into(), help, kind: kind.into(), samples: Vec::new() })
}

/// No family, and none of its samples, has the name of another.
fn distinct_names(families: &[Family]) -> Result<(), String> {
    let mut owners = BTreeMap::new();
    for family in families {
        let samples = family.samples.iter().map(|sample| &sample.name);
        for name in samples.chain([&family.name]) {
            let owner = owners.entry(name).or_insert(&family.name);
            if *owner != &family.name {
                return Err(format!("{name:?} is of {owner:?} and of {:?}", family.name));
            }
        }
    }
    let unique: BTreeSet<_> = families.iter().map(|family| &family.name).collect();
    if unique.len() == families.len() { Ok(()) } else { Err("family in two places".into()) }
}

fn belongs(sample: &Sample, family: &Family) -> Result<(), String> {
    let suffix = sample.name.strip_prefix(&family.name).ok_or("sample of another family")?;
    let quantiles = sample.labels.iter().filter(|(label, _)| label == "quantile").count();
    let fits = match (&*family.kind, suffix) {
        ("summary", "") => quantiles == 1,
        ("summary", "_sum" | "_count") | ("gauge", "") => quantiles == 0,
        ("counter", "") => quantiles == 0 && family.name.ends_with("_total"),
        _ => false,
    };
    let reserved = |label: &str| label == "le" || label.starts_with("__");
    if sample.labels.iter().any(|(label, _)| reserved(label)) {
        return Err("reserved label".into());
    }
    if fits { Ok(()) } else { Err(format!("no sample of a {}", family.kind)) }
}

fn sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("neither a sample nor HELP")?;
    let (name, rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err(format!("bad name {name:?}"));
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inner) => labels(inner)?,
        None => (Vec::new(), rest),
    };
    let value = rest.strip_prefix(' ').ok_or("no space before the value")?;
    let number = value.parse::<f64>().map_err(|_| format!("bad value {value:?}"))?;
    let spelled = ["NaN", "+Inf", "-Inf"].contains(&value);
    if number.is_finite() == spelled || value.contains(char::is_whitespace) {
        return Err(format!("bad spelling of {value:?}"));
    }
    Ok(Sample { name: name.into(), labels, value: value.into() })
}

type Labels = Vec<(String, String)>;

/// The labels including the closing brace, and the rest after it.
fn labels(mut rest: &str) -> Result<(Labels, &str), String> {
    let mut labels = Vec::new();
    loop {
        let (label, after) = rest.split_once("=\"").ok_or("label without a value")?;
        if !is_name(label, false) || labels.iter().any(|(other, _)| other == label) {
            return Err(format!("bad label {label:?}"));
        }
        let end = closing_quote(after).ok_or("label value without an end")?;
        labels.push((label.to_owned(), unescape(&after[..end], true)?));
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => break,
        }
    }
    Ok((labels, rest.strip_prefix('}').ok_or("no closing brace")?))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(i, c)| {
        let found = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        found.then_some(i)
    })
}

fn unescape(text: &str, quotes: bool) -> Result<String, String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\0' => return Err("NUL".into()),
            '\\' => match chars.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quotes => '"',
                other => return Err(format!("unknown escape {other:?}")),
            },
            c => c,
        });
    }
    Ok(plain)
}

fn is_name(name: &str, colons: bool) -> bool {
    let fits = |c: char| c == '_' || c.is_ascii_alphanumeric() || (colons && c == ':');
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(fits)
}
