//! TLS for an endpoint.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::error::Error;

/// An endpoint's certificate and key. TLS 1.2 and 1.3, by rustls.
#[derive(Clone)]
pub struct Tls(Arc<RwLock<TlsAcceptor>>);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}

impl Tls {
    /// From PEM: the certificate chain, with the endpoint's own certificate first, and its private
    /// key.
    ///
    /// # Errors
    /// If either cannot be read, or they do not belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, Error> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let chain = chain.map_err(|reason| Error::tls("certificate", reason))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|reason| Error::tls("key", reason))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|reason| Error::tls("certificate and key", reason))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self::from_config(config))
    }

    /// From a custom configuration, for client certificates and the like.
    pub fn from_config(config: impl Into<Arc<ServerConfig>>) -> Self {
        Self(Arc::new(RwLock::new(TlsAcceptor::from(config.into()))))
    }

    fn acceptor(&self) -> TlsAcceptor {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses another one's certificate from now on.
    pub(crate) fn renew(&self, other: &Self) {
        let acceptor = other.acceptor();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
    }

    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor().accept(stream).await
    }
}
