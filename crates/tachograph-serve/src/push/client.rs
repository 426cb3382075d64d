//! One exchange with a receiver: sends a payload, gets a verdict.

use std::fmt;
use std::time::{Duration, SystemTime};

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::push::queue::Payload;
use crate::push::target::{Connect, Stream, Target};
#[cfg(feature = "tls")]
use crate::push::tls::Trust;
use crate::push::verdict::Verdict;

/// The limit for reading an answer's body.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The limit for an answer's head; a longer one is an error.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Headers that a request sets itself; another value would change or break the request.
const OWN_HEADERS: [HeaderName; 10] = [
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Why there was no answer.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A client for one receiver, which keeps its connection open.
pub(crate) struct Client {
    pub(crate) target: Target,
    pub(crate) connect: Connect,
    #[cfg(feature = "tls")]
    pub(crate) trust: Option<Trust>,
    /// The media type of every payload.
    pub(crate) content_type: &'static str,
    pub(crate) headers: HeaderMap,
    /// For one exchange, including connecting.
    pub(crate) timeout: Duration,
    pub(crate) kept: Option<Connection>,
}

/// A connection that can take another request. Dropping it closes it.
pub(crate) struct Connection {
    requests: SendRequest<Body>,
    _task: JoinSet<()>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Client {
    /// Sends a payload. Err if no head of an answer arrived in time: it is unknown whether the
    /// payload arrived.
    pub(crate) async fn send(&mut self, payload: &Payload) -> Result<Verdict, Failure> {
        let deadline = Instant::now() + self.timeout;
        let kept = self.kept.take();
        let exchange = timeout_at(deadline, self.exchange(kept, payload));
        let (connection, answer) = exchange.await??;
        let (head, body) = answer.into_parts();
        // The status is the answer. If the body cannot be read, that changes nothing, and in
        // particular does not justify sending the payload again.
        let body = timeout_at(deadline, to_bytes(Body::new(body), ANSWER_BYTES_MAX)).await;
        let body = body.ok().and_then(Result::ok);
        // A connection that is abandoned midway is not kept.
        self.kept = body.is_some().then_some(connection);
        let body = body.unwrap_or_default();
        Ok(Verdict::of(head.status, &head.headers, &body, SystemTime::now()))
    }

    async fn exchange(
        &self,
        kept: Option<Connection>,
        payload: &Payload,
    ) -> Result<(Connection, Response<Incoming>), Failure> {
        let kept = match kept {
            Some(mut kept) => kept.requests.ready().await.is_ok().then_some(kept),
            None => None,
        };
        let mut connection = match kept {
            Some(kept) => kept,
            None => self.connection().await?,
        };
        let answer = connection.requests.send_request(self.request(payload)?).await?;
        Ok((connection, answer))
    }

    fn request(&self, payload: &Payload) -> Result<Request<Body>, Failure> {
        let mut request =
            Request::post(self.target.path.as_str()).body(payload.body.clone().into())?;
        let headers = request.headers_mut();
        headers.insert(HOST, self.target.authority.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if payload.is_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.extend(self.headers.clone());
        Ok(request)
    }

    async fn connection(&self) -> Result<Connection, Failure> {
        let stream = self.connect.connect().await?;
        #[cfg(feature = "tls")]
        if let Some(trust) = &self.trust {
            return shake_hands(trust.connect(stream).await?).await;
        }
        shake_hands(stream).await
    }
}

const AGENT: &str = concat!("OTel-OTLP-Exporter-Tachograph/", env!("CARGO_PKG_VERSION"));

async fn shake_hands(stream: impl Stream + 'static) -> Result<Connection, Failure> {
    let io = TokioIo::new(stream);
    let (requests, connection) = Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(io).await?;
    let mut task = JoinSet::new();
    // Err: the affected request reports it too.
    task.spawn(async { drop(connection.await) });
    Ok(Connection { requests, _task: task })
}

/// A header set by the user.
///
/// # Errors
/// If the name or the value has invalid characters, or the request sets the header itself.
pub(crate) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let refused = |reason| Error::header(name, reason);
    let key = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| refused("a name is made of letters, digits and `-`"))?;
    if OWN_HEADERS.contains(&key) {
        return Err(refused("the request sets it itself: leave it out"));
    }
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| refused("a value has no line breaks or control characters"))?;
    value.set_sensitive(true);
    Ok((key, value))
}
