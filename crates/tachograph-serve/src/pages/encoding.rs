//! The compression of answers.

use std::io::Write;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter bodies are not compressed: they fit one packet anyway.
pub(crate) const COMPRESS_FROM: usize = 1_400;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// Its name in `Content-Encoding`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
        }
    }
}

/// A body compressed; `None` if it is too short, or the compressor refused it. At its fastest: a
/// scrape is read only once, and a core is worth more than a third of its bytes.
pub(crate) fn compress(body: &[u8]) -> Option<Bytes> {
    let is_long = body.len() >= COMPRESS_FROM;
    is_long.then(|| gzip(body, Compression::fast()).ok()).flatten().map(Bytes::from)
}

pub(crate) fn gzip(body: &[u8], level: Compression) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), level);
    encoder.write_all(body)?;
    encoder.finish()
}
