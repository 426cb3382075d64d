//! The certificates that a push trusts.

use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;
use crate::push::target::{Connect, Target};

/// Certificates of authorities, in PEM, as texts of files.
pub(crate) fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|reason| Error::tls("authority", reason))?;
    match found.is_empty() {
        true => Err(Error::tls("authority", "there is no certificate in it")),
        false => Ok(found),
    }
}

/// Connects with TLS to `https` targets, and without to others.
pub(crate) type Connector = HttpsConnector<Connect>;

/// Trusts these authorities, or the system's if there are none.
pub(crate) fn connector(
    connect: Connect,
    target: &Target,
    authorities: &[CertificateDer<'static>],
) -> Result<Connector, Error> {
    let roots = match target.uri.scheme_str() {
        Some("https") => roots(target, authorities)?,
        _ => RootCertStore::empty(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|reason| Error::tls("versions", reason))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = HttpsConnectorBuilder::new().with_tls_config(config);
    Ok(builder.https_or_http().enable_http1().wrap_connector(connect))
}

fn roots(target: &Target, authorities: &[CertificateDer<'static>]) -> Result<RootCertStore, Error> {
    ServerName::try_from(target.host.as_str())
        .map_err(|_| Error::target(&target.host, "no certificate can name it"))?;
    let mut roots = RootCertStore::empty();
    match authorities {
        // The system's certificates that cannot be read are left out.
        [] => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
        _ => roots.add_parsable_certificates(authorities.iter().cloned()),
    };
    match roots.is_empty() {
        true => Err(Error::tls("authorities", "there are none that can be used")),
        false => Ok(roots),
    }
}
