//! The endpoint over real sockets on loopback.

mod access;
mod client;
mod compression;
mod limits;
mod measured;
mod negotiation;
mod own_thread;
mod page;
mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tachograph::{MetricsCollector, Snapshot};
use tachograph_serve::{Endpoint, Server};

use self::client::{get, request, with};

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn publish(metrics: &MetricsCollector) {
    metrics.run_pass(Instant::now(), SystemTime::now());
}

async fn serve(metrics: &MetricsCollector) -> Server {
    Endpoint::new(metrics.clone()).listen(loopback()).serve().await.expect("binds")
}

#[tokio::test]
async fn each_page_has_its_type_and_a_body_of_it() {
    let metrics = manual();
    metrics.increment_by("events.processed", 7);
    publish(&metrics);
    let server = serve(&metrics).await;
    let text = get(server.addr(), "/metrics").await;
    assert_eq!(text.status, 200);
    assert_eq!(text.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(text.text().contains("\nevents_processed_total 7\n"), "{}", text.text());
    let json = get(server.addr(), "/metrics.json").await;
    assert_eq!(json.status, 200);
    assert_eq!(json.json()["metrics"]["counters"]["events.processed"]["value"], 7);
    assert_eq!(json.header("cache-control"), "no-store");
    server.shutdown().await;
}

#[tokio::test]
async fn a_program_says_in_its_summary_what_it_likes_or_has_none() {
    let metrics = manual();
    let server = serve(&metrics).await;
    let missing = get(server.addr(), "/summary").await;
    assert_eq!(missing.status, 404);
    let told = "there is no /summary (the program gives none with `Endpoint::summary`): try one of \
                /metrics, /metrics.json, /snapshot, /health, /-/ready";
    assert_eq!(missing.json()["error"], told);
    server.shutdown().await;

    let counted = |snapshot: &Snapshot| {
        let orders = snapshot.find("orders", &[]).and_then(|it| it.value.as_counter());
        let orders = orders.map(|views| views.lifetime.value);
        assert_ne!(orders, Some(13), "as a bug would");
        BTreeMap::from([("orders", orders)])
    };
    let endpoint = Endpoint::new(metrics.clone()).summary(counted).listen(loopback());
    let server = endpoint.serve().await.expect("binds");
    // Everything recorded before the request is in it.
    for (more, status, body) in [
        (12, 200, json!({ "orders": 12 })),
        (1, 500, Value::Null),
        (1, 200, json!({ "orders": 14 })),
    ] {
        metrics.increment_by("orders", more);
        let answer = get(server.addr(), "/summary").await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(status != 200 || answer.json() == body, "{}", answer.text());
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_summary_that_is_no_json_is_one_answer_lost() {
    let endpoint = Endpoint::new(manual()).listen(loopback());
    let endpoint = endpoint.summary(|_| BTreeMap::from([((1, 2), 3)]));
    let server = endpoint.serve().await.expect("binds");
    assert_eq!(get(server.addr(), "/summary").await.status, 500);
    assert_eq!(get(server.addr(), "/metrics.json").await.status, 200);
    server.shutdown().await;
}

#[tokio::test]
async fn scrapes_take_the_published_snapshot_and_reads_everything_so_far() {
    let metrics = manual();
    metrics.increment("events");
    publish(&metrics);
    metrics.increment("events");
    let server = serve(&metrics).await;
    let value = |json: serde_json::Value| json["metrics"]["counters"]["events"]["value"].clone();
    for _ in 0..2 {
        assert!(get(server.addr(), "/metrics").await.text().contains("\nevents_total 1\n"));
        assert_eq!(value(get(server.addr(), "/metrics.json").await.json()), 2);
    }
    publish(&metrics);
    assert!(get(server.addr(), "/metrics").await.text().contains("\nevents_total 2\n"));
}

#[tokio::test]
async fn health_tells_fresh_stale_and_disabled_apart() {
    let metrics = manual();
    publish(&metrics);
    let server = serve(&metrics).await;
    let good = get(server.addr(), "/health").await;
    assert_eq!((good.status, &good.json()["status"]), (200, &"ok".into()));
    metrics.run_pass(Instant::now(), SystemTime::now() - Duration::from_secs(60));
    let stale = get(server.addr(), "/health").await;
    assert_eq!((stale.status, &stale.json()["status"]), (503, &"stale".into()));
    assert!(stale.json()["snapshot_age_seconds"].as_f64().is_some_and(|age| age >= 59.0));
    metrics.set_enabled(false);
    let off = get(server.addr(), "/health").await;
    assert_eq!((off.status, &off.json()["status"]), (200, &"disabled".into()));
}

#[tokio::test]
async fn health_covers_the_checks_of_the_program() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_broken);
    let loop_ends = move || match seen.load(Ordering::SeqCst) {
        true => Err("the thread has ended".to_owned()),
        false => Ok(()),
    };
    let metrics = manual();
    publish(&metrics);
    let endpoint = Endpoint::new(metrics.clone()).check("loop", loop_ends).check("udp", || Ok(()));
    let server = endpoint.clone().listen(loopback()).serve().await.expect("binds");
    let good = get(server.addr(), "/health").await;
    assert_eq!((good.status, good.json().get("failing")), (200, None));
    is_broken.store(true, Ordering::SeqCst);
    // Whatever the collector is at.
    for is_on in [true, false] {
        metrics.set_enabled(is_on);
        let bad = get(server.addr(), "/health").await;
        assert_eq!((bad.status, &bad.json()["status"]), (503, &"failing".into()));
        let expected = serde_json::json!({ "loop": "the thread has ended" });
        assert_eq!(bad.json()["failing"], expected);
        assert_eq!(get(server.addr(), "/-/ready").await.status, 200, "there is something to see");
    }
    let panics = endpoint.check("bug", || panic!("as a bug would"));
    let server = panics.listen(loopback()).serve().await.expect("binds");
    let bad = get(server.addr(), "/health").await;
    assert_eq!((bad.status, &bad.json()["failing"]["bug"]), (503, &"the check panicked".into()));
}

#[tokio::test]
async fn a_snapshot_is_not_late_before_it_is_due() {
    let builder = MetricsCollector::builder().publish_every(Duration::from_secs(10));
    let metrics = builder.manual().build();
    let server = serve(&metrics).await;
    for (age, status) in [(9, 200), (14, 200), (16, 503)] {
        metrics.run_pass(Instant::now(), SystemTime::now() - Duration::from_secs(age));
        assert_eq!(get(server.addr(), "/health").await.status, status, "{age} s");
    }
}

#[tokio::test]
async fn it_is_ready_once_something_was_published() {
    let metrics = manual();
    let server = serve(&metrics).await;
    assert_eq!(get(server.addr(), "/-/ready").await.status, 503);
    assert_eq!(get(server.addr(), "/health").await.status, 200, "but nothing is wrong");
    publish(&metrics);
    assert_eq!(get(server.addr(), "/-/ready").await.status, 200);
    let off = MetricsCollector::builder().manual().enabled(false).build();
    assert_eq!(get(serve(&off).await.addr(), "/-/ready").await.status, 200);
}

#[tokio::test]
async fn the_whole_snapshot_reads_back_as_it_was_published() {
    let metrics = manual();
    metrics.with_tags(&[("a", "b")]).timing("turn", Duration::from_micros(7));
    metrics.gauge("level", -1.5);
    publish(&metrics);
    let server = serve(&metrics).await;
    let published = metrics.snapshot();
    let answer = get(server.addr(), "/snapshot").await;
    let read: tachograph::Snapshot = serde_json::from_str(answer.text()).expect("a snapshot");
    assert_eq!(read, *published);
}

#[tokio::test]
async fn buckets_are_there_on_request() {
    let metrics = manual();
    (1..=9).for_each(|value| metrics.histogram("size", value * value));
    let server = serve(&metrics).await;
    let buckets = |json: serde_json::Value| json["metrics"]["timings"]["size"]["buckets"].clone();
    for path in ["/metrics.json", "/metrics.json?buckets=0"] {
        assert!(buckets(get(server.addr(), path).await.json()).is_null(), "{path}");
    }
    for path in ["/metrics.json?buckets", "/metrics.json?buckets=1", "/metrics.json?buckets=true"] {
        let buckets = buckets(get(server.addr(), path).await.json());
        let counts = buckets.as_array().expect("buckets").iter();
        let counts: Vec<_> = counts.map(|bucket| bucket["count"].as_u64()).collect();
        assert_eq!(counts, [Some(1); 9], "{path}");
    }
    for path in ["/metrics.json?_=1&buckets=1", "/metrics.json?buckets=0&buckets&x"] {
        let buckets = buckets(get(server.addr(), path).await.json());
        assert!(buckets.is_array(), "{path}: browsers and proxies add what they like");
    }
    for path in ["/metrics.json?_=1", "/metrics?_=1", "/health?buckets=7", "/snapshot?&=&%"] {
        assert_eq!(get(server.addr(), path).await.status, 200, "{path}");
    }
    let wrong = get(server.addr(), "/metrics.json?buckets=7").await;
    assert_eq!(wrong.status, 400);
    let told = "/metrics.json does not know buckets=7: try ?buckets=1";
    assert_eq!(wrong.json()["error"], told);
}

#[tokio::test]
async fn what_is_not_served_is_refused_with_the_way_out() {
    let server = serve(&manual()).await;
    let missing = get(server.addr(), "/metrics/%22x?y").await;
    assert_eq!(missing.status, 404);
    let told = "there is no /metrics/%22x: try one of /metrics, /metrics.json, /snapshot, \
                /health, /-/ready";
    assert_eq!(missing.json()["error"], told);
    for (path, is) in Endpoint::PAGES {
        assert!(!is.is_empty());
        let is_missing = get(server.addr(), path).await.status == 404;
        assert_eq!(is_missing, *path == "/summary", "{path}");
    }
    let posted = request(server.addr(), "POST", "/snapshot").await;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET,HEAD"));
    assert_eq!(posted.json()["error"], "/snapshot does not answer POST: use GET or HEAD");
    let head = request(server.addr(), "HEAD", "/health").await;
    assert_eq!((head.status, head.text()), (200, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrapes_at_the_same_time_are_all_whole_while_threads_record() {
    let metrics = MetricsCollector::new();
    let server = serve(&metrics).await;
    let addr = server.addr();
    let recording = metrics.clone();
    let writer = std::thread::spawn(move || {
        for i in 0..20_000 {
            let id = (i % 50).to_string();
            let tags = [("id", id.as_str())];
            let series = recording.with_tags(&tags);
            series.timing("turn", Duration::from_micros(i));
            series.increment("turns");
        }
    });
    let scrape = |i: usize| async move {
        let path = ["/metrics", "/metrics.json", "/snapshot"][i % 3];
        let answer = get(addr, path).await;
        assert_eq!(answer.status, 200, "{path}");
        if path == "/metrics" {
            assert!(answer.text().contains("\ntelemetry_prometheus_renamed 0\n"), "the last line");
        } else {
            answer.json();
        }
    };
    let scrapes: Vec<_> = (0..96).map(|i| tokio::spawn(scrape(i))).collect();
    for scrape in scrapes {
        scrape.await.expect("a whole answer");
    }
    writer.join().expect("recording goes on");
    let json = get(addr, "/metrics.json").await.json();
    let turns = json["metrics"]["counters"].as_object().expect("counters");
    let total: u64 = turns
        .iter()
        .filter(|(key, _)| key.starts_with("turns["))
        .filter_map(|(_, counter)| counter["value"].as_u64())
        .sum();
    assert_eq!(total, 20_000);
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_says_so() {
    let metrics = manual();
    let server = serve(&metrics).await;
    let again = Endpoint::new(metrics.clone()).listen(server.addr()).serve().await;
    let error = again.expect_err("in use");
    assert!(error.is_in_use());
    assert_eq!(error.addr(), Some(server.addr()));
    let start = format!("cannot listen on {}: ", server.addr());
    assert!(error.to_string().starts_with(&start), "{error}");
}

#[tokio::test]
async fn a_program_with_a_health_of_its_own_leaves_out_that_page() {
    let routes = Router::new().route("/health", axum::routing::get(async || "mine"));
    let both = Endpoint::new(manual()).listen(loopback()).mount(routes.clone());
    let told = both.serve().await.expect_err("two answers").to_string();
    assert!(told.starts_with("a mounted route has the path of one of the pages"), "{told}");
    let chosen = Endpoint::new(manual()).pages(["/metrics", "/metrics"]).expect("a page");
    let server = chosen.mount(routes).listen(loopback()).serve().await.expect("binds");
    assert_eq!(get(server.addr(), "/health").await.text(), "mine");
    assert_eq!(get(server.addr(), "/metrics").await.status, 200);
    let missing = get(server.addr(), "/snapshot").await;
    assert_eq!(missing.json()["error"], "there is no /snapshot: try one of /metrics");
    let told = Endpoint::new(manual()).pages(["/metric"]).expect_err("no page").to_string();
    assert_eq!(
        told,
        "there is no page \"/metric\" to serve: choose from those of `Endpoint::PAGES`"
    );
}

#[tokio::test]
async fn a_mounted_route_that_panics_or_takes_too_long_is_one_answer_lost_and_counted() {
    let metrics = manual();
    let routes = Router::new()
        .route("/panics", axum::routing::get(async || -> &str { panic!("as a bug would") }))
        .route("/hangs", axum::routing::get(async || -> &str { std::future::pending().await }))
        .route("/takes", axum::routing::post(async |body: axum::body::Bytes| body));
    let endpoint = Endpoint::new(metrics.clone()).request_timeout(Duration::from_secs(1));
    let server = endpoint.mount(routes).listen(loopback()).serve().await.expect("binds");
    for (path, status) in [("/panics", 500), ("/hangs", 503), ("/health", 200)] {
        assert_eq!(get(server.addr(), path).await.status, status, "{path}");
        let page = if status == 200 { path } else { "mounted" };
        let tags = [("page", page), ("status", &status.to_string())];
        let counted = metrics.with_tags(&tags).get_counter("metrics.scrape.requests");
        assert_eq!(counted.map(|it| it.value), Some(1), "{path}");
    }
    let large = [("Content-Length", "1000000000000")];
    assert_eq!(with(server.addr(), "POST", "/takes", &large).await.status, 413);
}

#[tokio::test]
async fn the_router_can_be_merged_and_nested_beside_a_fallback() {
    let endpoint = Endpoint::new(manual());
    let app = Router::new()
        .merge(endpoint.router().expect("threads"))
        .nest("/telemetry", endpoint.router().expect("threads"))
        .fallback(|| async { "the application" });
    let app = TowerToHyperService::new(app);
    for (path, content_type) in [
        ("/health", "application/json"),
        ("/telemetry/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/elsewhere", "text/plain; charset=utf-8"),
    ] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = app.call(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["content-type"], content_type);
    }
}
