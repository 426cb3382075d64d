//! OTLP to a receiver: a task makes payloads, another delivers what waits in the queue. Uses none of
//! the other folders but for compression in `pages`.

pub(crate) mod backoff;
pub(crate) mod client;
pub(crate) mod delivery;
pub(crate) mod payload;
pub(crate) mod pusher;
pub(crate) mod pushes;
pub(crate) mod queue;
pub(crate) mod settings;
pub(crate) mod target;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod verdict;
