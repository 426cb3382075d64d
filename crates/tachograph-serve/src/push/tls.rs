//! The certificates that a push trusts.

use std::io;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::Error;
use crate::push::target::{Stream, Target};

/// Certificates of authorities, in PEM, as texts of files.
pub(crate) fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|reason| Error::tls("authority", reason))?;
    match found.is_empty() {
        true => Err(Error::tls("authority", "there is no certificate in it")),
        false => Ok(found),
    }
}

/// Verifies a receiver's identity.
#[derive(Clone)]
pub(crate) struct Trust {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Trust {
    /// Trusts these authorities, or the system's if there are none.
    pub(crate) fn new(
        target: &Target,
        authorities: &[CertificateDer<'static>],
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        match authorities {
            // The system's certificates that cannot be read are left out.
            [] => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
            _ => roots.add_parsable_certificates(authorities.iter().cloned()),
        };
        if roots.is_empty() {
            return Err(Error::tls("authorities", "there are none that can be used"));
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|reason| Error::tls("versions", reason))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::try_from(target.host.clone())
            .map_err(|_| Error::target(&target.host, "no certificate can name it"))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    pub(crate) async fn connect<S: Stream>(&self, stream: S) -> io::Result<TlsStream<S>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}
