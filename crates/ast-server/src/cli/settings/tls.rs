//! Certificates from files, if the program was built with TLS.

use std::path::Path;

#[cfg(feature = "tls")]
use tachograph_serve::Tls;
use tachograph_serve::{Endpoint, Push};

use super::Failure;

/// Makes an endpoint speak HTTPS.
#[cfg(feature = "tls")]
pub(crate) fn https(endpoint: Endpoint, chain: &Path, key: &Path) -> Result<Endpoint, Failure> {
    let tls = Tls::from_pem(read(chain)?.as_bytes(), read(key)?.as_bytes());
    let tls =
        tls.map_err(|error| format!("{error}; from {} and {}", chain.display(), key.display()))?;
    Ok(endpoint.tls(tls))
}

/// Makes a push trust these authorities instead of the system's.
#[cfg(feature = "tls")]
pub(crate) fn trust(push: Push, authorities: &Path) -> Result<Push, Failure> {
    let push = push.authorities(read(authorities)?.as_bytes());
    push.map_err(|error| format!("{error}; from {}", authorities.display()).into())
}

#[cfg(feature = "tls")]
fn read(file: &Path) -> Result<String, Failure> {
    ast_server::read_text(file)
        .map_err(|reason| format!("cannot read {}: {reason}", file.display()).into())
}

#[cfg(not(feature = "tls"))]
pub(crate) fn https(_: Endpoint, _: &Path, _: &Path) -> Result<Endpoint, Failure> {
    Err(without_tls("serve HTTPS", "leave out the certificate and its key"))
}

#[cfg(not(feature = "tls"))]
pub(crate) fn trust(_: Push, _: &Path) -> Result<Push, Failure> {
    Err(without_tls("check certificates", "leave out the authorities"))
}

/// Whether a push can use this URL, as far as TLS is concerned.
pub(crate) fn check_url(url: &str) -> Result<(), Failure> {
    let is_https = url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    match is_https && cfg!(not(feature = "tls")) {
        true => Err(without_tls(&format!("push to {url}"), "push to http:// instead")),
        false => Ok(()),
    }
}

fn without_tls(wanted: &str, else_do: &str) -> Failure {
    Failure::usage(format!(
        "cannot {wanted}: this program was built without TLS; build it with `--features tls`, or \
         {else_do}"
    ))
}
