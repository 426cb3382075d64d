//! The live stream, the history and recordings, read as anyone would read them: as lines of JSON.

mod client;
mod recording;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use serde_json::Value;
use tachograph::MetricsCollector;
use tachograph_history::Settings;
use tachograph_serve::{Endpoint, Server};

use self::client::{Event, Stream, get, json};

/// A collector that is driven by hand, so that a test says what is in a frame.
fn manual() -> MetricsCollector {
    MetricsCollector::builder().publish_every(Duration::from_millis(1)).manual().build()
}

thread_local! {
    /// Of the test that runs on this thread: when it began, and how much time has passed.
    static CLOCK: Cell<(Instant, SystemTime, Duration)> =
        Cell::new((Instant::now(), SystemTime::now(), Duration::ZERO));
}

/// Publishes a snapshot a step after the last.
fn publish(metrics: &MetricsCollector) {
    let (begun, wall, now) = CLOCK.get();
    let now = now + quick().step;
    CLOCK.set((begun, wall, now));
    metrics.run_pass(begun + now, wall + now);
}

/// Frames are looked for often, so that tests do not wait for them.
fn quick() -> Settings {
    Settings { step: Duration::from_millis(2), ..Settings::default() }
}

fn endpoint(metrics: &MetricsCollector) -> Endpoint {
    let addr = SocketAddr::from(([127, 0, 0, 1], 0));
    Endpoint::new(metrics.clone()).listen(addr).program("mixer", "1.2.3").history(quick())
}

async fn serve(metrics: &MetricsCollector) -> Server {
    endpoint(metrics).serve().await.expect("binds")
}

/// What lines say of one counter, by an independent reading of them.
#[derive(Debug, Default)]
struct Read {
    keys: BTreeMap<u64, String>,
    total: i64,
    frames: usize,
}

impl Read {
    fn line(&mut self, kind: &str, line: &Value, counter: &str) {
        let data = &line[kind];
        match kind {
            "series" => {
                let number = data["number"].as_u64().expect("a number");
                let known = self.keys.insert(number, data["key"].as_str().expect("a key").into());
                assert_eq!(known, None, "defined once");
            }
            "frame" => {
                self.frames += 1;
                for entry in data["counters"].as_array().into_iter().flatten() {
                    let key = &self.keys[&entry[0].as_u64().expect("a number")];
                    if key == counter {
                        self.total += entry[1].as_i64().expect("a change");
                    }
                }
            }
            kind => assert_eq!(kind, "meta"),
        }
    }

    fn events<'a>(&mut self, events: impl IntoIterator<Item = &'a Event>, counter: &str) {
        for event in events {
            self.line(&event.kind, &event.data, counter);
        }
    }

    fn lines(text: &str, counter: &str) -> Self {
        let mut read = Self::default();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let kind = line.as_object().and_then(|it| it.keys().next()).expect("one key").clone();
            read.line(&kind, &line, counter);
        }
        read
    }
}

/// Records and reads the frame of it, so that each is in a frame of its own.
async fn count(metrics: &MetricsCollector, stream: &mut Stream, amount: u64) -> Vec<Event> {
    metrics.increment_by("events", amount);
    publish(metrics);
    stream.frame().await
}

#[tokio::test]
async fn a_listener_is_told_everything_in_order_and_once() {
    let metrics = manual();
    metrics.increment_by("events", 1);
    publish(&metrics);
    let server = serve(&metrics).await;
    let mut stream = Stream::open(server.addr(), "/live", "").await;
    assert_eq!(stream.status(), 200);
    assert!(stream.head.contains("content-type: text/event-stream"), "{}", stream.head);
    let mut read = Read::default();
    let first = stream.frame().await;
    assert_eq!(first[0].kind, "meta");
    assert_eq!(first[0].data["meta"]["program"], "mixer");
    assert_eq!(first[0].data["meta"]["step_ms"], 2);
    assert_eq!(first[0].data["meta"]["window_ms"], 60_000);
    read.events(&first, "events");
    let mut last = first.last().expect("a frame").id.expect("an id");
    for amount in 2..=50 {
        if amount == 25 {
            // Defined on its way.
            metrics.with_tags(&[("a", "b")]).increment("late");
        }
        let events = count(&metrics, &mut stream, amount).await;
        read.events(&events, "events");
        let id = events.last().expect("a frame").id.expect("an id");
        assert_eq!(id, last + 1, "one after the other");
        last = id;
    }
    assert_eq!(read.total, (1..=50).sum::<i64>());
    assert!(read.keys.values().any(|key| key == "late[a=b]"));
    // Somebody who comes later is told the same.
    let mut late = Stream::open(server.addr(), "/live?since=1h", "").await;
    let mut again = Read::default();
    while again.total < read.total {
        again.events(&[late.event().await], "events");
    }
    assert_eq!((again.total, again.frames), (read.total, read.frames));
    server.shutdown().await;
    assert_eq!(late.maybe_event().await, None, "the stream ends, it is not cut");
}

#[tokio::test]
async fn a_listener_that_comes_back_goes_on_after_the_last_frame() {
    let metrics = manual();
    let server = serve(&metrics).await;
    let mut stream = Stream::open(server.addr(), "/live?since=0", "").await;
    let mut ids = Vec::new();
    for amount in 1..=20 {
        let events = count(&metrics, &mut stream, amount).await;
        ids.push(events.last().and_then(|event| event.id).expect("an id"));
    }
    let resume = format!("Last-Event-ID: {}\r\n", ids[14]);
    let mut back = Stream::open(server.addr(), "/live", &resume).await;
    let mut read = Read::default();
    for id in &ids[15..] {
        let events = back.frame().await;
        assert_eq!(events.last().and_then(|event| event.id), Some(*id));
        read.events(&events, "events");
    }
    assert_eq!(read.total, (16..=20).sum::<i64>());
    // One of another process, or of none, gets what somebody gets who comes for the first time.
    for id in ["0", "7", "18446744073709551615", "x", "-1"] {
        let mut new =
            Stream::open(server.addr(), "/live", &format!("Last-Event-ID: {id}\r\n")).await;
        let mut read = Read::default();
        while read.total < (1..=20).sum() {
            read.events(&new.frame().await, "events");
        }
    }
}

/// A gauge's value in a frame, by its key.
fn gauge(events: &[Event], key: &str) -> Option<f64> {
    let series = events.iter().find(|it| it.data["series"]["key"] == key)?;
    let number = &series.data["series"]["number"];
    let frame = &events.last()?.data["frame"];
    let entry = frame["gauges"].as_array()?.iter().find(|it| it[0] == *number)?;
    entry[1]["current"].as_f64()
}

#[tokio::test]
async fn whoever_comes_late_is_told_the_gauges_that_were_set_before() {
    let metrics = manual();
    // Single frames of the last few steps.
    let settings = Settings { fine: Duration::from_millis(8), ..quick() };
    let server = endpoint(&metrics).history(settings).serve().await.expect("binds");
    let mut first = Stream::open(server.addr(), "/live?since=0", "").await;
    metrics.gauge("viewers", 3.0);
    let mut end_ms = 0.0;
    for amount in 1..=30 {
        let events = count(&metrics, &mut first, amount).await;
        end_ms = events[events.len() - 1].data["frame"]["end_ms"].as_f64().expect("a time");
    }
    for since in ["0", "4ms", "20ms"] {
        let mut late = Stream::open(server.addr(), &format!("/live?since={since}"), "").await;
        let mut events = Vec::new();
        while events.last().is_none_or(|event: &Event| event.kind != "frame") {
            events.push(late.event().await);
        }
        assert_eq!(gauge(&events, "viewers"), Some(3.0), "since {since}");
    }
    let from = (end_ms - 20.0) / 1e3;
    let (status, past) = get(server.addr(), &format!("/history?from={from:.3}")).await;
    assert_eq!(status, 200);
    let lines = past.lines().map(|it| serde_json::from_str::<Value>(it).expect("JSON"));
    let lines: Vec<_> = lines.map(|data| Event { kind: String::new(), id: None, data }).collect();
    let begin = lines.iter().position(|it| !it.data["frame"].is_null()).expect("a frame");
    assert_eq!(gauge(&lines[..=begin], "viewers"), Some(3.0));
}

#[tokio::test]
async fn a_listener_that_does_not_keep_up_is_told_how_many_frames_it_lost() {
    let metrics = manual();
    // A millisecond of single frames is the last one.
    let settings = Settings { fine: Duration::from_millis(1), ..quick() };
    let server = endpoint(&metrics).history(settings).serve().await.expect("binds");
    let mut good = Stream::open(server.addr(), "/live?since=0", "").await;
    let first = count(&metrics, &mut good, 1).await.last().and_then(|it| it.id).expect("an id");
    for amount in 2..=30 {
        count(&metrics, &mut good, amount).await;
    }
    let resume = format!("Last-Event-ID: {first}\r\n");
    let mut late = Stream::open(server.addr(), "/live", &resume).await;
    assert_eq!(late.event().await.kind, "meta");
    let lost = late.event().await;
    assert_eq!((&*lost.kind, lost.id), ("lost", None));
    let lost = lost.data["frames"].as_u64().expect("a number");
    let next = late.frame().await.last().and_then(|it| it.id).expect("an id");
    assert_eq!(first + lost + 1, next);
    assert_eq!(lost, 28, "all between the first and the last");
    assert_eq!(metrics.get_counter("metrics.live.lost").map(|it| it.value), Some(lost.into()));
}

#[tokio::test]
async fn history_answers_with_what_was_recorded_in_whatever_steps() {
    let metrics = manual();
    let server = serve(&metrics).await;
    let mut stream = Stream::open(server.addr(), "/live?since=0", "").await;
    // The first pass after the collector was made is late.
    count(&metrics, &mut stream, 0).await;
    for amount in 1..=100 {
        metrics.timing("turn", Duration::from_millis(amount));
        count(&metrics, &mut stream, amount).await;
    }
    let addr = server.addr();
    let (status, whole) = get(addr, "/history").await;
    assert_eq!(status, 200);
    let read = Read::lines(&whole, "events");
    assert_eq!(read.total, 5_050);
    assert!(read.frames >= 100, "{} frames", read.frames);
    let (_, one) = get(addr, "/history?step=1h").await;
    let merged = Read::lines(&one, "events");
    // Nothing is merged with a frame that has a mark.
    assert_eq!(merged.total, 5_050);
    assert!(merged.frames <= 3, "{} frames", merged.frames);
    // Independent of any code of ours: the median of 1 to 100 ms, in a bucket of 9 %.
    let frame: Value = serde_json::from_str(one.lines().last().expect("a frame")).expect("JSON");
    let (number, _) = merged.keys.iter().find(|(_, key)| *key == "turn").expect("defined");
    let timings = frame["frame"]["timings"].as_array().expect("timings");
    let turn = &timings.iter().find(|it| it[0] == *number).expect("the timing")[1];
    assert_eq!(turn["count"], 100);
    let mut below = 0;
    let buckets = turn["buckets"].as_array().expect("buckets");
    let median = buckets.iter().find(|bucket| {
        below += bucket[1].as_i64().expect("a count");
        below >= 50
    });
    let index = median.and_then(|bucket| bucket[0].as_i64()).expect("an index");
    let upper = 2f64.powf(index as f64 / 8.0);
    assert!((0.050..=0.050 * 1.0906).contains(&upper), "{upper}");
    // Nothing of the future, everything of the last hour.
    assert_eq!(
        Read::lines(&get(addr, "/history?from=-1h&to=99999999999").await.1, "events").total,
        5_050
    );
    assert_eq!(Read::lines(&get(addr, "/history?from=99999999999").await.1, "events").frames, 0);
    for (query, told) in [
        ("from=20&to=10", "/history: `from` must be before `to`"),
        ("step=often", "/history: step=often is not a valid duration: write 90, 30s, 10m or 2h"),
    ] {
        let (status, body) = get(addr, &format!("/history?{query}")).await;
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((status, body["error"].as_str()), (400, Some(told)));
    }
    assert_eq!(get(addr, "/live?since=never").await.0, 400);
}

#[tokio::test]
async fn listeners_take_no_connection_from_scrapers() {
    let metrics = manual();
    let server = endpoint(&metrics).connections_max(2).serve().await.expect("binds");
    let mut listeners = Vec::new();
    for _ in 0..8 {
        listeners.push(Stream::open(server.addr(), "/live?since=0", "").await);
    }
    for _ in 0..4 {
        assert_eq!(get(server.addr(), "/health").await.0, 200);
    }
    metrics.increment_by("events", 7);
    publish(&metrics);
    for listener in &mut listeners {
        let mut read = Read::default();
        while read.total == 0 {
            read.events(&listener.frame().await, "events");
        }
        assert_eq!(read.total, 7);
    }
    assert_eq!(metrics.get_gauge("metrics.live.listeners").and_then(|it| it.current), Some(8.0));
    let health = Stream::open(server.addr(), "/health", "Connection: close\r\n").await;
    assert_eq!(health.status(), 200);
    drop(listeners);
    while metrics.get_gauge("metrics.live.listeners").and_then(|it| it.current) != Some(0.0) {
        metrics.increment("events");
        publish(&metrics);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn the_doctor_tells_of_the_newest_frame() {
    let metrics = MetricsCollector::builder()
        .publish_every(Duration::from_millis(1))
        .series_per_metric(10)
        .manual()
        .build();
    let server = serve(&metrics).await;
    let mut stream = Stream::open(server.addr(), "/live?since=0", "").await;
    for n in 0..20 {
        metrics.with_tags(&[("n", &*n.to_string())]).increment("tagged");
    }
    let events = count(&metrics, &mut stream, 1).await;
    let version = events.last().expect("a frame").data["frame"]["version"].clone();
    let said = json(server.addr(), "/doctor").await;
    assert_eq!(said["snapshot_version"], version);
    assert!(said["at"].as_f64().is_some_and(|at| at > 1.7e9));
    let findings = said["findings"].as_array().expect("a list");
    let order =
        |it: &Value| ["bad", "warning", "note"].iter().position(|name| it["severity"] == **name);
    assert!(findings.iter().map(order).is_sorted(), "worst first: {findings:?}");
    assert!(findings.iter().all(|it| order(it).is_some()));
    let about = |it: &&Value| it["series"] == "tagged[overflow=true]";
    let found = findings.iter().find(about);
    let found = found.unwrap_or_else(|| panic!("the limit is told: {findings:?}"));
    for text in ["title", "detail", "advice"] {
        assert!(found[text].as_str().is_some_and(|text| text.len() > 5), "{found}");
    }
}

/// A text inside a report.
fn inside(html: &str, name: &str) -> String {
    let begin = format!("<script type=\"application/gzip\" id=\"{name}\">");
    let packed =
        html.split_once(&begin).expect("it is there").1.split_once('<').expect("its end").0;
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).expect("base 64");
    let text = zune_inflate::DeflateDecoder::new(&bytes).decode_gzip().expect("gzip");
    String::from_utf8(text).expect("text")
}

fn frame_lines(lines: &str) -> impl Iterator<Item = &str> {
    lines.lines().filter(|it| it.starts_with("{\"frame\""))
}

#[tokio::test]
async fn a_report_is_one_file_with_all_that_history_tells() {
    let metrics = manual();
    let server = serve(&metrics).await;
    let mut stream = Stream::open(server.addr(), "/live?since=0", "").await;
    for _ in 0..30 {
        count(&metrics, &mut stream, 7).await;
    }
    let (status, html) = get(server.addr(), "/report").await;
    assert_eq!(status, 200);
    let (_, history) = get(server.addr(), "/history?from=0&step=0").await;
    let frames = |text: &str| frame_lines(text).map(str::to_owned).collect::<Vec<_>>();
    let held = inside(&html, "recording");
    assert!(frames(&held).len() > 5 && frames(&held) == frames(&history));
    let facts: Value = serde_json::from_str(&inside(&html, "report")).expect("JSON");
    assert_eq!(facts["run"]["meta"]["program"], "mixer");
    assert_eq!(facts["run"]["frames"], frames(&history).len());
    assert!(facts["doctor"]["findings"].is_array() && facts["alerts"].is_null());
}

#[tokio::test]
async fn a_report_of_a_range_has_its_frames_and_no_others() {
    let metrics = manual();
    let server = serve(&metrics).await;
    let mut stream = Stream::open(server.addr(), "/live?since=0", "").await;
    for _ in 0..10 {
        count(&metrics, &mut stream, 7).await;
    }
    let (_, history) = get(server.addr(), "/history").await;
    let ends: Vec<u64> = frame_lines(&history)
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            line["frame"]["end_ms"].as_u64().expect("a time")
        })
        .collect();
    let (from, to) = (ends[2], ends[6]);
    let at = |ms: u64| format!("{}.{:03}", ms / 1_000, ms % 1_000);
    let range = format!("from={}&to={}", at(from), at(to));
    let (status, html) = get(server.addr(), &format!("/report?{range}")).await;
    assert_eq!(status, 200);
    let held = inside(&html, "recording");
    let (_, wanted) = get(server.addr(), &format!("/history?{range}")).await;
    assert_eq!(frame_lines(&held).collect::<Vec<_>>(), frame_lines(&wanted).collect::<Vec<_>>());
    let inside_range = ends.iter().filter(|end| (from + 1..=to).contains(*end));
    assert_eq!(frame_lines(&held).count(), inside_range.count());
    let (status, told) = get(server.addr(), "/report?from=yesterday").await;
    assert!(status == 400 && told.contains("/report: from=yesterday"), "{told}");
    let (status, told) = get(server.addr(), "/report?from=5&to=6").await;
    assert!(status == 404 && told.contains("nothing was recorded"), "{told}");
}

#[tokio::test]
async fn without_a_history_there_is_nothing_of_it() {
    let addr = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Endpoint::new(manual()).listen(addr).serve().await.expect("binds");
    for (path, is) in Endpoint::HISTORY_PAGES {
        assert!(!is.is_empty());
        assert_eq!(get(server.addr(), path).await.0, 404, "{path}");
    }
    let chosen = endpoint(&manual()).pages(["/history", "/doctor"]).expect("pages");
    let server = chosen.serve().await.expect("binds");
    assert_eq!(get(server.addr(), "/doctor").await.0, 200);
    assert_eq!(get(server.addr(), "/live").await.0, 404);
}
