//! Pages in the text formats of Prometheus.

use crate::Samples;

/// The samples of a page; labels in order, bounds as numbers.
pub(crate) fn samples(page: &str) -> Samples {
    page.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

fn sample(line: &str) -> (String, f64) {
    let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.strip_suffix('}').expect("labels end");
    let mut labels: Vec<_> = labels.split(',').filter(|it| !it.is_empty()).map(label).collect();
    labels.sort();
    (format!("{name}{labels:?}"), value.parse().expect("a number"))
}

fn label(label: &str) -> (String, String) {
    let (key, value) = label.split_once('=').expect("a label has a value");
    let value = value.trim_matches('"');
    let value = match key {
        "le" => value.parse::<f64>().expect("a bound").to_string(),
        _ => value.to_owned(),
    };
    (key.to_owned(), value)
}
