//! Addresses of programs, and names of recordings.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A running program's address, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Url(Url),
    File(PathBuf),
}

/// The address of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// `host:port`.
    pub(crate) authority: String,
    /// The path below which the endpoint's pages are: empty, or `/` and more.
    pub(crate) prefix: String,
}

impl Place {
    /// Reads `http://host:port`, `host:port`, or the name of a file that exists.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let is_url = text.contains(':');
        if !text.contains("://") && Path::new(text).exists() {
            return Ok(Self::File(text.into()));
        }
        match Url::parse(text) {
            Ok(url) => Ok(Self::Url(url)),
            Err(failure) if is_url => Err(failure),
            Err(_) => Err(Failure::Input(format!(
                "there is no file `{text}`; for a running program, write HOST:PORT or \
                 http://HOST:PORT"
            ))),
        }
    }
}

impl Url {
    /// Reads `http://host:port` or `host:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |reason: &str| {
            Err(Failure::Input(format!("`{text}` {reason}; write HOST:PORT or http://HOST:PORT")))
        };
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some(("https", _)) => {
                return Err(Failure::Input(format!(
                    "HTTPS is not supported (`{text}`); run this command on the endpoint's \
                     machine, or use a tunnel such as `ssh -L 9464:127.0.0.1:9464 HOST`"
                )));
            }
            Some((scheme, _)) => return wrong(&format!("has the unknown scheme `{scheme}`")),
            None => text,
        };
        let (authority, prefix) = match rest.find('/') {
            Some(at) => (&rest[..at], rest[at..].trim_end_matches('/')),
            None => (rest, ""),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port),
            None if text.contains("://") => (authority, "80"),
            None => return wrong("has no port"),
        };
        if port.parse::<NonZeroU16>().is_err() {
            return wrong(&format!("has the invalid port `{port}`"));
        }
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        let is_whole = authority.parse::<hyper::http::uri::Authority>().is_ok();
        if host.is_empty() || !host.chars().all(is_host) || !is_whole {
            return wrong("has no host name");
        }
        if prefix.chars().any(|c| c.is_whitespace() || c.is_control() || c == '?' || c == '#') {
            return wrong("has a space, `?` or `#` in its path");
        }
        Ok(Self { authority: format!("{host}:{port}"), prefix: prefix.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_scheme() {
        let read = |text| Url::parse(text).map(|url| (url.authority, url.prefix));
        let is = |authority: &str, prefix: &str| (authority.to_owned(), prefix.to_owned());
        assert_eq!(read("127.0.0.1:9464").ok(), Some(is("127.0.0.1:9464", "")));
        assert_eq!(read("http://127.0.0.1:9464/").ok(), Some(is("127.0.0.1:9464", "")));
        assert_eq!(read("http://a.b/one/two/").ok(), Some(is("a.b:80", "/one/two")));
        assert_eq!(read("[::1]:9464").ok(), Some(is("[::1]:9464", "")));
        for wrong in [
            "",
            ":9464",
            "host",
            "host:port",
            "host:0",
            "host:70000",
            "ftp://a:1",
            "http://[::1",
            "[::1:9464",
            "a b:1",
            "a:1/?x",
        ] {
            let error = Url::parse(wrong).expect_err(wrong).to_string();
            assert!(error.contains("HOST:PORT"), "{error}");
        }
        let https = Url::parse("https://a:1").expect_err("not spoken").to_string();
        assert!(https.contains("ssh -L"), "{https}");
    }

    #[test]
    fn a_file_that_is_not_there_is_told_with_the_way_out() {
        let error = Place::parse("run.jsonl").expect_err("not there").to_string();
        assert!(error.contains("no file `run.jsonl`") && error.contains("HOST:PORT"), "{error}");
        let error = Place::parse("127.0.0.1:99999").expect_err("no port").to_string();
        assert!(error.contains("invalid port `99999`"), "{error}");
        assert_eq!(Place::parse("Cargo.toml").ok(), Some(Place::File("Cargo.toml".into())));
    }
}
