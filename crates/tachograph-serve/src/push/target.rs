//! The destination of payloads, and how to connect to it.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::http::uri::{PathAndQuery, Scheme, Uri};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use crate::authority;
use crate::error::Error;

/// A URL that requests can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) uri: Uri,
    /// A name or an address, without brackets.
    pub(crate) host: String,
}

impl Target {
    /// `path` is used if the URL has none.
    pub(crate) fn parse(url: &str, path: &'static str) -> Result<Self, Error> {
        let refused = |reason| Error::target(url, reason);
        let uri: Uri =
            url.parse().map_err(|_| refused("it is no URL, such as http://HOST:PORT"))?;
        if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(refused("it has to start with http:// or https://"));
        }
        if uri.scheme() == Some(&Scheme::HTTPS) && cfg!(not(feature = "tls")) {
            return Err(refused("https needs the feature `tls` of tachograph-serve"));
        }
        let told = uri.authority().ok_or_else(|| refused("it names no host"))?;
        if told.as_str().contains('@') {
            return Err(refused("a user or password in it would be sent nowhere: use a header"));
        }
        let host = match authority::parse(told.as_str()) {
            None | Some((_, Some(0))) => {
                return Err(refused("it needs a host, and a port from 1 to 65535 if any"));
            }
            Some((host, _)) => host,
        };
        if !matches!(uri.path_and_query().map(PathAndQuery::as_str), None | Some("/")) {
            return Ok(Self { uri, host });
        }
        let mut parts = uri.into_parts();
        parts.path_and_query = Some(PathAndQuery::from_static(path));
        Ok(Self {
            uri: Uri::from_parts(parts)
                .map_err(|_| refused("it is no URL, such as http://HOST:PORT"))?,
            host,
        })
    }
}

/// A connection over any transport.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The client asks for nothing but HTTP/1 without a proxy.
impl Connection for Box<dyn Stream> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<TokioIo<Box<dyn Stream>>>> + Send>>;

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Connect(Arc<dyn Fn(Uri) -> Connecting + Send + Sync>);

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connect(…)")
    }
}

impl Connect {
    pub(crate) fn new<F, S>(connect: impl Fn(Uri) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self(Arc::new(move |uri| {
            let connecting = connect(uri);
            Box::pin(
                async move { Ok(TokioIo::new(Box::new(connecting.await?) as Box<dyn Stream>)) },
            )
        }))
    }

    /// Over TCP.
    pub(crate) fn tcp() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        Self::new(move |uri| {
            let connecting = tcp.clone().call(uri);
            async { Ok(connecting.await.map_err(io::Error::other)?.into_inner()) }
        })
    }
}

impl Service<Uri> for Connect {
    type Response = TokioIo<Box<dyn Stream>>;
    type Error = io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Connecting {
        (self.0)(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/v1/metrics";

    #[test]
    fn a_url_is_taken_apart() {
        for (url, uri, host) in [
            ("http://localhost:4318", "http://localhost:4318/v1/metrics", "localhost"),
            ("http://[::1]/", "http://[::1]/v1/metrics", "::1"),
            ("https://Otel.example/a/b?c", "https://otel.example/a/b?c", "otel.example"),
        ] {
            let target = Target::parse(url, PATH).expect("a target");
            assert_eq!((target.uri, &*target.host), (uri.parse().expect("a URL"), host));
        }
    }

    #[test]
    fn what_is_no_target_is_refused_with_the_way_out() {
        const PORT: &str = "it needs a host, and a port from 1 to 65535 if any";
        for (url, reason) in [
            ("", "it is no URL, such as http://HOST:PORT"),
            ("http://", "it is no URL, such as http://HOST:PORT"),
            ("localhost:4318", "it has to start with http:// or https://"),
            ("/v1/metrics", "it has to start with http:// or https://"),
            ("grpc://localhost:4317", "it has to start with http:// or https://"),
            ("http://h:70000", PORT),
            ("http://h:abc/v1/metrics", PORT),
            ("http://h:-1", PORT),
            ("http://h:", PORT),
            ("http://h:0", PORT),
            ("http://:4318", PORT),
            ("http://.:4318", PORT),
            ("https://[::1].example.com", PORT),
            ("http://a:b@c", "a user or password in it would be sent nowhere: use a header"),
        ] {
            let told = Target::parse(url, PATH).expect_err(url).to_string();
            assert_eq!(told, format!("cannot push to {url:?}: {reason}"));
        }
    }
}
