//! Access control.
//!
//! A web page elsewhere can make a browser send requests here. It cannot read the answers unless
//! its own name resolves to this machine: then the browser treats it as the same site (DNS
//! rebinding). The `Host` header still contains that name, so only known names are answered.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Uri};

use crate::authority;
use crate::http::token::Token;

/// The conditions for answering a request.
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
        // A target in absolute form overrides the header; both must be known.
        let mut asked = Vec::new();
        if let Some(authority) = uri.authority() {
            asked.extend(self.check_host(authority.as_str())?);
        }
        // No browser omits the header.
        for host in headers.get_all(HOST) {
            asked.extend(self.check_host(&lossy(host))?);
        }
        for origin in headers.get_all(ORIGIN) {
            let known = self.knows_origin(origin.as_bytes(), &asked);
            known.then_some(()).ok_or_else(|| Refusal::Origin(lossy(origin)))?;
        }
        match &self.token {
            Some(token) if !token.is_in(headers) => Err(Refusal::Token),
            _ => Ok(()),
        }
    }

    /// The name of a known host; `None` if any host is allowed and this one has no name.
    fn check_host(&self, host: &str) -> Result<Option<String>, Refusal> {
        let name = authority::parse(host).map(|(name, _)| name);
        let is_known = name.as_ref().is_some_and(|name| self.hosts.may_be(name));
        if is_known || self.hosts.any {
            return Ok(name);
        }
        Err(Refusal::Host(name.unwrap_or_else(|| host.to_owned())))
    }

    /// Whether a page with this origin may read: one with a known name, or from the very host that
    /// it requests.
    fn knows_origin(&self, origin: &[u8], asked: &[String]) -> bool {
        let name = Uri::try_from(origin).ok().and_then(|uri| {
            let (name, _) = authority::parse(uri.authority()?.as_str())?;
            Some(name)
        });
        name.is_some_and(|name| self.hosts.any || self.hosts.knows(&name) || asked.contains(&name))
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
    /// Whether a request may use this name. If all addresses are listened on, any address will do:
    /// nobody else can make an address resolve to this machine.
    fn may_be(&self, name: &str) -> bool {
        let any_address = self.bound.ip().to_canonical().is_unspecified();
        self.knows(name) || any_address && name.parse::<IpAddr>().is_ok()
    }

    /// Whether a name certainly belongs to this endpoint.
    fn knows(&self, name: &str) -> bool {
        let is_local = match name.parse::<IpAddr>() {
            Ok(ip) => {
                let (ip, bound) = (ip.to_canonical(), self.bound.ip().to_canonical());
                ip.is_loopback() || ip == bound && !bound.is_unspecified()
            }
            Err(_) => name == "localhost" || name.ends_with(".localhost"),
        };
        is_local || self.names.iter().any(|known| known == name)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn access(bound: &str, names: &[&str]) -> Access {
        let names = names.iter().map(|name| authority::host(name).expect("a host")).collect();
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
            "[::1].example.com",
            "[127.0.0.1]",
            "localhost:70000",
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
        for origin in ["http://example.com", "null", "", "file://", "http://[::1].example.com"] {
            assert!(!is_let_in(&local, &[(HOST, "localhost"), (ORIGIN, origin)]), "{origin}");
        }
        // The machine's own addresses are unknown, so a page may only ask its own host.
        let everywhere = access("0.0.0.0:1", &["stage.example"]);
        let from = |origin| is_let_in(&everywhere, &[(HOST, "10.1.1.2:1"), (ORIGIN, origin)]);
        for origin in ["http://10.1.1.2:3000", "http://127.0.0.1", "https://stage.example"] {
            assert!(from(origin), "{origin}");
        }
        for origin in ["http://203.0.113.9", "http://[2001:db8::1]", "http://0.0.0.0"] {
            assert!(!from(origin), "{origin}");
        }
    }
}
