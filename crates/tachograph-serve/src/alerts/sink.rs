//! The destinations of alert changes.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use tachograph_alert::{State, Transition};

use crate::alerts::caller::Callback;
use crate::alerts::outbox::{Outbox, is_news};
use crate::alerts::receiver::Receiver;

/// A sink, as the program configured it.
#[derive(Clone)]
pub(crate) enum Sink {
    Log,
    Callback(Arc<Callback>),
    Channel(SyncSender<Transition>),
    Http(Box<Receiver>),
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Sink {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Callback(_) => "callback",
            Self::Channel(_) => "channel",
            Self::Http(receiver) => receiver.name(),
        }
    }

    /// Delivers a change, or puts it into the outbox of a sink that may take long.
    pub(crate) fn tell(&self, change: &Arc<Transition>, outbox: &Outbox) {
        match self {
            Self::Log => {
                log(change);
                outbox.note(Ok(()));
            }
            Self::Callback(_) => outbox.push(Arc::clone(change)),
            Self::Channel(channel) => {
                let sent = channel.try_send(Transition::clone(change));
                outbox.note(sent.map_err(|error| match error {
                    TrySendError::Full(_) => "it is full".to_owned(),
                    TrySendError::Disconnected(_) => "nobody receives from it".to_owned(),
                }));
            }
            Self::Http(_) if is_news(change) => outbox.push(Arc::clone(change)),
            Self::Http(_) => {}
        }
    }
}

fn log(change: &Transition) {
    let Transition { rule, from, alert, .. } = change;
    let labels: Vec<_> = alert.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let (labels, value, message) = (labels.join(","), &alert.value_text, &alert.message);
    match (from, alert.state) {
        (_, State::Firing) => tracing::warn!(%labels, %value, "{rule} fires: {message}"),
        (State::Firing, _) => tracing::info!(%labels, %value, "{rule} is resolved"),
        (_, State::Pending) => tracing::info!(%labels, %value, "{rule} is pending: {message}"),
        _ => tracing::info!(%labels, %value, "{rule} is no longer pending"),
    }
}
