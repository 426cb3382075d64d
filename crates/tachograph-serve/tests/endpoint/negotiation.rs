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
}
