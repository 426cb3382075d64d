//! The compression of answers.

use std::io::Write;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter bodies are not compressed: they fit one packet anyway.
pub(crate) const COMPRESS_FROM: usize = 1_400;

/// A content coding, ordered by how much it saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    pub(crate) const ALL: [Self; 2] = [Self::Identity, Self::Gzip];

    /// Its name in `Accept-Encoding` and `Content-Encoding`.
    pub(crate) const fn name(self) -> &'static str {
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

    /// The body in this encoding; `None` to send it unchanged: because that was requested, it is
    /// too short, or the compressor refused it.
    pub(crate) fn compress(self, body: &[u8]) -> Option<Bytes> {
        if body.len() < COMPRESS_FROM {
            return None;
        }
        match self {
            Self::Identity => None,
            // At its fastest: a scrape is read only once, and a core is worth more than a third of
            // its bytes.
            Self::Gzip => gzip(body, Compression::fast()).ok().map(Bytes::from),
        }
    }
}

pub(crate) fn gzip(body: &[u8], level: Compression) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), level);
    encoder.write_all(body)?;
    encoder.finish()
}
