//! A snapshot as the body of a request.

use std::fmt;
use std::sync::Arc;

use tachograph::Snapshot;

use crate::encoding;
use crate::push::queue::Payload;

type Function = dyn Fn(&Snapshot, &mut Vec<u8>) + Send + Sync;

/// Writes a snapshot as an OTLP `ExportMetricsServiceRequest`, and how it calls itself.
#[derive(Clone)]
pub(crate) struct Encode(pub(crate) Arc<Function>);

impl fmt::Debug for Encode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encode(…)")
    }
}

/// Makes the payloads of one push.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) encode: Encode,
    pub(crate) is_gzip: bool,
    /// The length of the last one: the next is about as long.
    pub(crate) bytes: usize,
}

impl Writer {
    pub(crate) fn write(&mut self, snapshot: &Snapshot) -> Payload {
        let mut body = Vec::with_capacity(self.bytes + self.bytes / 8);
        (self.encode.0)(snapshot, &mut body);
        self.bytes = body.len();
        // Err: the compressor has no memory; it goes as it is.
        let compressed = self.is_gzip.then(|| encoding::gzip(&body).ok()).flatten();
        let is_gzip = compressed.is_some();
        Payload { body: compressed.unwrap_or(body).into(), is_gzip }
    }
}
