//! Answers queries over HTTP: a few at a time, on threads where they may take their time, with
//! limits on memory and waiting. Metrics and health do not go through here and never wait for a
//! query.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::error::Error;

/// Queries answered at a time: each may hold a copy of much of the set.
const RUNNING: usize = 2;
/// Queries that may wait. This leaves most of 256 connections to metrics and health.
const WAITING: usize = 32;
/// How long a query may wait and run.
const PATIENCE: Duration = Duration::from_secs(10);
/// After how many seconds to try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
const KIB: usize = 1 << 10;

/// An answer: JSON, or the reason why there is none.
pub(crate) type Answer = Result<Vec<u8>, Refusal>;

/// Schedules queries.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    /// In KiB, because a semaphore counting bytes would hit its maximum.
    memory: Arc<Semaphore>,
    memory_kib: u32,
    patience: Duration,
}

impl Pool {
    /// Answers that clients have not yet read take at most this many bytes; a larger one is
    /// produced if there is no other.
    pub(crate) fn new(answers_bytes: usize) -> Self {
        let memory_kib = u32::try_from(answers_bytes.div_ceil(KIB)).unwrap_or(u32::MAX);
        let memory_kib = memory_kib.clamp(1, Semaphore::MAX_PERMITS.try_into().unwrap_or(u32::MAX));
        Self {
            places: Arc::new(Semaphore::new(RUNNING + WAITING)),
            turns: Arc::new(Semaphore::new(RUNNING)),
            memory: Arc::new(Semaphore::new(memory_kib as usize)),
            memory_kib,
            patience: PATIENCE,
        }
    }

    /// Answers a query when its turn comes. If this is dropped because the client has left, the
    /// query stops at its next check.
    pub(crate) async fn answer(
        &self,
        work: impl FnOnce(&Asker<'_>) -> Answer + Send + 'static,
    ) -> Response {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Refusal::busy("too many queries wait already").into_response();
        };
        match timeout(self.patience, self.run(place, work)).await {
            Ok(Ok(body)) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Ok(Err(refusal)) => refusal.into_response(),
            Err(_) => Refusal::busy("the query took too long").into_response(),
        }
    }

    async fn run(
        &self,
        place: OwnedSemaphorePermit,
        work: impl FnOnce(&Asker<'_>) -> Answer + Send + 'static,
    ) -> Result<Bytes, Refusal> {
        let failed = |told: &dyn fmt::Display| {
            Refusal::bug(format!("the query failed, which is a bug: {told}"))
        };
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|it| failed(&it))?;
        let (asker, answered) = oneshot::channel();
        let pool = self.clone();
        spawn_blocking(move || {
            let answer = work(&Asker(&asker)).and_then(|json| pool.hold(json));
            drop((turn, place));
            // Err: nobody waits for it any more.
            let _ = asker.send(answer);
        });
        answered.await.map_err(|_| failed(&"it has panicked"))?
    }

    /// Counts an answer's memory until its client has read it.
    fn hold(&self, json: Vec<u8>) -> Result<Bytes, Refusal> {
        let kib = u32::try_from(json.capacity().div_ceil(KIB)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.memory).try_acquire_many_owned(kib.min(self.memory_kib));
        let permit = permit.map_err(|_| {
            Refusal::busy("answers that clients are slow to read take all memory there is for them")
        })?;
        Ok(Bytes::from_owner(Held { json, _permit: permit }))
    }
}

struct Held {
    json: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}

/// A waiting client.
#[derive(Debug)]
pub(crate) struct Asker<'a>(&'a oneshot::Sender<Result<Bytes, Refusal>>);

impl Asker<'_> {
    /// Whether the client has left, so that nobody will read the answer.
    pub(crate) fn has_left(&self) -> bool {
        self.0.is_closed()
    }

    /// Writes a value as JSON while the client is still waiting.
    pub(crate) fn json(&self, value: &impl Serialize) -> Answer {
        let mut out = Writing { json: Vec::new(), checked: 0, asker: self };
        serde_json::to_writer(&mut out, value)
            .map_err(|error| Refusal::bug(format!("the answer could not be written: {error}")))?;
        out.json.shrink_to_fit();
        Ok(out.json)
    }

    /// Reads while the client is still waiting.
    pub(crate) fn reading<R: io::Read>(&self, from: R) -> impl io::Read {
        Reading { from, asker: self }
    }

    fn check(&self) -> io::Result<()> {
        if self.has_left() { Err(io::Error::other("whoever asked has left")) } else { Ok(()) }
    }
}

struct Writing<'a> {
    json: Vec<u8>,
    /// The size at the last check whether the client still waits.
    checked: usize,
    asker: &'a Asker<'a>,
}

impl io::Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.json.extend_from_slice(bytes);
        if self.json.len() - self.checked > 64 * KIB {
            self.checked = self.json.len();
            self.asker.check()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Reading<'a, R> {
    from: R,
    asker: &'a Asker<'a>,
}

impl<R: io::Read> io::Read for Reading<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.asker.check()?;
        self.from.read(into)
    }
}

/// Why a query is not answered.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    reason: String,
    /// Whether it may be answered a moment later.
    is_busy: bool,
}

impl Refusal {
    fn new(status: StatusCode, reason: impl ToString) -> Self {
        Self { status, reason: reason.to_string(), is_busy: false }
    }

    pub(crate) fn bad_request(reason: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    fn bug(reason: String) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, reason)
    }

    fn busy(reason: &str) -> Self {
        let reason = format!("{reason}: ask again later");
        Self { status: StatusCode::SERVICE_UNAVAILABLE, reason, is_busy: true }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = if error.is_no_set() {
            StatusCode::SERVICE_UNAVAILABLE
        } else if error.is_outside() {
            StatusCode::FORBIDDEN
        } else if error.is_no_node() || error.is_missing_file() {
            StatusCode::NOT_FOUND
        } else if error.is_file() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::BAD_REQUEST
        };
        Self::new(status, error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "error": self.reason }).to_string();
        let mut answer =
            (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if self.is_busy {
            let headers = answer.headers_mut();
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            // Frees the connection's place for another client.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}

#[cfg(test)]
mod tests;
