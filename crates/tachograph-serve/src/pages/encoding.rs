//! How an answer is compressed.

use std::io::Write;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter bodies are sent as they are: one packet takes them anyway.
const COMPRESS_FROM: usize = 1_400;

/// A content coding, by what it saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    pub(crate) const ALL: [Self; 2] = [Self::Identity, Self::Gzip];

    /// As `Accept-Encoding` and `Content-Encoding` call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("x-gzip") {
            return Some(Self::Gzip);
        }
        Self::ALL.into_iter().find(|encoding| encoding.name().eq_ignore_ascii_case(name))
    }

    /// The body in this encoding; `None` for it as it is: asked for, too short or refused by the
    /// compressor.
    pub(crate) fn compress(self, body: &[u8]) -> Option<Bytes> {
        if body.len() < COMPRESS_FROM {
            return None;
        }
        match self {
            Self::Identity => None,
            Self::Gzip => gzip(body).ok().map(Bytes::from),
        }
    }
}

/// As gzip, at its fastest level: a scrape is read once, and a core is worth more than a third of
/// its bytes.
pub(crate) fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}
