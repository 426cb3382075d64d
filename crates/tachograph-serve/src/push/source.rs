//! A snapshot as the body of a request.

use std::fmt;
use std::sync::Arc;

use tachograph::Snapshot;
use tachograph_export::otlp::{Encoder, Encoding, Settings};

use crate::pages::encoding;
use crate::push::queue::Payload;

type Function = dyn Fn(&Snapshot, &mut Vec<u8>) + Send + Sync;

/// How payloads are made.
#[derive(Clone)]
pub(crate) enum Source {
    Otlp(Settings),
    /// A user's function that writes protobuf.
    Function(Arc<Function>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Otlp(settings) => settings.fmt(f),
            Self::Function(_) => f.write_str("Function(…)"),
        }
    }
}

impl Source {
    pub(crate) fn content_type(&self) -> &'static str {
        match self {
            Self::Otlp(settings) => settings.content_type(),
            Self::Function(_) => Encoding::Protobuf.content_type(),
        }
    }

    /// Whether every payload is needed because none repeats what another contains.
    pub(crate) fn is_delta(&self) -> bool {
        matches!(self, Self::Otlp(settings) if settings.is_delta())
    }

    pub(crate) fn writer(self, is_gzip: bool) -> Writer {
        let write = match self {
            Self::Otlp(settings) => Write::Otlp(Box::new(settings.encoder())),
            Self::Function(function) => Write::Function(function),
        };
        Writer { write, is_gzip, bytes: 0 }
    }
}

enum Write {
    Otlp(Box<Encoder>),
    Function(Arc<Function>),
}

/// Makes the payloads of one push.
pub(crate) struct Writer {
    write: Write,
    is_gzip: bool,
    /// The length of the last one; the next will be about as long.
    bytes: usize,
}

impl Writer {
    /// The next payload; `None` if there is nothing to send.
    pub(crate) fn write(&mut self, snapshot: &Snapshot) -> Option<Payload> {
        let mut body = Vec::with_capacity(self.bytes + self.bytes / 8);
        match &mut self.write {
            Write::Function(function) => function(snapshot, &mut body),
            Write::Otlp(encoder) => {
                if encoder.encode(snapshot, &mut body) == 0 {
                    return None;
                }
            }
        }
        self.bytes = body.len();
        // Err: the compressor has no memory, so it is sent uncompressed.
        let compressed =
            self.is_gzip.then(|| encoding::gzip(&body, flate2::Compression::fast()).ok()).flatten();
        let is_gzip = compressed.is_some();
        Some(Payload { body: compressed.unwrap_or(body).into(), is_gzip })
    }
}
