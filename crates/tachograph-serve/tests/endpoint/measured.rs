//! What an endpoint says about itself.

use super::client::{get, with};
use super::{manual, publish, serve};

#[tokio::test]
async fn requests_are_counted_by_page_and_status_and_bodies_by_what_was_made() {
    let metrics = manual();
    (0..99).for_each(|i| metrics.with_tags(&[("i", &i.to_string())]).increment("counter"));
    publish(&metrics);
    let server = serve(&metrics).await;
    let mut bytes = 0;
    for _ in 0..3 {
        let answer = with(server.addr(), "GET", "/metrics", &[("Accept-Encoding", "gzip")]).await;
        bytes += answer.bytes.len();
    }
    get(server.addr(), "/health").await;
    get(server.addr(), "/nothing").await;
    with(server.addr(), "GET", "/metrics", &[("Host", "evil.example")]).await;
    let counter = |name: &str, tags: &[(&str, &str)]| {
        metrics.with_tags(tags).get_counter(name).map(|counter| counter.value)
    };
    let requests =
        |page, status| counter("metrics.scrape.requests", &[("page", page), ("status", status)]);
    assert_eq!(requests("/metrics", "200"), Some(3));
    assert_eq!(requests("/metrics", "403"), Some(1));
    assert_eq!(requests("/health", "200"), Some(1));
    assert_eq!(requests("other", "404"), Some(1));
    let tags = [("format", "text"), ("encoding", "gzip")];
    assert_eq!(counter("metrics.scrape.rendered", &tags), Some(1), "shared by three");
    let size = metrics.with_tags(&tags).get_timing("metrics.scrape.size").expect("recorded");
    assert_eq!((size.count, size.sum), (3, bytes as f64));
    let page = [("page", "/metrics")];
    let took = metrics.with_tags(&page).get_timing("metrics.scrape.duration").expect("recorded");
    assert_eq!(took.count, 4);
    let open = metrics.get_gauge("metrics.scrape.connections").expect("set");
    assert!(open.max >= Some(1.0), "{open:?}");
}
