//! The destination of requests: an address, and how it is reached. Pushes and alerts share it.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::http::HeaderMap;
#[cfg(feature = "tls")]
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::bounds::bounded;
use crate::error::Error;
use crate::push::client::{Client, header};
use crate::push::target::{Connect, Target};
#[cfg(feature = "tls")]
use crate::push::tls;

/// The shortest sensible time-out or pause.
pub(crate) const LEAST: Duration = Duration::from_millis(10);

/// Where requests go, and how.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    target: Target,
    connect: Connect,
    pub(crate) headers: HeaderMap,
    timeout: Duration,
    #[cfg(feature = "tls")]
    authorities: Vec<CertificateDer<'static>>,
}

impl Destination {
    /// A request over TCP may take 10 s and sends no headers of its own.
    pub(crate) fn new(target: Target) -> Self {
        Self {
            connect: Connect::tcp(),
            target,
            headers: HeaderMap::new(),
            timeout: Duration::from_secs(10),
            #[cfg(feature = "tls")]
            authorities: Vec::new(),
        }
    }

    pub(crate) fn timeout(&mut self, timeout: Duration) {
        self.timeout = bounded(timeout, LEAST);
    }

    pub(crate) fn header(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let (key, value) = header(name, value)?;
        self.headers.insert(key, value);
        Ok(())
    }

    pub(crate) fn connect_with<F, S>(&mut self, connect: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.connect = Connect::new(move |_| connect());
    }

    #[cfg(feature = "tls")]
    pub(crate) fn authorities(&mut self, pem: &[u8]) -> Result<(), Error> {
        self.authorities.extend(tls::authorities(pem)?);
        Ok(())
    }

    /// A client for bodies of one media type.
    ///
    /// # Errors
    /// If the URL is `https` and no authority is trusted.
    pub(crate) fn client(self, content_type: &'static str) -> Result<Client, Error> {
        #[cfg(feature = "tls")]
        let connector = tls::connector(self.connect, &self.target, &self.authorities)?;
        #[cfg(not(feature = "tls"))]
        let connector = self.connect;
        Ok(Client::new(self.target, connector, content_type, self.headers, self.timeout))
    }
}
