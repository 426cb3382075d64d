//! The bodies of answers, made on blocking threads.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use tachograph::MetricsCollector;
use tachograph_export::{MetricsExporter, json, prometheus};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Bodies that are made at the same time: each may hold megabytes, and a thread of the runtime
/// that others need too.
const AT_ONCE: usize = 4;

/// A page that takes its time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Page {
    Prometheus,
    Json,
    Summary,
}

impl Page {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus::CONTENT_TYPE,
            Self::Json | Self::Summary => json::CONTENT_TYPE,
        }
    }
}

/// Makes pages of one collector.
#[derive(Debug)]
pub(crate) struct Pages {
    metrics: MetricsCollector,
    /// The version of the snapshot that was last written as text, and the text.
    last_text: Mutex<Option<(u64, Bytes)>>,
    slots: Arc<Semaphore>,
}

impl Pages {
    pub(crate) fn new(metrics: MetricsCollector) -> Self {
        Self { metrics, last_text: Mutex::default(), slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    pub(crate) fn metrics(&self) -> &MetricsCollector {
        &self.metrics
    }

    /// The body of a page; `None` if making it panicked.
    pub(crate) async fn body(self: Arc<Self>, page: Page) -> Option<Bytes> {
        // The closure owns the permit: its work goes on when the client is gone.
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok()?;
        let make = move || {
            let _slot = slot;
            self.make(page)
        };
        spawn_blocking(make).await.ok()?
    }

    fn make(&self, page: Page) -> Option<Bytes> {
        match page {
            Page::Prometheus => Some(self.text()),
            Page::Json => {
                let mut body = Vec::new();
                let snapshot = self.metrics.get_all_metrics();
                json::encode(&snapshot, json::Options::default(), &mut body);
                Some(body.into())
            }
            Page::Summary => {
                let summary = MetricsExporter::to_summary(&self.metrics.get_all_metrics());
                serde_json::to_vec(&summary).ok().map(Bytes::from)
            }
        }
    }

    /// The text of the last published snapshot, made once however many ask for it.
    fn text(&self) -> Bytes {
        // Poisoned by a panic while writing: what was there before still holds.
        let mut last = self.last_text.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = self.metrics.snapshot();
        if let Some((version, text)) = &*last
            && *version == snapshot.version()
        {
            return text.clone();
        }
        let mut text = String::new();
        prometheus::encode(&snapshot, &mut text);
        let text = Bytes::from(text);
        *last = Some((snapshot.version(), text.clone()));
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use super::*;

    #[test]
    fn scrapes_of_one_snapshot_share_its_text() {
        let metrics = MetricsCollector::builder().manual().build();
        let pages = Pages::new(metrics.clone());
        let first = pages.text();
        assert_eq!(first.as_ptr(), pages.text().as_ptr());
        metrics.run_pass(Instant::now(), SystemTime::now());
        assert_ne!(first.as_ptr(), pages.text().as_ptr());
    }
}
