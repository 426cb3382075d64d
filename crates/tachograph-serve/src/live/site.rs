//! The history of an endpoint: its threads, and the answers of its routes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::Serialize;
use serde_json::Value;
use tachograph::{MetricsCollector, Snapshot};
use tachograph_history::{FORMAT, History, Meta, Settings, doctor};
use tokio::sync::Semaphore;

use crate::bounds::{LONGEST, bounded};
use crate::error::Error;
use crate::live::feed::Feed;
use crate::live::lines::Lines;
use crate::live::listener::Listener;
use crate::live::past;
use crate::live::query::{self, Range};
use crate::live::recorder::Recorder;
use crate::live::recording::Recording;
use crate::live::report;
use crate::live::seat::Seat;
use crate::pages::answer::Answer;
use crate::pages::reply::{error, to_json};
use crate::pages::scrapes::Scrapes;
use crate::thread::Worker;

/// The maximum number of listeners.
pub(crate) const LISTENERS_MAX: usize = 1_024;

/// How much of the past a listener gets by default.
const SINCE: Duration = Duration::from_secs(600);

/// The value of `Retry-After` for who was refused, in seconds.
const TRY_AGAIN: HeaderValue = HeaderValue::from_static("10");

/// The settings of an endpoint's history.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) file: Option<PathBuf>,
}

impl Plan {
    /// Adjusts the step to the collector: there is nothing new more often than that.
    pub(crate) fn fitted(&self, metrics: &MetricsCollector) -> Self {
        let least = metrics.publish_every().max(Duration::from_millis(1));
        let step = bounded(self.settings.step, least.min(LONGEST));
        Self { settings: Settings { step, ..self.settings }, file: self.file.clone() }
    }
}

/// A program's name in streams and recordings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// A history that is being recorded.
#[derive(Debug)]
pub(crate) struct Live {
    scrapes: Arc<Scrapes>,
    meta: Meta,
    lines: Arc<Lines>,
    recorder: Worker<Recorder>,
    recording: Option<Recording>,
    /// Does slow writing, and keeps the doctor's last findings with their snapshot's version.
    pub(crate) writer: Worker<Option<(u64, Vec<doctor::Finding>)>>,
    places: Arc<Semaphore>,
    /// A report keeps the writer busy for long, so there is one at a time.
    reporting: Arc<Semaphore>,
}

/// The answer of `/doctor`.
#[derive(Serialize)]
struct Diagnosis {
    snapshot_version: u64,
    at: f64,
    findings: Vec<doctor::Finding>,
}

impl Live {
    /// # Errors
    /// If a thread cannot be started, or the recording cannot be made.
    pub(crate) fn start(
        plan: &Plan,
        program: &Program,
        metrics: &MetricsCollector,
        scrapes: &Arc<Scrapes>,
        mut feeds: Vec<Feed>,
        listeners_max: usize,
    ) -> Result<Self, Error> {
        let settings = plan.settings;
        let now = milliseconds(SystemTime::now());
        let meta = meta(program, &metrics.snapshot(), settings.step);
        // Numbers continue after a restart, because a frame takes at least a millisecond.
        let lines = Arc::new(Lines::new(&meta, now, settings.bytes));
        let record = |file: &PathBuf| {
            Recording::start(file, &meta).map_err(|reason| Error::recording(file, reason))
        };
        let (recording, feed) = plan.file.as_ref().map(record).transpose()?.unzip();
        feeds.extend(feed);
        let recorder = Recorder {
            metrics: metrics.clone(),
            scrapes: Arc::clone(scrapes),
            history: History::new(settings),
            lines: Arc::clone(&lines),
            feeds,
        };
        let (name, step) = ("tachograph-frames", settings.step);
        Ok(Self {
            scrapes: Arc::clone(scrapes),
            meta,
            lines,
            recording,
            recorder: Worker::paced(name, recorder, step, Recorder::frame)
                .map_err(Error::thread)?,
            writer: Worker::start("tachograph-history", None).map_err(Error::thread)?,
            places: Arc::new(Semaphore::new(listeners_max)),
            reporting: Arc::new(Semaphore::new(1)),
        })
    }

    /// Ends all streams.
    pub(crate) fn end(&self) {
        self.lines.end();
    }

    /// `GET /live`
    pub(crate) async fn listen(
        &self,
        query: &str,
        headers: &HeaderMap,
        seat: Option<Seat>,
    ) -> Response {
        let since = match query::span(query, "since") {
            Ok(since) => since.unwrap_or(SINCE),
            Err(reason) => return error(StatusCode::BAD_REQUEST, &format!("/live: {reason}")),
        };
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else {
            return busy("too many listeners: try again later");
        };
        let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
        let resumed = last.and_then(|number| self.lines.after(number));
        let begin = match resumed {
            Some(place) => Some((Vec::new(), place)),
            None => self.recorder.run(move |recorder| recorder.begin(since)).await,
        };
        let Some(begin) = begin else { return bug() };
        if let Some(seat) = seat {
            seat.leave();
        }
        let scrapes = Arc::clone(&self.scrapes);
        let listener = Listener::new(Arc::clone(&self.lines), begin, scrapes, permit);
        let told = unfold(listener, async |mut listener| {
            let text = listener.next().await?;
            Some((Ok::<_, std::convert::Infallible>(text), listener))
        });
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
            // The connection has given its place back, so it cannot serve further requests.
            (CONNECTION, HeaderValue::from_static("close")),
        ];
        (headers, Body::from_stream(told)).into_response()
    }

    /// `GET /history`
    pub(crate) async fn past(self: &Arc<Self>, query: &str, within: Duration) -> Response {
        let Range { from, to, step } = match Range::read(query, SystemTime::now()) {
            Ok(range) => range,
            Err(reason) => return error(StatusCode::BAD_REQUEST, &format!("/history: {reason}")),
        };
        let range = self.recorder.run(move |recorder| recorder.range(from, to)).await;
        let Some((frames, definitions)) = range else { return bug() };
        let lines = past::lines(&self.meta, frames, definitions, step);
        let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))];
        (headers, past::body(Arc::clone(self), lines, within)).into_response()
    }

    /// `GET /doctor`
    pub(crate) async fn doctor(&self) -> Response {
        let history = self.recorder.run(|recorder| recorder.history.clone()).await;
        let Some(history) = history else { return bug() };
        let version = history.newest().map_or(0, |frame| frame.version);
        let at = history.newest().map_or(0, |frame| frame.end_ms) as f64 / 1e3;
        let found = self.writer.run(move |last| {
            if let Some((_, found)) = last.as_ref().filter(|(of, _)| *of == version) {
                return found.clone();
            }
            last.insert((version, doctor::findings(&history))).1.clone()
        });
        let Some(found) = found.await else { return bug() };
        let mut findings: Vec<_> = self.recording.iter().filter_map(Recording::finding).collect();
        findings.extend(found);
        findings.sort_by_key(|finding| finding.severity);
        to_json(StatusCode::OK, &Diagnosis { snapshot_version: version, at, findings })
    }

    /// Why the recording has ended, if it has.
    pub(crate) fn recording_ended(&self) -> Option<String> {
        self.recording.as_ref().and_then(Recording::ended)
    }
}

impl Live {
    /// `GET /report`
    pub(crate) async fn report(
        &self,
        query: &str,
        alerts: Option<Value>,
        within: Duration,
    ) -> Response {
        let range = match Range::read(query, SystemTime::now()) {
            Ok(range) => range,
            Err(reason) => return error(StatusCode::BAD_REQUEST, &format!("/report: {reason}")),
        };
        let Ok(permit) = Arc::clone(&self.reporting).try_acquire_owned() else {
            return busy("another report is being written: try again later");
        };
        let history = self.recorder.run(|recorder| recorder.history.clone()).await;
        let Some(history) = history else { return bug() };
        let end = history.newest().map_or(SystemTime::UNIX_EPOCH, |newest| newest.end());
        let meta = self.meta.clone();
        let html = self.writer.run(move |_| {
            let html = report::html(&meta, &history, range, alerts.as_ref());
            drop(permit);
            html
        });
        let Some(html) = html.await else { return bug() };
        let nothing =
            "/report: nothing was recorded in that time; GET /history tells what there is";
        let Some(html) = html else { return error(StatusCode::NOT_FOUND, nothing) };
        let name = format!(
            "attachment; filename=\"{}\"",
            report::file_name(&self.meta, end.min(range.to))
        );
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            // Letters, digits and a few signs: always a value.
            (CONTENT_DISPOSITION, HeaderValue::from_str(&name).unwrap_or(ATTACHMENT)),
        ];
        (headers, Body::new(Answer::new(html.into(), within))).into_response()
    }
}

const ATTACHMENT: HeaderValue = HeaderValue::from_static("attachment");

/// Refuses a request for now.
fn busy(told: &str) -> Response {
    let mut refused = error(StatusCode::SERVICE_UNAVAILABLE, told);
    refused.headers_mut().insert(RETRY_AFTER, TRY_AGAIN);
    refused
}

fn bug() -> Response {
    let told = "the page could not be written: this is a bug, please report it";
    error(StatusCode::INTERNAL_SERVER_ERROR, told)
}

fn meta(program: &Program, snapshot: &Snapshot, step: Duration) -> Meta {
    let started = snapshot.timestamp().checked_sub(snapshot.uptime());
    let whole = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Meta {
        format: FORMAT,
        program: program.name.clone(),
        version: program.version.clone(),
        started_ms: milliseconds(started.unwrap_or(SystemTime::UNIX_EPOCH)),
        step_ms: whole(step),
        window_ms: snapshot.window_span().map(whole),
    }
}

/// Milliseconds since 1970; 0 for earlier times.
fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn while_a_report_is_written_others_are_refused_and_told_when_to_come_back() {
        let metrics = MetricsCollector::builder().manual().build();
        metrics.increment("events");
        metrics.run_pass(std::time::Instant::now(), SystemTime::now());
        let (plan, program) = (Plan::default(), Program::default());
        let scrapes = Arc::new(Scrapes::new(&metrics));
        let live = Live::start(&plan, &program, &metrics, &scrapes, Vec::new(), 1);
        let live = Arc::new(live.expect("threads start"));
        live.recorder.run(|recorder| recorder.frame()).await.expect("a frame");
        let report = |live: &Arc<Live>| {
            let live = Arc::clone(live);
            async move { live.report("", None, Duration::from_secs(60)).await }
        };
        // What writes reports waits for this test.
        let ((go_on, wait), (holds, held)) = (sync_channel::<()>(0), oneshot::channel());
        let writer = Arc::clone(&live);
        let hold = move |_: &mut _| {
            holds.send(()).expect("the test waits");
            wait.recv().expect("the test goes on");
        };
        let holding = tokio::spawn(async move { writer.writer.run(hold).await });
        held.await.expect("it runs");
        let first = tokio::spawn(report(&live));
        while live.reporting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..3 {
            let refused = report(&live).await;
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(refused.headers().get(RETRY_AFTER), Some(&TRY_AGAIN));
        }
        go_on.send(()).expect("it waits");
        holding.await.expect("not cancelled").expect("it does not panic");
        assert_eq!(first.await.expect("answered").status(), StatusCode::OK);
        assert_eq!(report(&live).await.status(), StatusCode::OK, "its place is free again");
        let never = live.report("from=5&to=6", None, Duration::from_secs(60)).await;
        assert_eq!(never.status(), StatusCode::NOT_FOUND);
        assert_eq!(report(&live).await.status(), StatusCode::OK, "in any case");
    }
}
