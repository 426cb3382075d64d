//! The bodies of answers: made on blocking threads, once for all who ask meanwhile.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::Bytes;
use tachograph::MetricsCollector;
use tachograph_export::prometheus::Prometheus;
use tokio::sync::{self, Notify, OwnedMutexGuard};
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
    slots: [Slot; Page::ALL.len()],
}

/// A body, and how it is compressed.
pub(crate) type Encoded = (Arc<Rendering>, Encoding);

/// The last bodies of one page.
#[derive(Debug)]
struct Slot {
    /// Whoever has it makes bodies. It is tried, never waited for.
    writer: Arc<sync::Mutex<Writer>>,
    made: Mutex<Option<Made>>,
    /// Tells all who wait that the writer can be had again.
    free: Notify,
}

impl Slot {
    fn new(writer: Writer) -> Self {
        let writer = Arc::new(sync::Mutex::new(writer));
        Self { writer, made: Mutex::default(), free: Notify::new() }
    }

    /// Nothing can panic while it is locked.
    fn made(&self) -> MutexGuard<'_, Option<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request wants.
#[derive(Clone, Copy, Debug)]
struct Asked {
    page: Page,
    encoding: Encoding,
    arrived: Instant,
}

/// The right to make bodies of one page.
#[derive(Debug)]
struct Turn {
    writer: OwnedMutexGuard<Writer>,
    /// Dropped after the writer, so that who is told finds it free.
    end: End,
}

/// The end of a turn, be it a panic: all who wait try again.
#[derive(Debug)]
struct End {
    pages: Arc<Pages>,
    page: Page,
}

impl Drop for End {
    fn drop(&mut self) {
        self.pages.slot(self.page).free.notify_waiters();
    }
}

impl Turn {
    /// A body, and whether it had to be made.
    fn make(mut self, asked: Asked) -> (Encoded, bool) {
        let pages = Arc::clone(&self.end.pages);
        // Made by somebody else just before this turn.
        if let Some(body) = pages.shared(asked) {
            return (body, false);
        }
        let kept = pages.plain(asked);
        let (plain, body) = kept.unwrap_or_else(|| pages.write(&mut self.writer, asked.page));
        let encoded = match asked.encoding.compress(&body) {
            Some(compressed) => (pages.admit(compressed), asked.encoding),
            None => (plain, Encoding::Identity),
        };
        if let Some(made) = &mut *pages.slot(asked.page).made() {
            made.compressed[asked.encoding as usize] = Some(encoded.clone());
        }
        (encoded, true)
    }
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
        let slots = Page::ALL.map(|page| Slot::new(Writer::new(page, prometheus.clone())));
        Self { metrics, scrapes, budget: Budget::new(bytes_max), slots }
    }

    pub(crate) fn metrics(&self) -> &MetricsCollector {
        &self.metrics
    }

    /// The body of a page; `None` if making it panicked.
    pub(crate) async fn body(self: Arc<Self>, page: Page, encoding: Encoding) -> Option<Encoded> {
        let arrived = Instant::now();
        let asked = Asked { page, encoding, arrived };
        let (body, is_made) = loop {
            // Before the look, so that nobody's end is missed.
            let mut free = pin!(self.slot(page).free.notified());
            free.as_mut().enable();
            if let Some(body) = self.shared(asked) {
                break (body, false);
            }
            if let Some(turn) = self.turn(page) {
                // The thread owns the turn: its work is kept when the client is gone.
                break spawn_blocking(move || turn.make(asked)).await.ok()?;
            }
            // All at once: in a queue, each would wait until those before it have been polled.
            free.await;
        };
        self.scrapes.note_body(page, body.1, body.0.bytes(), is_made);
        Some(body)
    }

    fn slot(&self, page: Page) -> &Slot {
        &self.slots[page as usize]
    }

    /// `None` while somebody else makes a body of this page.
    fn turn(self: &Arc<Self>, page: Page) -> Option<Turn> {
        let writer = Arc::clone(&self.slot(page).writer).try_lock_owned().ok()?;
        Some(Turn { writer, end: End { pages: Arc::clone(self), page } })
    }

    /// What was made for others, if it will do.
    fn shared(&self, asked: Asked) -> Option<Encoded> {
        let made = self.slot(asked.page).made();
        made.as_ref()
            .filter(|made| self.is_fresh(made, asked))
            .and_then(|it| it.get(asked.encoding))
    }

    /// Whether a request should see what was made.
    fn is_fresh(&self, made: &Made, asked: Asked) -> bool {
        let is_last = || made.version == self.metrics.snapshot().version();
        made.begun >= asked.arrived || (asked.page.is_of_published() && is_last())
    }

    /// The uncompressed body, if it will do and is still there.
    fn plain(&self, asked: Asked) -> Option<(Arc<Rendering>, Bytes)> {
        let made = self.slot(asked.page).made();
        let made = made.as_ref().filter(|made| self.is_fresh(made, asked))?;
        made.plain.body().map(|body| (Arc::clone(&made.plain), body))
    }

    /// A page written anew, from the snapshot that it is of. What was made before goes first.
    fn write(&self, writer: &mut Writer, page: Page) -> (Arc<Rendering>, Bytes) {
        *self.slot(page).made() = None;
        let begun = Instant::now();
        let snapshot = match page.is_of_published() {
            true => self.metrics.snapshot(),
            false => self.metrics.get_all_metrics(),
        };
        let body = writer.write(&snapshot);
        let (version, plain) = (snapshot.version(), self.admit(body.clone()));
        let made =
            Made { version, begun, plain: Arc::clone(&plain), compressed: Default::default() };
        *self.slot(page).made() = Some(made);
        (plain, body)
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
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::SystemTime;

    use tokio::task::{JoinSet, yield_now};

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
        let held = pages.turn(Page::Json).expect("nobody else's");
        let (a, b, c, ()) = tokio::join!(body(), body(), body(), async { drop(held) });
        let made = [a, b, c].map(|body| body.expect("a body").0);
        assert!(made.windows(2).all(|two| Arc::ptr_eq(&two[0], &two[1])));
        let (later, _) = body().await.expect("a body");
        assert!(!Arc::ptr_eq(&made[0], &later), "it holds what was recorded since");
    }

    #[tokio::test]
    async fn all_who_wait_for_a_body_get_it_at_once() {
        const READERS: usize = 100;
        let pages = pages(&MetricsCollector::builder().manual().build());
        let held = pages.turn(Page::Text).expect("nobody else's");
        let body = |_| Arc::clone(&pages).body(Page::Text, Encoding::Identity);
        let mut readers: JoinSet<_> = (0..READERS).map(body).collect();
        yield_now().await;
        let (page, encoding) = (Page::Text, Encoding::Identity);
        assert!(held.make(Asked { page, encoding, arrived: Instant::now() }).1);
        let (mut left, mut rounds) = (READERS, 0);
        // In each, all who were woken are polled.
        let count_rounds = poll_fn(move |cx| {
            cx.waker().wake_by_ref();
            rounds += 1;
            left -= std::iter::from_fn(|| readers.try_join_next()).count();
            if left == 0 { Poll::Ready(rounds) } else { Poll::Pending }
        });
        let rounds = tokio::spawn(count_rounds).await.expect("no panic");
        assert!(rounds <= 3, "{rounds} rounds");
    }

    #[tokio::test]
    async fn a_body_whose_making_panics_keeps_nobody_waiting() {
        let pages = pages(&MetricsCollector::builder().manual().build());
        let turn = pages.turn(Page::Text).expect("nobody else's");
        let waiting = tokio::spawn(Arc::clone(&pages).body(Page::Text, Encoding::Identity));
        yield_now().await;
        let panics = move || Some(turn).filter(|_| panic!("as a bug would"));
        assert!(spawn_blocking(panics).await.is_err());
        assert!(waiting.await.expect("no panic").is_some());
    }
}
