//! Posts the queued changes for one receiver.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tachograph_alert::{State, Transition};
use tokio::time::{Instant, sleep, sleep_until};

use crate::alerts::body::{self, Known};
use crate::alerts::outbox::Outbox;
use crate::alerts::receiver::{Form, Receiver};
use crate::error::Error;
use crate::push::backoff::Backoff;
use crate::push::client::Client;
use crate::push::queue::Payload;
use crate::push::verdict::Verdict;
use crate::quiet::Quiet;

/// The repeat interval. Firing alerts must be sent to Alertmanager again and again; Prometheus uses
/// the same interval.
const AGAIN: Duration = Duration::from_secs(60);

/// How long resolved alerts are sent to Alertmanager.
const RESOLVED_FOR: Duration = Duration::from_secs(300);

/// Alerts per request to Alertmanager.
const BATCH: usize = 64;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The sending side of one receiver.
#[derive(Debug)]
pub(crate) struct Delivery {
    outbox: Arc<Outbox>,
    client: Client,
    form: Form,
    page: Arc<str>,
    backoff: Backoff,
    delays: Quiet,
    /// The alerts that were sent to Alertmanager, by labels.
    known: HashMap<Arc<BTreeMap<String, String>>, Known>,
}

/// Why a request failed.
struct Failed {
    reason: String,
    is_final: bool,
    wait: Duration,
}

impl Delivery {
    /// # Errors
    /// If the URL is `https` and no authority is trusted.
    pub(crate) fn new(
        receiver: Receiver,
        outbox: Arc<Outbox>,
        page: Arc<str>,
    ) -> Result<Self, Error> {
        Ok(Self {
            outbox,
            form: receiver.form,
            client: receiver.client()?,
            page,
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE, fastrand::Rng::new()),
            delays: Quiet::default(),
            known: HashMap::new(),
        })
    }

    /// Delivers until the outbox is closed and empty.
    pub(crate) async fn run(mut self) {
        let mut again = Instant::now() + AGAIN;
        loop {
            while self.deliver().await {}
            if self.outbox.is_closed() {
                return;
            }
            tokio::select! {
                () = self.outbox.changed() => {}
                () = sleep_until(again), if self.form == Form::Alertmanager => {
                    self.repeat().await;
                    again = Instant::now() + AGAIN;
                }
            }
        }
    }

    /// Tries to deliver the oldest changes once; returns whether there were any.
    async fn deliver(&mut self) -> bool {
        let batch = self.outbox.batch(if self.form == Form::Alertmanager { BATCH } else { 1 });
        let Some(first) = batch.first() else { return false };
        let now: Vec<_> = batch.iter().map(|change| self.known(change)).collect();
        let body = match self.form {
            Form::Webhook => body::webhook(first, &self.page),
            Form::Alertmanager => body::alertmanager(&now, SystemTime::now(), &self.page),
        };
        match self.post(body).await {
            Ok(()) => {
                self.outbox.take();
                self.backoff.reset();
                let known = now.into_iter().map(|known| (Arc::clone(&known.alert.labels), known));
                self.known.extend(known.filter(|_| self.form == Form::Alertmanager));
            }
            Err(failed) if failed.is_final => {
                self.warn(&failed.reason, "these changes of alerts are dropped");
                self.outbox.refuse(failed.reason);
            }
            Err(failed) => {
                self.warn(&failed.reason, "they are sent again");
                self.outbox.fail(failed.reason);
                sleep(self.backoff.next().max(failed.wait)).await;
            }
        }
        true
    }

    /// Sends Alertmanager all firing alerts again, and those resolved recently.
    async fn repeat(&mut self) {
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let oldest = since.saturating_sub(RESOLVED_FOR).as_millis();
        self.known.retain(|_, it| it.ended_ms.is_none_or(|ended| u128::from(ended) >= oldest));
        let mut all: Vec<_> = self.known.values().collect();
        all.sort_by_key(|known| known.started_ms);
        let bodies: Vec<_> = all
            .chunks(BATCH)
            .map(|some| body::alertmanager(some.iter().copied(), now, &self.page))
            .collect();
        for body in bodies {
            if let Err(failed) = self.post(body).await {
                self.warn(&failed.reason, "they are sent again");
                self.outbox.fail(failed.reason);
                return;
            }
        }
    }

    async fn post(&mut self, body: Vec<u8>) -> Result<(), Failed> {
        let payload = Payload { body: body.into(), is_gzip: false };
        let failed = |reason: String| Failed { reason, is_final: false, wait: Duration::ZERO };
        match self.client.send(&payload).await {
            Ok(Verdict::Taken { .. }) => Ok(()),
            Ok(Verdict::Later(wait)) => {
                let told = failed("it asks to retry later".to_owned());
                Err(Failed { wait: wait.unwrap_or_default(), ..told })
            }
            Ok(Verdict::Refused(status)) => {
                let is_final = status.is_client_error() && status.as_u16() != 408;
                Err(Failed { is_final, ..failed(format!("it answered with the status {status}")) })
            }
            Err(reason) => Err(failed(reason.to_string())),
        }
    }

    /// An alert after a change, with the time when it started firing.
    fn known(&self, change: &Transition) -> Known {
        let mut known = Known {
            alert: change.alert.clone(),
            started_ms: change.at_ms,
            ended_ms: (change.alert.state != State::Firing).then_some(change.at_ms),
        };
        if known.ended_ms.is_some() {
            let before = self.known.get(&known.alert.labels);
            known.started_ms = before.map_or(known.started_ms, |before| before.started_ms);
        }
        known
    }

    fn warn(&mut self, why: &dyn fmt::Display, what: &str) {
        if self.delays.may_speak() {
            let host = &self.client.target.host;
            tracing::warn!("alerts could not be delivered to {host}: {why}; {what}");
        }
    }
}

#[cfg(test)]
mod tests;
