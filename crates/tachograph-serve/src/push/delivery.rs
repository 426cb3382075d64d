//! Sends the queued payloads, oldest first, until the queue is closed and empty.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::push::backoff::Backoff;
use crate::push::client::Client;
use crate::push::pusher::Shared;
use crate::push::queue::Payload;
use crate::push::report::{Loss, Outcome};
use crate::push::verdict::Verdict;
use crate::quiet::Quiet;

/// The sending side of a push.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) shared: Arc<Shared>,
    pub(crate) client: Client,
    pub(crate) backoff: Backoff,
    /// The deadline for everything, once it is known.
    pub(crate) deadline: watch::Receiver<Option<Instant>>,
    pub(crate) refusals: Quiet,
    pub(crate) delays: Quiet,
}

impl Delivery {
    pub(crate) async fn run(mut self) {
        while let Some(payload) = self.shared.queue.next().await {
            let shared = Arc::clone(&self.shared);
            let pushes = &shared.pushes;
            let begun = Instant::now();
            let verdict = self.client.send(&payload).await;
            let took = begun.elapsed();
            match verdict {
                Ok(Verdict::Taken { rejected }) => {
                    self.shared.queue.settle();
                    pushes.note_attempt(Outcome::Taken, took);
                    pushes.note_delivered(rejected);
                    self.backoff.reset();
                }
                Ok(Verdict::Refused(status)) => {
                    self.shared.queue.settle();
                    self.warn_refused(status);
                    pushes.note_attempt(Outcome::Refused, took);
                    pushes.note_dropped(Loss::Refused, 1);
                    self.backoff.reset();
                }
                Ok(Verdict::Later(wait)) => {
                    pushes.note_attempt(Outcome::Later, took);
                    self.warn_not_taken(&"it has no time for them now");
                    self.again(payload, wait).await;
                }
                Err(failure) => {
                    pushes.note_attempt(Outcome::Unanswered, took);
                    self.warn_not_taken(&failure);
                    self.again(payload, None).await;
                }
            }
            self.shared.pushes.note_waiting(self.shared.queue.len());
        }
    }

    /// Puts a payload back and waits: for the back-off, or longer if the receiver asks for it.
    async fn again(&mut self, payload: Payload, asked: Option<Duration>) {
        let dropped = self.shared.queue.put_back(payload);
        self.shared.pushes.note_dropped(Loss::QueueFull, dropped);
        let (now, own) = (Instant::now(), self.backoff.next());
        let asked = now + asked.unwrap_or_default();
        let is_ending = self.deadline.borrow_and_update().is_some();
        if !is_ending {
            tokio::select! {
                () = sleep_until(now + own) => {}
                // This wait was our own choice; at the end there is no time for it.
                _ = self.deadline.changed() => self.backoff.reset(),
            }
        } else {
            sleep_until(now + own).await;
        }
        sleep_until(asked).await;
    }

    fn warn_refused(&mut self, status: StatusCode) {
        if self.refusals.may_speak() {
            let host = &self.client.target.host;
            let why = match status.is_redirection() {
                true => "redirects are not followed: push to where it leads",
                false => "such payloads are dropped",
            };
            tracing::warn!("{host} refuses pushed metrics with the status {status}; {why}");
        }
    }

    fn warn_not_taken(&mut self, why: &dyn fmt::Display) {
        if self.delays.may_speak() {
            let host = &self.client.target.host;
            tracing::warn!("{host} takes no pushed metrics: {why}; they are sent again");
        }
    }
}
