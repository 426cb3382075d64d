//! An axum application with everything mounted: metrics, the page with its history, alerts.
//!
//! `cargo run -p examples --bin axum_server -- [ADDRESS]`, then open it in a browser.
#![allow(clippy::print_stdout, reason = "says where it listens")]

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use tachograph::{MetricsCollector, Timing};
use tachograph_serve::{Alerts, Endpoint};
use tokio::net::TcpListener;

const RULES: &str = r#"
    [[rule]]
    name = "SlowRequests"
    metric = "http.duration"
    statistic = "p99"
    last = "1m"
    op = ">"
    threshold = "100ms"

    [[rule]]
    name = "ServerErrors"
    metric = "http.requests"
    tags = { status = "500" }
    statistic = "increase"
    last = "1m"
    op = ">"
    threshold = 0
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7009".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listens on {}", listener.local_addr()?);

    let metrics = MetricsCollector::new();
    let duration = metrics.register_timing("http.duration");
    let rules = tachograph_alert::parse(RULES)?;
    let tachograph = Endpoint::new(metrics.clone())
        .listen(listener.local_addr()?)
        .program("shop", env!("CARGO_PKG_VERSION"))
        .history(Default::default())
        .alerts(Alerts::new(rules).log());

    let application = Router::new()
        .route("/orders/{id}", get(order))
        .layer(middleware::from_fn_with_state((metrics, duration), measured))
        // Not measured: added below the layer. The page is at `/`.
        .merge(tachograph.router()?);
    Ok(axum::serve(listener, application).await?)
}

/// Times each request and counts it by its status.
async fn measured(
    State((metrics, duration)): State<(MetricsCollector, Timing)>,
    request: Request,
    next: Next,
) -> Response {
    let start = metrics.now();
    let response = next.run(request).await;
    let status = response.status();
    let tags = [("status", status.as_str())];
    metrics.with_tags(&tags).increment("http.requests");
    duration.record_since(start);
    response
}

async fn order(Path(id): Path<u64>) -> (StatusCode, String) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    match id {
        0 => (StatusCode::INTERNAL_SERVER_ERROR, "there is no order 0\n".to_owned()),
        id => (StatusCode::OK, format!("order {id} is on its way\n")),
    }
}
