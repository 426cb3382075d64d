//! The bodies of answers, produced on dedicated threads, once for all requests that arrive
//! meanwhile.
//!
//! Requests send these threads what they want and wait for replies; nothing is locked.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tachograph::MetricsCollector;
use tachograph_export::prometheus::Prometheus;
use tokio::time::sleep_until;

use crate::pages::encoding::{Encoding, compress};
use crate::pages::page::{Page, Writer};
use crate::pages::scrapes::Scrapes;
use crate::pages::summary::Summary;
use crate::thread::Worker;

/// While a client still reads a body of an older snapshot, a new one is produced at this interval,
/// so that slow readers hold few different ones.
const PACE: Duration = Duration::from_secs(1);

/// Produces the pages of one collector.
#[derive(Debug)]
pub(crate) struct Pages {
    metrics: MetricsCollector,
    scrapes: Arc<Scrapes>,
    /// Pages of the published snapshot; separate, because the other pages wait for the aggregator.
    published: Worker<Bodies>,
    read: Worker<Bodies>,
}

/// A body and its encoding.
pub(crate) type Encoded = (Bytes, Encoding);

impl Pages {
    /// # Errors
    /// If a thread cannot be started.
    pub(crate) fn new(
        metrics: MetricsCollector,
        scrapes: Arc<Scrapes>,
        prometheus: &Prometheus,
        summary: Option<&Summary>,
    ) -> io::Result<Self> {
        let bodies = || Bodies::new(metrics.clone(), prometheus.clone(), summary.cloned());
        let start = || Worker::start("tachograph-pages", bodies());
        Ok(Self { published: start()?, read: start()?, scrapes, metrics })
    }

    pub(crate) fn metrics(&self) -> &MetricsCollector {
        &self.metrics
    }

    /// The body of a page; `None` if making it panicked.
    pub(crate) async fn body(&self, page: Page, encoding: Encoding) -> Option<Encoded> {
        let worker = if page.is_of_published() { &self.published } else { &self.read };
        let asked = Asked { page, encoding, arrived: Instant::now() };
        loop {
            match worker.run(move |bodies| bodies.reply(asked)).await? {
                Reply::Body(body, is_made) => {
                    self.scrapes.note_body(page, body.1, body.0.len(), is_made);
                    return Some(body);
                }
                Reply::NotBefore(at) => sleep_until(at.into()).await,
            }
        }
    }
}

/// What a request needs.
#[derive(Clone, Copy, Debug)]
struct Asked {
    page: Page,
    encoding: Encoding,
    arrived: Instant,
}

#[derive(Debug)]
enum Reply {
    /// A body, and whether it had to be produced.
    Body(Encoded, bool),
    /// Ask again at this time.
    NotBefore(Instant),
}

/// The last bodies of each page, and earlier ones that a client still reads.
#[derive(Debug)]
struct Bodies {
    metrics: MetricsCollector,
    prometheus: Prometheus,
    summary: Option<Summary>,
    writers: [Writer; Page::ALL.len()],
    last: [Option<Made>; Page::ALL.len()],
    older: Vec<Bytes>,
}

/// The bodies of one snapshot.
#[derive(Debug)]
struct Made {
    version: u64,
    /// Everything recorded before this is included.
    begun: Instant,
    plain: Bytes,
    gzip: Option<Encoded>,
}

impl Bodies {
    fn new(metrics: MetricsCollector, prometheus: Prometheus, summary: Option<Summary>) -> Self {
        let writer = |page| Writer::new(page, prometheus.clone(), summary.clone());
        let writers = Page::ALL.map(writer);
        let last = Default::default();
        Self { metrics, prometheus, summary, writers, last, older: Vec::new() }
    }

    fn reply(&mut self, asked: Asked) -> Reply {
        let mut is_made = false;
        if !self.is_fresh(asked) {
            match self.not_before(asked.page) {
                None => {
                    self.write(asked.page);
                    is_made = true;
                }
                Some(at) if !asked.page.is_of_published() => return Reply::NotBefore(at),
                // As old as a scrape a moment ago: better than none.
                Some(_) => {}
            }
        }
        let Some(made) = &mut self.last[asked.page as usize] else { unreachable!("it was made") };
        if asked.encoding == Encoding::Identity {
            return Reply::Body((made.plain.clone(), Encoding::Identity), is_made);
        }
        is_made |= made.gzip.is_none();
        let encoded = made.gzip.get_or_insert_with(|| match compress(&made.plain) {
            Some(compressed) => (compressed, Encoding::Gzip),
            None => (made.plain.clone(), Encoding::Identity),
        });
        Reply::Body(encoded.clone(), is_made)
    }

    /// Whether the last body of a page is fresh enough.
    fn is_fresh(&self, asked: Asked) -> bool {
        let Some(made) = &self.last[asked.page as usize] else { return false };
        let is_last = || made.version == self.metrics.snapshot().version();
        made.begun >= asked.arrived || (asked.page.is_of_published() && is_last())
    }

    /// When a page may be written again, if not immediately.
    fn not_before(&mut self, page: Page) -> Option<Instant> {
        self.older.retain(|body| !body.is_empty() && !body.is_unique());
        let last = self.last[page as usize].as_ref().filter(|_| !self.older.is_empty())?;
        Some(last.begun + PACE).filter(|at| *at > Instant::now())
    }

    /// Writes a page from its snapshot.
    fn write(&mut self, page: Page) {
        let begun = Instant::now();
        let snapshot = match page.is_of_published() {
            true => self.metrics.snapshot(),
            false => self.metrics.get_all_metrics(),
        };
        if let Some(Made { plain, gzip, .. }) = self.last[page as usize].take() {
            self.older.extend([Some(plain), gzip.map(|(body, _)| body)].into_iter().flatten());
            // Bodies that no client reads are freed before there is a new one.
            self.older.retain(|body| !body.is_empty() && !body.is_unique());
        }
        // A writer that panics is not used again.
        let fresh = Writer::new(page, self.prometheus.clone(), self.summary.clone());
        let mut writer = std::mem::replace(&mut self.writers[page as usize], fresh);
        let plain = writer.write(&snapshot);
        self.writers[page as usize] = writer;
        let version = snapshot.version();
        self.last[page as usize] = Some(Made { version, begun, plain, gzip: None });
    }
}

#[cfg(test)]
mod tests;
