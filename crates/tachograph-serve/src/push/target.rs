//! The destination of payloads, and how to connect to it.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::uri::{PathAndQuery, Scheme, Uri};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::authority;
use crate::error::Error;

/// A URL in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) is_https: bool,
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host and port, as in the header `Host`.
    pub(crate) authority: HeaderValue,
    pub(crate) path: PathAndQuery,
}

impl Target {
    /// `path` is used if the URL has none.
    pub(crate) fn parse(url: &str, path: &'static str) -> Result<Self, Error> {
        let refused = |reason| Error::target(url, reason);
        let uri: Uri = url.parse().map_err(|_| refused("it is no URL"))?;
        let parts = uri.into_parts();
        let is_https = match parts.scheme {
            Some(scheme) if scheme == Scheme::HTTP => false,
            Some(scheme) if scheme == Scheme::HTTPS => true,
            _ => return Err(refused("it has to start with http:// or https://")),
        };
        if is_https && cfg!(not(feature = "tls")) {
            return Err(refused("https needs the feature `tls` of tachograph-serve"));
        }
        let told = parts.authority.ok_or_else(|| refused("it names no host"))?;
        if told.as_str().contains('@') {
            return Err(refused("a user or password in it would be sent nowhere: use a header"));
        }
        let (host, port) = match authority::parse(told.as_str()) {
            None | Some((_, Some(0))) => {
                return Err(refused("it needs a host, and a port from 1 to 65535 if any"));
            }
            Some((host, port)) => (host, port.unwrap_or(if is_https { 443 } else { 80 })),
        };
        let authority = HeaderValue::from_str(told.as_str())
            .map_err(|_| refused("its host cannot be sent in a header"))?;
        let told_path = parts.path_and_query.filter(|path| path.as_str() != "/");
        let path = told_path.unwrap_or_else(|| PathAndQuery::from_static(path));
        Ok(Self { is_https, host, port, authority, path })
    }
}

/// A connection over any transport.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Connecting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// Makes connections to one target.
#[derive(Clone)]
pub(crate) struct Connect(Arc<dyn Fn() -> Connecting + Send + Sync>);

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connect(…)")
    }
}

impl Connect {
    pub(crate) fn new<F, S>(connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self(Arc::new(move || {
            let connecting = connect();
            Box::pin(async move { Ok(Box::new(connecting.await?) as Box<dyn Stream>) })
        }))
    }

    /// Over TCP.
    pub(crate) fn tcp(target: &Target) -> Self {
        let (host, port) = (target.host.clone(), target.port);
        Self::new(move || {
            let host = host.clone();
            async move {
                let stream = TcpStream::connect((host.as_str(), port)).await?;
                // Err: slower, not wrong.
                let _ = stream.set_nodelay(true);
                Ok(stream)
            }
        })
    }

    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        (self.0)().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/v1/metrics";

    #[test]
    fn a_url_is_taken_apart() {
        let told = |url: &str| {
            let Target { is_https, host, port, path, .. } =
                Target::parse(url, PATH).expect("a target");
            (is_https, host, port, path.as_str().to_owned())
        };
        let of = |is_https, host: &str, port, path: &str| {
            (is_https, host.to_owned(), port, path.to_owned())
        };
        assert_eq!(told("http://localhost:4318"), of(false, "localhost", 4318, PATH));
        assert_eq!(told("http://[::1]/"), of(false, "::1", 80, PATH));
        assert_eq!(told("https://Otel.example/a/b?c"), of(true, "otel.example", 443, "/a/b?c"));
    }

    #[test]
    fn what_is_no_target_is_refused_with_the_way_out() {
        const PORT: &str = "it needs a host, and a port from 1 to 65535 if any";
        for (url, reason) in [
            ("", "it is no URL"),
            ("http://", "it is no URL"),
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
