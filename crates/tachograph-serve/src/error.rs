//! Why an endpoint could not be served.

use std::io;
use std::net::SocketAddr;

/// Why an endpoint could not be served: its address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}: {source}; choose another address, or port 0 for any free one")]
pub struct Error {
    addr: SocketAddr,
    source: io::Error,
}

impl Error {
    pub(crate) fn new(addr: SocketAddr, source: io::Error) -> Self {
        Self { addr, source }
    }

    /// The address that was asked for.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Whether somebody else listens there.
    pub fn is_in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}
