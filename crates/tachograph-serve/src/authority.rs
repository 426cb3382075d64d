//! A host and a port, as found in `Host` headers, origins and URLs.
//!
//! Stricter than the `http` crate's URLs, which take `[::1].example.com` for the host `[::1]` and
//! treat a port of 70000 as absent.

use std::net::Ipv6Addr;

/// The host in lower case without brackets and final dot, and the port, if there is one. `None` if
/// it is neither a name nor an address, or if the port is invalid.
pub(crate) fn parse(text: &str) -> Option<(String, Option<u16>)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(bare) => {
            let (address, rest) = bare.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, rest)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
        Some(_) => return None,
        None => rest.is_empty().then_some(None)?,
    };
    Some((host_name(host)?, port))
}

/// A host in the form used for comparison: a name or an address, with or without brackets.
pub(crate) fn host(text: &str) -> Option<String> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return host_name(text);
    }
    parse(text).filter(|(_, port)| port.is_none()).map(|(host, _)| host)
}

fn host_name(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_fine = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    (!host.is_empty() && host.bytes().all(is_fine)).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_taken_apart() {
        for (text, host, port) in [
            ("localhost", "localhost", None),
            ("Otel.Example.:4318", "otel.example", Some(4_318)),
            ("10.0.0.1:65535", "10.0.0.1", Some(65_535)),
            ("[::1]", "::1", None),
            ("[2001:DB8::1]:1", "2001:db8::1", Some(1)),
            ("a_b:0", "a_b", Some(0)),
        ] {
            assert_eq!(parse(text), Some((host.to_owned(), port)), "{text}");
        }
        assert_eq!(host("::1").as_deref(), Some("::1"));
        assert_eq!(host("[::1]").as_deref(), Some("::1"));
    }

    #[test]
    fn what_is_neither_is_nothing() {
        for text in [
            "",
            ".",
            ":80",
            "a:",
            "a:70000",
            "a:abc",
            "a:-1",
            "a:+1",
            "a:80:80",
            "[::1].example.com",
            "[::1]x:80",
            "[::1",
            "[a]",
            "[127.0.0.1]",
            "::1",
            "a b",
            "a@b",
            "ü",
            "%41",
            "a\0",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!((host("a:80"), host("[::1]:80")), (None, None));
    }
}
