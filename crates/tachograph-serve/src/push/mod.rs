//! Pushes OTLP to a receiver: one task makes payloads, another delivers the queued ones. Uses none
//! of the other folders except for compression in `pages`. In reading order:
//! - `builder`: the settings
//! - `destination`, `target`, `tls`: where requests go, how to connect, which certificates count
//! - `source`, `queue`: a snapshot as a request's body, and those that wait
//! - `client`: one exchange with the receiver, and its deadline
//! - `verdict`, `backoff`: what an answer means, and the wait after a failure
//! - `delivery`: sends what is queued
//! - `pusher`: the running push, and the deadline of its shutdown
//! - `report`: the push's own metrics

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
