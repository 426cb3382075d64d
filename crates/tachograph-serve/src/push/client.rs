//! One exchange with a receiver: sends a payload, gets a verdict.

use std::iter::successors;
use std::time::{Duration, SystemTime};

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::push::queue::Payload;
#[cfg(not(feature = "tls"))]
use crate::push::target::Connect as Connector;
use crate::push::target::Target;
#[cfg(feature = "tls")]
use crate::push::tls::Connector;
use crate::push::verdict::Verdict;

/// The limit for reading an answer's body.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The limit for an answer's head; a longer one is an error.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Headers that a request sets itself; another value would change or break the request.
const OWN_HEADERS: [HeaderName; 12] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
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
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) target: Target,
    http: legacy::Client<Connector, Body>,
    /// The media type of every payload.
    content_type: &'static str,
    headers: HeaderMap,
    /// For one exchange, including connecting.
    timeout: Duration,
}

impl Client {
    pub(crate) fn new(
        target: Target,
        connector: Connector,
        content_type: &'static str,
        headers: HeaderMap,
        timeout: Duration,
    ) -> Self {
        let http = legacy::Client::builder(TokioExecutor::new())
            .http1_max_buf_size(HEAD_BYTES_MAX)
            // There is one request at a time, and the receiver closes what it is tired of.
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(None::<Duration>)
            .build(connector);
        Self { target, http, content_type, headers, timeout }
    }

    /// Sends a payload. Err if no head of an answer arrived in time: it is unknown whether the
    /// payload arrived.
    pub(crate) async fn send(&self, payload: &Payload) -> Result<Verdict, Failure> {
        let deadline = Instant::now() + self.timeout;
        let exchange = timeout_at(deadline, self.http.request(self.request(payload)?));
        let (head, body) = exchange.await?.map_err(why)?.into_parts();
        // The status is the answer. If the body cannot be read, that changes nothing, and in
        // particular does not justify sending the payload again.
        let body = timeout_at(deadline, to_bytes(Body::new(body), ANSWER_BYTES_MAX)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        Ok(Verdict::of(head.status, &head.headers, &body, SystemTime::now()))
    }

    fn request(&self, payload: &Payload) -> Result<Request<Body>, Failure> {
        let mut request =
            Request::post(self.target.uri.clone()).body(payload.body.clone().into())?;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if payload.is_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.extend(self.headers.clone());
        Ok(request)
    }
}

/// The client's own message only names the step that failed.
fn why(error: legacy::Error) -> Failure {
    let causes = successors(std::error::Error::source(&error), |cause| cause.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    if causes.is_empty() { error.into() } else { causes.join(": ").into() }
}

const AGENT: &str = concat!("OTel-OTLP-Exporter-Tachograph/", env!("CARGO_PKG_VERSION"));

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
