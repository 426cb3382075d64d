//! Requests to an endpoint.

use std::fs;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::Builder;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::Failure;
use crate::place::Url;

/// The timeout for connecting and receiving the head of an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The maximum size of a body. A snapshot of 20,000 series takes about 100 MB.
const BODY_BYTES: usize = 512 << 20;

/// An endpoint, with the token that it asks for.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    token: Option<HeaderValue>,
}

impl Endpoint {
    /// Reads the token from the first line of a file.
    pub(crate) fn new(url: Url, token_file: Option<&Path>) -> Result<Self, Failure> {
        let token = token_file.map(read_token).transpose()?;
        Ok(Self { url, token })
    }

    /// Reads the whole body of a page; `None` if the endpoint has no such page.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let answer = self.request(path, HeaderMap::new()).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = Limited::new(self.fine(path, answer)?.into_body(), BODY_BYTES);
        let body = body.collect().await.map_err(|error| self.failed(path, error))?;
        Ok(Some(body.to_bytes().to_vec()))
    }

    /// Reads a page whose body arrives bit by bit.
    pub(crate) async fn stream(&self, path: &str, more: HeaderMap) -> Result<Incoming, Failure> {
        let answer = self.request(path, more).await?;
        Ok(self.fine(path, answer)?.into_body())
    }

    fn fine(&self, path: &str, answer: Response<Incoming>) -> Result<Response<Incoming>, Failure> {
        let place = self.place(path);
        let (status, told) = (answer.status(), |text| Err(Failure::Failed(text)));
        match status {
            status if status.is_success() => Ok(answer),
            StatusCode::NOT_FOUND => told(format!(
                "{place} does not exist: is this a Tachograph endpoint with history switched on?"
            )),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => told(format!(
                "{place} refuses access ({status}): give --token-file, and use a host name that \
                 the endpoint allows"
            )),
            status => told(format!("{place} answered {status}: see the log of that program")),
        }
    }

    async fn request(&self, path: &str, more: HeaderMap) -> Result<Response<Incoming>, Failure> {
        let exchange = async {
            let stream = TcpStream::connect(&self.url.authority).await?;
            stream.set_nodelay(true)?;
            let (mut requests, connection) = Builder::new().handshake(TokioIo::new(stream)).await?;
            // Err: the request fails with the same error.
            tokio::spawn(async { drop(connection.await) });
            let mut request =
                Request::get(format!("{}{path}", self.url.prefix)).body(Empty::<Bytes>::new())?;
            let headers = request.headers_mut();
            headers.insert(HOST, HeaderValue::from_str(&self.url.authority)?);
            headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
            if let Some(token) = &self.token {
                headers.insert(AUTHORIZATION, token.clone());
            }
            headers.extend(more);
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(requests.send_request(request).await?)
        };
        match timeout(PATIENCE, exchange).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(path, error)),
            Err(_) => Err(self.failed(path, "no answer within 10 s")),
        }
    }

    fn failed(&self, path: &str, reason: impl std::fmt::Display) -> Failure {
        let place = self.place(path);
        Failure::Failed(format!("cannot read {place}: {reason}; is the program running there?"))
    }

    fn place(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        format!("http://{}{}{path}", self.url.authority, self.url.prefix)
    }
}

const AGENT: &str = concat!("tachograph/", env!("CARGO_PKG_VERSION"));

fn read_token(file: &Path) -> Result<HeaderValue, Failure> {
    let wrong = |reason: String| Failure::Input(format!("token file {}: {reason}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() {
        return Err(wrong("its first line is empty; write the token there".to_owned()));
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
        wrong("its first line has characters that are not allowed in a token".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}
