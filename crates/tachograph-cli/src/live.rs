//! Follows a program's live stream and reconnects when the connection is lost.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use tachograph_history::{Frame, Line};
use tokio::time::{sleep, timeout};

use crate::failure::Failure;
use crate::http::Endpoint;
use crate::sse::{Event, Events};

/// A connection that is silent for this long is lost: the server sends something at least every 15
/// s.
const SILENCE: Duration = Duration::from_secs(40);

/// The pauses before further attempts to connect; the last one repeats.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// What [`follow`] reports.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// The connection is made.
    Connected,
    /// A line of the history.
    Line(Box<Line>),
    /// The server skipped this many frames, because this program did not keep up.
    Missed(u64),
    /// The connection was lost; the next attempt follows after the pause.
    Lost { reason: String, pause: Duration },
}

/// Follows the stream, and reconnects when it is lost, until `tell` returns `false`. `query` is that
/// of the first connection; later ones ask for what came after the last event.
///
/// # Errors
/// If the first connection fails: the address is probably wrong.
pub(crate) async fn follow(
    endpoint: &Endpoint,
    query: &str,
    mut tell: impl FnMut(News) -> bool,
) -> Result<(), Failure> {
    let mut stream = Stream { endpoint, query, last: None, failures: 0 };
    let mut was_connected = false;
    loop {
        let lost = stream.read(|news| {
            was_connected |= matches!(news, News::Connected);
            tell(news)
        });
        match lost.await {
            Ok(()) => return Ok(()),
            Err(failure) if !was_connected => return Err(failure),
            Err(failure) => {
                let pause = PAUSES[stream.failures.min(PAUSES.len() - 1)];
                stream.failures += 1;
                if !tell(News::Lost { reason: failure.to_string(), pause }) {
                    return Ok(());
                }
                sleep(pause).await;
            }
        }
    }
}

struct Stream<'a> {
    endpoint: &'a Endpoint,
    query: &'a str,
    /// The id of the last event.
    last: Option<HeaderValue>,
    /// Failed connections since the last frame.
    failures: usize,
}

impl Stream<'_> {
    /// Reads one connection to its end. Ok: `tell` returned `false`.
    async fn read(&mut self, mut tell: impl FnMut(News) -> bool) -> Result<(), Failure> {
        let mut headers = HeaderMap::new();
        if let Some(last) = &self.last {
            headers.insert("last-event-id", last.clone());
        }
        // After a restart, the program does not know that event: all that it has is new.
        let query = if self.last.is_some() { "" } else { self.query };
        let mut body = self.endpoint.stream(&format!("/live{query}"), headers).await?;
        if !tell(News::Connected) {
            return Ok(());
        }
        let lost = |reason: &str| Failure::Failed(reason.to_owned());
        let mut events = Events::default();
        // The gauges before the first frame, which is told with them.
        let mut standing: Option<Frame> = None;
        loop {
            let piece = match timeout(SILENCE, body.frame()).await {
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(error))) => return Err(lost(&error.to_string())),
                Ok(None) => return Err(lost("the program closed the connection")),
                Err(_) => return Err(lost("nothing arrived for 40 s")),
            };
            let Ok(piece) = piece.into_data() else { continue };
            let whole =
                events.take(&piece).ok_or_else(|| lost("the answer is not an event stream"))?;
            for event in whole {
                if let Some(id) = &event.id {
                    self.last = HeaderValue::from_str(id).ok();
                }
                let mut news = read(&event).map_err(|reason| lost(&reason))?;
                if let News::Line(line) = &mut news
                    && let Line::Frame(frame) = &mut **line
                {
                    self.failures = 0;
                    if frame.is_standing() {
                        standing = Some(std::mem::take(frame));
                        continue;
                    }
                    if let Some(mut begin) = standing.take() {
                        begin.append(frame);
                        *frame = begin;
                    }
                }
                if !tell(news) {
                    return Ok(());
                }
            }
        }
    }
}

fn read(event: &Event) -> Result<News, String> {
    let wrong = |error: serde_json::Error| format!("cannot parse an event: {error}");
    if event.name == "lost" {
        let lost: Lost = serde_json::from_str(&event.data).map_err(wrong)?;
        return Ok(News::Missed(lost.frames));
    }
    serde_json::from_str(&event.data).map(|line| News::Line(Box::new(line))).map_err(wrong)
}

#[derive(serde::Deserialize)]
struct Lost {
    frames: u64,
}
