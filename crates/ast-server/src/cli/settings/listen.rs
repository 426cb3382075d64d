//! The addresses that a server listens on.

use std::net::{IpAddr, SocketAddr};

use ast_server::Addresses;
use clap::Args;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::Failure;

/// The addresses of the command line.
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Address for events, OSC over UDP. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) udp: Option<SocketAddr>,
    /// Address for viewers, WebSocket. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) ws: Option<SocketAddr>,
    /// Address for metrics and queries, HTTP: /metrics, /summary, /health, /project, /nodes and
    /// more. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) http: Option<SocketAddr>,
}

impl Listen {
    /// These addresses, and those of `default` where there is none.
    pub(crate) fn or(&self, default: Addresses) -> Addresses {
        Addresses::new(
            self.udp.unwrap_or(default.udp),
            self.ws.unwrap_or(default.websocket),
            self.http.unwrap_or(default.http),
        )
    }
}

/// Reads an address.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "expected an IP address and a port, such as 127.0.0.1:9464 or [::1]:9464".to_owned()
    })
}

/// Reads an address in the configuration.
pub(crate) fn address_key<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    let told = |expected| D::Error::custom(format!("invalid value {text:?}: {expected}"));
    address(&text).map(Some).map_err(told)
}

/// Refuses addresses of which one takes the other's place. Events have ports of their own: they come
/// over UDP.
pub(crate) fn check(addresses: Addresses) -> Result<(), Failure> {
    let Addresses { websocket, http, .. } = addresses;
    if !overlap(websocket, http) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--ws {websocket} and --http {http} are the same port: choose another one for either, or \
         port 0 for a free one"
    )))
}

fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let has = |all: IpAddr, it: IpAddr| {
        all == it || (all.is_unspecified() && (all.is_ipv6() || it.is_ipv4()))
    };
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    one.port() != 0 && one.port() == other.port() && (has(a, b) || has(b, a))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn addresses_overlap_where_the_system_refuses_the_second() {
        let ips = ["127.0.0.1", "127.0.0.2", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]"];
        // Err: this machine has no such address.
        let bind = |ip: &str, port: u16| TcpListener::bind(format!("{ip}:{port}"));
        for one in ips.into_iter().filter(|ip: &&str| bind(ip, 0).is_ok()) {
            for other in ips.into_iter().filter(|ip: &&str| bind(ip, 0).is_ok()) {
                // Another program may have the port at the other address: not so at all of these.
                let is_taken = (0..10).all(|_| {
                    let first = bind(one, 0).expect("it was free before");
                    let port = first.local_addr().expect("bound").port();
                    bind(other, port).is_err()
                });
                let at = |ip: &str| format!("{ip}:1").parse().expect("an address");
                assert_eq!(overlap(at(one), at(other)), is_taken, "{one} and {other}");
            }
        }
        let free: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        assert!(!overlap(free, free), "each gets a port of its own");
    }
}
