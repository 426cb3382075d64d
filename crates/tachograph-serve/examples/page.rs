//! The page with something to see: `cargo run --features alerts --example page -- 9464 1000` serves
//! a program that handles events, with a thousand more series beside its own, at
//! http://127.0.0.1:9464/. With `idle` after that it records nothing, and with `odd` also what no
//! program should: hostile names, values that are no numbers.
#![allow(clippy::print_stdout, reason = "a program that is started by hand")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use std::{env, thread};

use serde_json::{Value, json};
use tachograph::{MetricsCollector, Snapshot, Unit};
use tachograph_history::Settings;
use tachograph_serve::{Alerts, Endpoint};

/// One is pending and then fires within seconds, the other in the time of trouble.
const RULES: &str = r#"
[[rule]]
name = "ManyEvents"
metric = "events.processed"
statistic = "rate"
last = "10s"
op = ">"
threshold = 100
for = "3s"
message = "{value} events a second"

[[rule]]
name = "HighLatency"
metric = "event.processing.duration"
statistic = "p95"
last = "10s"
op = ">"
threshold = "1ms"
for = "3s"
severity = "critical"
message = "p95 of event processing is {value}, above {threshold}"
"#;

const STEP: Duration = Duration::from_millis(10);
const TYPES: [&str; 4] =
    ["/live/track/volume", "/live/track/pan", "/live/clip/fire", "/live/tempo"];

/// A latency in nanoseconds, mostly near `middle`, now and then far above.
fn latency(random: &mut fastrand::Rng, middle: f64) -> Duration {
    let spread = random.f64() + random.f64() + random.f64() - 1.5;
    let rare = if random.u32(0..400) == 0 { 20.0 } else { 1.0 };
    Duration::from_nanos((middle * spread.exp() * rare) as u64)
}

/// What the program does in one step of time.
fn work(metrics: &MetricsCollector, random: &mut fastrand::Rng, series: usize, step: u64) {
    // Half a minute of trouble every three minutes.
    let is_slow = step % 18_000 > 9_000 && step % 18_000 < 12_000;
    for _ in 0..random.usize(8..16) {
        let middle = if is_slow && random.u32(0..5) == 0 { 2e6 } else { 9_000.0 };
        let took = latency(random, middle);
        metrics.increment("udp.packet.received");
        metrics.increment("events.received");
        metrics.increment("events.processed");
        metrics.timing("event.processing.duration", took);
        let kind = TYPES[random.usize(..TYPES.len())];
        metrics.with_tags(&[("event_type", kind)]).timing("event.processing.duration", took);
        metrics.timing("udp.queue.delay", latency(random, 30_000.0));
        metrics.increment(if random.u32(0..8) > 0 { "cache.hit" } else { "cache.miss" });
    }
    metrics.increment_by("websocket.broadcast.success", 3);
    metrics.gauge("websocket.clients", f64::from(2 + (step / 3_000) as u32 % 3));
    metrics.gauge("udp.queue.depth", random.f64() * 20.0);
    if random.u32(0..2_000) == 0 {
        metrics.increment("udp.packet.dropped");
    }
    // Each of the others once a second.
    for number in (0..series).filter(|number| number % 100 == (step % 100) as usize) {
        let number_text = format!("{number:05}");
        let tagged = [("n", number_text.as_str())];
        match number % 2 {
            0 => metrics.with_tags(&tagged).increment_by("load.count", 1 + number as u64 % 7),
            _ => metrics.with_tags(&tagged).timing("load.duration", latency(random, 50_000.0)),
        }
    }
}

/// Names, tags and values that a page could stumble over.
fn work_oddly(metrics: &MetricsCollector, step: u64) {
    let long = "a.name.that.does.not.end.".repeat(8);
    let names = [
        "<img src=x onerror=alert(1)>",
        "זמן.תגובה",
        "🔥.temperature",
        "a&b \"c\" %41/?#",
        long.as_str(),
    ];
    for name in names {
        metrics.increment(name);
        metrics.with_tags(&[("<b>", name), ("path", "/a/b?c=d&e#f")]).increment(name);
        metrics.timing(&format!("{name} took"), Duration::from_nanos(1 << (step % 40)));
    }
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, -0.0];
    metrics.gauge("odd.value", values[step as usize % values.len()]);
    for (number, value) in values.into_iter().enumerate() {
        metrics.gauge(&format!("odd.value.{number}"), value);
    }
}

/// The window's quantiles of a timing in milliseconds, for `/summary`.
fn summary(snapshot: &Snapshot) -> Value {
    let timing = snapshot.total("event.processing.duration");
    let window = timing.as_ref().and_then(|it| it.as_timing()?.window.as_ref());
    let ms = |quantile: Option<f64>| quantile.unwrap_or_default() * 1e3;
    let latency =
        window.map(|it| json!({ "p50": ms(it.p50), "p95": ms(it.p95), "p99": ms(it.p99) }));
    json!({
        "snapshot_version": snapshot.version(),
        "event_processing": { "latency_ms": latency },
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let port = arguments.next().map_or(Ok(9464), |it| it.parse())?;
    let series = arguments.next().map_or(Ok(0), |it| it.parse())?;
    let kind = arguments.next().unwrap_or_default();
    let metrics = MetricsCollector::builder()
        .max_series(1_000 + 2 * series)
        .series_per_metric(1_000 + series)
        .build();
    metrics.describe("udp.queue.depth", Unit::None, "Packets that wait in the socket.");
    let rules = tachograph_alert::parse(RULES)?;
    let endpoint = Endpoint::new(metrics.clone())
        .listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .program("example", env!("CARGO_PKG_VERSION"))
        .summary(summary)
        .history(Settings::default())
        .alerts(Alerts::new(rules));
    let server = endpoint.spawn()?;
    println!("the page is at http://{}/", server.addr());
    let mut random = fastrand::Rng::with_seed(1);
    for step in 0.. {
        if kind != "idle" {
            work(&metrics, &mut random, series, step);
        }
        if kind == "odd" {
            work_oddly(&metrics, step);
        }
        thread::sleep(STEP);
    }
    Ok(())
}
