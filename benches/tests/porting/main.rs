//! The guides in `docs/porting`: each shows a program before and after. Both run here, and their
//! pages have the same numbers.

mod opentelemetry {
    pub(crate) mod after;
    pub(crate) mod before;
}
mod otlp;
#[path = "../../../examples/tests/program/page.rs"]
mod page;
mod prometheus {
    pub(crate) mod after;
    pub(crate) mod before;
}
mod prometheus_client {
    pub(crate) mod after;
    pub(crate) mod before;
}
mod text;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The samples of a page by their series.
type Samples = BTreeMap<String, f64>;

/// What a request was like.
struct Request {
    route: &'static str,
    status: u16,
    took: Duration,
    bytes: u64,
}

/// Requests whose durations and sizes are at no bound of a bucket.
fn requests() -> impl Iterator<Item = Request> {
    (0..1_000).map(|i| Request {
        route: ["/scene", "/track", "/clip"][i % 3],
        status: if i % 7 == 0 { 500 } else { 200 },
        took: Duration::from_micros(37 + (i * i) as u64 * 3),
        bytes: 33 + (i * 131 % 9_001) as u64,
    })
}

/// Runs a program and returns its page.
macro_rules! page {
    ($program:ty) => {{
        let metrics = <$program>::new();
        (0..5).for_each(|_| metrics.opened());
        (0..2).for_each(|_| metrics.closed());
        for (i, request) in requests().enumerate() {
            metrics.waiting(i % 4);
            metrics.served(&request);
        }
        metrics.page()
    }};
}

/// The same series with the same values, but for the collector's own.
fn assert_same(theirs: &Samples, mut ours: Samples) {
    ours.retain(|key, _| !key.starts_with("telemetry"));
    assert!(theirs.len() > 10, "{theirs:?}");
    let keys = |samples: &Samples| samples.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(theirs), keys(&ours));
    for (key, wanted) in theirs {
        let found = ours[key];
        assert!((found - wanted).abs() <= 1e-9 * wanted.abs(), "{key}: {found}, not {wanted}");
    }
}

/// The guide shows both programs as they are.
fn assert_shown(guide: &str, programs: [&str; 2]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/porting").join(guide);
    let guide = std::fs::read_to_string(&path).expect("the guide is there");
    for program in programs {
        let block = format!("```rust\n{program}```\n");
        assert!(
            guide.contains(&block),
            "{}: shows another program than:\n{program}",
            path.display()
        );
    }
}

#[test]
fn prometheus_before_and_after() {
    let theirs = text::samples(&page!(prometheus::before::Metrics));
    let ours = page!(prometheus::after::Metrics);
    page::keep("prometheus", &ours);
    assert_same(&theirs, text::samples(&ours));
    assert_shown(
        "prometheus.md",
        [include_str!("prometheus/before.rs"), include_str!("prometheus/after.rs")],
    );
}

#[test]
fn prometheus_client_before_and_after() {
    let theirs = text::samples(&page!(prometheus_client::before::Metrics));
    let ours = page!(prometheus_client::after::Metrics);
    page::keep("prometheus_client", &ours);
    assert_same(&theirs, text::samples(&ours));
    assert_shown(
        "prometheus-client.md",
        [include_str!("prometheus_client/before.rs"), include_str!("prometheus_client/after.rs")],
    );
}

#[test]
fn opentelemetry_before_and_after() {
    let theirs = otlp::samples(&page!(opentelemetry::before::Metrics));
    assert_same(&theirs, otlp::samples(&page!(opentelemetry::after::Metrics)));
    assert_shown(
        "opentelemetry.md",
        [include_str!("opentelemetry/before.rs"), include_str!("opentelemetry/after.rs")],
    );
}
