//! Sends what waits in the queue, the oldest first, until it is closed and empty.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::push::backoff::Backoff;
use crate::push::client::Client;
use crate::push::pusher::Shared;
use crate::push::pushes::{Loss, Outcome};
use crate::push::queue::Payload;
use crate::push::verdict::Verdict;

/// The sending side of a push.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) shared: Arc<Shared>,
    pub(crate) client: Client,
    pub(crate) backoff: Backoff,
    /// Until when all has to be done, once that is known.
    pub(crate) deadline: watch::Receiver<Option<Instant>>,
}

impl Delivery {
    pub(crate) async fn run(mut self) {
        while let Some(payload) = self.shared.queue.next().await {
            let pushes = &self.shared.pushes;
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
                Ok(Verdict::Refused) => {
                    self.shared.queue.settle();
                    pushes.note_attempt(Outcome::Refused, took);
                    pushes.note_dropped(Loss::Refused, 1);
                    self.backoff.reset();
                }
                Ok(Verdict::Later(wait)) => {
                    pushes.note_attempt(Outcome::Later, took);
                    self.again(payload, wait).await;
                }
                Err(_) => {
                    pushes.note_attempt(Outcome::Unanswered, took);
                    self.again(payload, None).await;
                }
            }
            self.shared.pushes.note_waiting(self.shared.queue.len());
        }
    }

    /// Puts a payload back and waits: as long as the receiver asks for and the back-off is.
    async fn again(&mut self, payload: Payload, asked: Option<Duration>) {
        let dropped = self.shared.queue.put_back(payload);
        self.shared.pushes.note_dropped(Loss::QueueFull, dropped);
        let wait = self.backoff.next().max(asked.unwrap_or_default());
        // Further away than anything runs.
        const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
        let until = Instant::now() + wait.min(NEVER);
        let is_ending = self.deadline.borrow_and_update().is_some();
        if is_ending || asked.is_some() {
            sleep_until(until).await;
            return;
        }
        tokio::select! {
            () = sleep_until(until) => {}
            // The wait was this side's own: at the end there is no time for it.
            _ = self.deadline.changed() => self.backoff.reset(),
        }
    }
}
