//! `/metrics` in the format that a scraper asks for.

use super::client::{get, with};
use super::{manual, publish, serve};

#[tokio::test]
async fn each_scraper_gets_the_format_that_it_wants_most() {
    let metrics = manual();
    metrics.increment("events");
    publish(&metrics);
    let server = serve(&metrics).await;
    let accepting = async |accept| {
        let answer = with(server.addr(), "GET", "/metrics", &[("Accept", accept)]).await;
        assert_eq!((answer.status, answer.header("vary")), (200, "accept, accept-encoding"));
        answer
    };
    let text = get(server.addr(), "/metrics").await;
    for accept in ["*/*", "text/html", "image/webp;q=1", "nonsense", "text/plain;version=0.0.4"] {
        let answer = accepting(accept).await;
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(answer.text(), text.text());
    }
    let open_metrics = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5";
    let answer = accepting(open_metrics).await;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), content_type);
    assert!(answer.text().contains("# TYPE events counter\n"), "{}", answer.text());
    assert!(answer.text().ends_with("\n# EOF\n"));
    let protobuf = "application/vnd.google.protobuf;\
                    proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let answer = accepting(protobuf).await;
    assert_eq!(answer.header("content-type").replace(' ', ""), protobuf);
    let name = b"\x0a\x0cevents_total";
    assert!(answer.bytes.windows(name.len()).any(|bytes| bytes == name), "delimited families");
}
