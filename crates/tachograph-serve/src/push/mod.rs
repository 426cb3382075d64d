//! Pushes OTLP to a receiver: one task makes payloads, another delivers the queued ones. Uses none
//! of the other folders except for compression in `pages`.

pub(crate) mod backoff;
pub(crate) mod builder;
pub(crate) mod client;
pub(crate) mod delivery;
pub(crate) mod destination;
pub(crate) mod pusher;
pub(crate) mod queue;
pub(crate) mod report;
pub(crate) mod source;
pub(crate) mod target;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod verdict;
