//! Alerts: rules are evaluated with every frame, and changes go to logs, closures, channels and
//! HTTP receivers. Uses the frames of `live` and the client of `push`.

pub(crate) mod body;
pub(crate) mod builder;
pub(crate) mod caller;
pub(crate) mod delivery;
pub(crate) mod outbox;
pub(crate) mod receiver;
pub(crate) mod runtime;
pub(crate) mod sink;
