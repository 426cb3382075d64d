//! Errors in serving or pushing metrics.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// Why an endpoint or a push could not be set up or started. The message names what was refused and
/// how to fix it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(
        "cannot listen on {addr}: {source}; choose another address, or port 0 for any free one"
    )]
    Listen { addr: SocketAddr, source: io::Error },
    #[error("cannot start a thread: {0}; the process has as many as it may have")]
    Thread(io::Error),
    #[error("cannot record to {file}: {source}; choose another file")]
    Recording { file: String, source: io::Error },
    #[error("there is no page {0:?} to serve: choose from those of `Endpoint::PAGES`")]
    Page(String),
    #[error(
        "a mounted route has the path of one of the pages {0}: leave out that page, or move it"
    )]
    Overlap(String),
    #[error("cannot start: {0}")]
    Runtime(&'static str),
    #[error("cannot use the bearer token: {0}")]
    Token(&'static str),
    #[error("cannot allow the host {0:?}: it has to be a name or an address, without a port")]
    Host(String),
    #[cfg(feature = "tls")]
    #[error("cannot use the TLS {what}: {reason}; it has to be PEM")]
    Tls { what: &'static str, reason: String },
    #[cfg(feature = "otlp")]
    #[error("cannot push to {url:?}: {reason}")]
    Target { url: String, reason: &'static str },
    #[cfg(feature = "otlp")]
    #[error("cannot send the header {name:?}: {reason}")]
    Header { name: String, reason: &'static str },
}

impl Error {
    pub(crate) fn listen(addr: SocketAddr, source: io::Error) -> Self {
        Reason::Listen { addr, source }.into()
    }

    pub(crate) fn thread(source: io::Error) -> Self {
        Reason::Thread(source).into()
    }

    pub(crate) fn recording(file: &Path, source: io::Error) -> Self {
        Reason::Recording { file: file.display().to_string(), source }.into()
    }

    pub(crate) fn page(path: &str) -> Self {
        Reason::Page(path.to_owned()).into()
    }

    pub(crate) fn overlap(paths: &[&str]) -> Self {
        Reason::Overlap(paths.join(", ")).into()
    }

    pub(crate) fn runtime(reason: &'static str) -> Self {
        Reason::Runtime(reason).into()
    }

    pub(crate) fn token(reason: &'static str) -> Self {
        Reason::Token(reason).into()
    }

    pub(crate) fn host(host: &str) -> Self {
        Reason::Host(host.to_owned()).into()
    }

    #[cfg(feature = "tls")]
    pub(crate) fn tls(what: &'static str, reason: impl ToString) -> Self {
        Reason::Tls { what, reason: reason.to_string() }.into()
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn target(url: &str, reason: &'static str) -> Self {
        Reason::Target { url: url.to_owned(), reason }.into()
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn header(name: &str, reason: &'static str) -> Self {
        Reason::Header { name: name.to_owned(), reason }.into()
    }

    /// The address that cannot be listened on, if that is the reason.
    pub fn addr(&self) -> Option<SocketAddr> {
        match &self.0 {
            Reason::Listen { addr, .. } => Some(*addr),
            _ => None,
        }
    }

    /// Whether another program listens there.
    pub fn is_in_use(&self) -> bool {
        matches!(&self.0, Reason::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse)
    }
}
