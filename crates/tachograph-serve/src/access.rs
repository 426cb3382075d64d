//! Who may read.
//!
//! A web page elsewhere can make a browser send requests here. It cannot read the answers, unless
//! it has its own name resolve to this machine: then the browser takes it for the same site (DNS
//! rebinding). The `Host` header still holds that name, so only known ones are answered.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};
use subtle::ConstantTimeEq;

/// What a request must have to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) hosts: Hosts,
    pub(crate) token: Option<Token>,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Host(String),
    Origin(String),
    Token,
}

impl Access {
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        // A target in absolute form goes before the header; both have to be known.
        if let Some(host) = uri.host() {
            self.hosts.check(host).map_err(Refusal::Host)?;
        }
        // No browser leaves the header out.
        for host in headers.get_all(HOST) {
            let authority = Authority::try_from(host.as_bytes());
            let host = authority.as_ref().map_or_else(|_| lossy(host), |it| it.host().to_owned());
            self.hosts.check(&host).map_err(Refusal::Host)?;
        }
        for origin in headers.get_all(ORIGIN) {
            let known = self.knows_origin(origin.as_bytes());
            known.then_some(()).ok_or_else(|| Refusal::Origin(lossy(origin)))?;
        }
        match &self.token {
            Some(token) if !token.is_in(headers) => Err(Refusal::Token),
            _ => Ok(()),
        }
    }

    pub(crate) fn knows_origin(&self, origin: &[u8]) -> bool {
        let uri = Uri::try_from(origin).ok();
        uri.and_then(|uri| self.hosts.check(uri.host()?).ok()).is_some()
    }
}

fn lossy(header: &HeaderValue) -> String {
    String::from_utf8_lossy(header.as_bytes()).into_owned()
}

/// The names under which an endpoint is known.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    pub(crate) bound: SocketAddr,
    /// In lower case.
    pub(crate) names: Vec<String>,
    pub(crate) any: bool,
}

impl Hosts {
    /// `Err` with the host if it is not known.
    fn check(&self, host: &str) -> Result<(), String> {
        let name = normal(host);
        let known = match name.parse::<IpAddr>() {
            Ok(ip) => self.knows_ip(ip.to_canonical()),
            Err(_) => name == "localhost" || name.ends_with(".localhost"),
        };
        let known = known || self.any || self.names.contains(&name);
        known.then_some(()).ok_or_else(|| host.to_owned())
    }

    fn knows_ip(&self, ip: IpAddr) -> bool {
        let bound = self.bound.ip().to_canonical();
        // An address needs no name that somebody else could have resolve to it.
        ip.is_loopback() || ip == bound || bound.is_unspecified()
    }
}

/// A host as it is compared: no brackets, no final dot, lower case.
pub(crate) fn normal(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase()
}

/// A secret that a client must know.
#[derive(Clone)]
pub(crate) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    pub(crate) fn new(secret: String) -> Self {
        Self(secret)
    }

    /// Takes the same time for every token of the right length, so that it cannot be found out
    /// byte by byte. An empty one lets nobody in.
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).map_or(&[][..], HeaderValue::as_bytes);
        let Some((scheme, given)) = given.split_at_checked("Bearer ".len()) else { return false };
        scheme.eq_ignore_ascii_case(b"Bearer ")
            && !self.0.is_empty()
            && bool::from(given.ct_eq(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn access(bound: &str, names: &[&str]) -> Access {
        let names = names.iter().map(|name| normal(name)).collect();
        let bound = bound.parse().expect("an address");
        Access { hosts: Hosts { bound, names, any: false }, token: None }
    }

    fn is_let_in(access: &Access, headers: &[(HeaderName, &str)]) -> bool {
        let value = |value: &str| HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        let headers = headers.iter().map(|(name, text)| (name.clone(), value(text))).collect();
        access.check(&Uri::from_static("/metrics"), &headers).is_ok()
    }

    #[test]
    fn only_known_hosts_are_answered() {
        let local = access("127.0.0.1:1", &[]);
        for host in
            ["localhost", "LOCALHOST.:9", "a.localhost:9", "127.0.0.1", "127.9.9.9:9", "[::1]:9"]
        {
            assert!(is_let_in(&local, &[(HOST, host)]), "{host}");
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "xlocalhost",
            "10.0.0.1",
            "",
            "a b",
            "ü",
            "localhost@example.com",
            "[::2]",
            "127.0.0.1.example.com",
            "0.0.0.0",
        ] {
            assert!(!is_let_in(&local, &[(HOST, host)]), "{host}");
        }
        assert!(is_let_in(&local, &[]), "no browser");
        assert!(!is_let_in(&local, &[(HOST, "localhost"), (HOST, "example.com")]));
        let absolute = Uri::from_static("http://example.com/metrics");
        let refused = local.check(&absolute, &HeaderMap::new());
        assert_eq!(refused, Err(Refusal::Host("example.com".to_owned())));

        let named = access("10.1.1.1:1", &["Metrics.Example", "[2001:db8::1]"]);
        for host in ["10.1.1.1:80", "metrics.example", "[2001:DB8::1]:1", "localhost"] {
            assert!(is_let_in(&named, &[(HOST, host)]), "{host}");
        }
        let everywhere = access("[::]:1", &[]);
        assert!(is_let_in(&everywhere, &[(HOST, "10.1.1.2")]));
        assert!(!is_let_in(&everywhere, &[(HOST, "example.com")]));
    }

    #[test]
    fn only_pages_from_here_are_answered() {
        let local = access("127.0.0.1:1", &[]);
        assert!(is_let_in(&local, &[(ORIGIN, "http://localhost:3000")]));
        for origin in ["http://example.com", "null", "", "file://"] {
            assert!(!is_let_in(&local, &[(HOST, "localhost"), (ORIGIN, origin)]), "{origin}");
        }
    }

    #[test]
    fn a_token_has_to_be_the_right_one() {
        let with = |secret: &str| Access {
            token: Some(Token::new(secret.to_owned())),
            ..access("127.0.0.1:1", &[])
        };
        let guarded = with("s3cret");
        assert!(is_let_in(&guarded, &[(AUTHORIZATION, "Bearer s3cret")]));
        assert!(is_let_in(&guarded, &[(AUTHORIZATION, "bearer s3cret")]));
        for given in ["", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret2", "Basic s3cret"] {
            assert!(!is_let_in(&guarded, &[(AUTHORIZATION, given)]), "{given}");
        }
        assert!(!is_let_in(&guarded, &[]));
        assert!(!is_let_in(&with(""), &[(AUTHORIZATION, "Bearer ")]));
        assert_eq!(format!("{:?}", guarded.token), "Some(Token(…))");
    }
}
