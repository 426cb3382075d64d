use std::time::SystemTime;

use super::*;

fn pages(metrics: &MetricsCollector) -> Pages {
    let scrapes = Arc::new(Scrapes::new(metrics));
    Pages::new(metrics.clone(), scrapes, &Prometheus::new(), None).expect("threads")
}

fn collector() -> MetricsCollector {
    let metrics = MetricsCollector::builder().manual().build();
    (0..99).for_each(|i| metrics.with_tags(&[("i", &i.to_string())]).increment("counter"));
    metrics.run_pass(Instant::now(), SystemTime::now());
    metrics
}

fn is_same(a: &Encoded, b: &Encoded) -> bool {
    a.0.as_ptr() == b.0.as_ptr()
}

#[tokio::test]
async fn scrapes_of_one_snapshot_share_its_bodies() {
    let metrics = collector();
    let pages = pages(&metrics);
    for page in Page::ALL.into_iter().filter(|page| page.is_of_published()) {
        for encoding in [Encoding::Identity, Encoding::Gzip] {
            let body = || pages.body(page, encoding);
            let (first, again) = tokio::join!(body(), body());
            let (first, again) = (first.expect("a body"), again.expect("a body"));
            assert!(is_same(&first, &again), "{page:?}");
            assert_eq!(first.1, encoding);
        }
        let before = pages.body(page, Encoding::Gzip).await.expect("a body");
        metrics.run_pass(Instant::now(), SystemTime::now());
        let after = pages.body(page, Encoding::Gzip).await.expect("a body");
        assert!(!is_same(&before, &after), "{page:?}");
    }
}

#[tokio::test]
async fn reads_share_only_what_was_begun_after_they_came() {
    let pages = pages(&collector());
    let body = || pages.body(Page::Json, Encoding::Identity);
    let first = body().await.expect("a body");
    let later = body().await.expect("a body");
    assert!(!is_same(&first, &later), "it holds what was recorded since");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_older_body_is_read_a_new_one_is_made_each_second() {
    let metrics = collector();
    let pages = pages(&metrics);
    let publish = || metrics.run_pass(Instant::now(), SystemTime::now());
    for page in [Page::Text, Page::Json] {
        let body = || pages.body(page, Encoding::Identity);
        let mut held = vec![body().await.expect("a body")];
        let begun = Instant::now();
        while begun.elapsed() < PACE * 5 / 2 {
            publish();
            let body = body().await.expect("a body");
            if held.iter().all(|other| !is_same(other, &body)) {
                held.push(body);
            }
        }
        assert!((3..=5).contains(&held.len()), "{page:?}: {} bodies", held.len());
        held.clear();
        for _ in 0..3 {
            publish();
            let body = body().await.expect("a body");
            assert!(held.iter().all(|other| !is_same(other, &body)), "{page:?}: nobody reads");
            held = vec![body];
        }
    }
}

#[tokio::test]
async fn a_body_whose_making_panics_is_one_answer_lost() {
    let pages = pages(&collector());
    pages.published.run(|bodies| bodies.writers[Page::Text as usize].panics = true).await;
    let body = || pages.body(Page::Text, Encoding::Identity);
    assert!(body().await.is_none());
    assert!(body().await.is_some());
}
