//! The bodies of answers: made on blocking threads, once for all who ask meanwhile.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use tachograph::MetricsCollector;
use tachograph_export::prometheus::Prometheus;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::encoding::Encoding;
use crate::page::{Page, Writer};
use crate::rendering::{Budget, Rendering};
use crate::scrapes::Scrapes;

/// Makes pages of one collector, each page on one thread at a time.
#[derive(Debug)]
pub(crate) struct Pages {
    metrics: MetricsCollector,
    scrapes: Arc<Scrapes>,
    budget: Budget,
    slots: [Arc<Mutex<Slot>>; Page::ALL.len()],
}

/// A body, and how it is compressed.
pub(crate) type Encoded = (Arc<Rendering>, Encoding);

/// The last bodies of one page.
#[derive(Debug)]
struct Slot {
    writer: Writer,
    made: Option<Made>,
}

/// The bodies of one snapshot.
#[derive(Debug)]
struct Made {
    version: u64,
    /// What was recorded before is in it.
    begun: Instant,
    plain: Arc<Rendering>,
    compressed: [Option<Encoded>; Encoding::ALL.len()],
}

impl Made {
    /// `None` if there is none in this encoding, or no longer.
    fn get(&self, encoding: Encoding) -> Option<Encoded> {
        let found = match encoding {
            Encoding::Identity => Some((Arc::clone(&self.plain), encoding)),
            _ => self.compressed[encoding as usize].clone(),
        };
        found.filter(|(rendering, _)| rendering.body().is_some())
    }
}

impl Pages {
    pub(crate) fn new(
        metrics: MetricsCollector,
        scrapes: Arc<Scrapes>,
        bytes_max: usize,
        prometheus: &Prometheus,
    ) -> Self {
        let slots = Page::ALL.map(|page| {
            let writer = Writer::new(page, prometheus.clone());
            Arc::new(Mutex::new(Slot { writer, made: None }))
        });
        Self { metrics, scrapes, budget: Budget::new(bytes_max), slots }
    }

    pub(crate) fn metrics(&self) -> &MetricsCollector {
        &self.metrics
    }

    /// The body of a page; `None` if making it panicked.
    pub(crate) async fn body(self: Arc<Self>, page: Page, encoding: Encoding) -> Option<Encoded> {
        let arrived = Instant::now();
        // One at a time makes a page. Who waits for it here takes what was made meanwhile.
        let mut slot = Arc::clone(&self.slots[page as usize]).lock_owned().await;
        let fresh = self.fresh(&slot, page, arrived).and_then(|made| made.get(encoding));
        let (body, is_made) = match fresh {
            Some(body) => (body, false),
            None => {
                // The thread owns the slot: its work is kept when the client is gone.
                let pages = Arc::clone(&self);
                let make = move || pages.make(&mut slot, page, arrived, encoding);
                (spawn_blocking(make).await.ok()?, true)
            }
        };
        self.scrapes.note_body(page, body.1, body.0.bytes(), is_made);
        Some(body)
    }

    /// What was made, if it is what a request of this time should see.
    fn fresh<'a>(&self, slot: &'a Slot, page: Page, arrived: Instant) -> Option<&'a Made> {
        let is_fresh = |made: &&Made| match page.is_of_published() {
            true => made.version == self.metrics.snapshot().version(),
            false => made.begun >= arrived,
        };
        slot.made.as_ref().filter(is_fresh)
    }

    fn make(&self, slot: &mut Slot, page: Page, arrived: Instant, encoding: Encoding) -> Encoded {
        let is_fresh = self.fresh(slot, page, arrived).is_some();
        let kept = slot.made.take().filter(|_| is_fresh);
        let kept = kept.and_then(|made| made.plain.body().map(|body| (made, body)));
        let (made, body) = kept.unwrap_or_else(|| self.write(&mut slot.writer, page));
        let made = slot.made.insert(made);
        let encoded = match encoding.compress(&body) {
            Some(compressed) => (self.admit(compressed), encoding),
            None => (Arc::clone(&made.plain), Encoding::Identity),
        };
        made.compressed[encoding as usize] = Some(encoded.clone());
        encoded
    }

    /// A page written anew, from the snapshot that it is of.
    fn write(&self, writer: &mut Writer, page: Page) -> (Made, Bytes) {
        let begun = Instant::now();
        let snapshot = match page.is_of_published() {
            true => self.metrics.snapshot(),
            false => self.metrics.get_all_metrics(),
        };
        let body = writer.write(&snapshot);
        let (version, plain) = (snapshot.version(), self.admit(body.clone()));
        (Made { version, begun, plain, compressed: Default::default() }, body)
    }

    fn admit(&self, body: Bytes) -> Arc<Rendering> {
        let (rendering, given_up) = self.budget.admit(body, Instant::now());
        if given_up > 0 {
            self.scrapes.note_given_up(given_up);
        }
        rendering
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn pages(metrics: &MetricsCollector) -> Arc<Pages> {
        let scrapes = Arc::new(Scrapes::new(metrics));
        Arc::new(Pages::new(metrics.clone(), scrapes, 1 << 20, &Prometheus::new()))
    }

    #[tokio::test]
    async fn scrapes_of_one_snapshot_share_its_bodies() {
        let metrics = MetricsCollector::builder().manual().build();
        (0..99).for_each(|i| metrics.with_tags(&[("i", &i.to_string())]).increment("counter"));
        metrics.run_pass(Instant::now(), SystemTime::now());
        let pages = pages(&metrics);
        for page in Page::ALL.into_iter().filter(|page| page.is_of_published()) {
            let body = |encoding| Arc::clone(&pages).body(page, encoding);
            for encoding in Encoding::ALL {
                let (first, again) = tokio::join!(body(encoding), body(encoding));
                let (first, again) = (first.expect("a body"), again.expect("a body"));
                assert!(Arc::ptr_eq(&first.0, &again.0), "{page:?}");
                assert_eq!(first.1, encoding);
            }
            let (before, _) = body(Encoding::Gzip).await.expect("a body");
            metrics.run_pass(Instant::now(), SystemTime::now());
            let (after, _) = body(Encoding::Gzip).await.expect("a body");
            assert!(!Arc::ptr_eq(&before, &after), "{page:?}");
        }
    }

    #[tokio::test]
    async fn reads_at_the_same_time_share_what_was_begun_after_them_all() {
        let metrics = MetricsCollector::builder().manual().build();
        let pages = pages(&metrics);
        let body = || Arc::clone(&pages).body(Page::Json, Encoding::Identity);
        // Nothing is begun before all have arrived.
        let held = Arc::clone(&pages.slots[Page::Json as usize]).lock_owned().await;
        let (a, b, c, ()) = tokio::join!(body(), body(), body(), async { drop(held) });
        let made = [a, b, c].map(|body| body.expect("a body").0);
        assert!(made.windows(2).all(|two| Arc::ptr_eq(&two[0], &two[1])));
        let (later, _) = body().await.expect("a body");
        assert!(!Arc::ptr_eq(&made[0], &later), "it holds what was recorded since");
    }
}
