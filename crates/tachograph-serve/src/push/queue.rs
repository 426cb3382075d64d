//! Queued payloads, oldest first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tokio::sync::Notify;

/// One request's body, written and compressed.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub(crate) body: Bytes,
    pub(crate) is_gzip: bool,
}

/// A bounded queue. Beyond its limits it drops the oldest payload, because a newer one says more;
/// if it `keeps` all, the caller must check for room first.
#[derive(Debug)]
pub(crate) struct Queue {
    payloads_max: usize,
    bytes_max: usize,
    keeps: bool,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Payload>,
    bytes: usize,
    /// The bytes of the payload that was taken, until it is settled or put back.
    under_way: Option<usize>,
    is_closed: bool,
}

impl State {
    fn pop(&mut self) -> Option<Payload> {
        let payload = self.waiting.pop_front()?;
        self.bytes -= payload.body.len();
        Some(payload)
    }

    /// Drops the oldest payloads until the limits hold, and returns how many. The last one may have
    /// any size.
    fn shrink(&mut self, payloads_max: usize, bytes_max: usize) -> u64 {
        let mut dropped = 0;
        while self.waiting.len() > payloads_max.max(1)
            || (self.waiting.len() > 1 && self.bytes > bytes_max)
        {
            self.pop();
            dropped += 1;
        }
        dropped
    }
}

impl Queue {
    pub(crate) fn new(payloads_max: usize, bytes_max: usize, keeps: bool) -> Self {
        Self { payloads_max, bytes_max, keeps, state: Mutex::default(), changed: Notify::new() }
    }

    /// Whether another payload may be pushed; always true if older ones are dropped.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.state();
        let payloads = state.waiting.len() + usize::from(state.under_way.is_some());
        let bytes = state.bytes + state.under_way.unwrap_or(0);
        !self.keeps || payloads == 0 || (payloads < self.payloads_max && bytes < self.bytes_max)
    }

    /// Appends a payload. Returns how many older ones were dropped for it.
    pub(crate) fn push(&self, payload: Payload) -> u64 {
        let mut state = self.state();
        state.bytes += payload.body.len();
        state.waiting.push_back(payload);
        let dropped = self.shrink(&mut state);
        drop(state);
        self.changed.notify_one();
        dropped
    }

    /// Puts a payload back in its former place. Returns 1 if there is no room for it any more,
    /// because newer ones came.
    pub(crate) fn put_back(&self, payload: Payload) -> u64 {
        let mut state = self.state();
        state.bytes += payload.body.len();
        state.waiting.push_front(payload);
        state.under_way = None;
        self.shrink(&mut state)
    }

    /// The payload that was taken last will not be put back.
    pub(crate) fn settle(&self) {
        self.state().under_way = None;
    }

    fn shrink(&self, state: &mut State) -> u64 {
        if self.keeps { 0 } else { state.shrink(self.payloads_max, self.bytes_max) }
    }

    /// The oldest payload, once there is one; `None` once the queue is closed and empty.
    pub(crate) async fn next(&self) -> Option<Payload> {
        loop {
            {
                let mut state = self.state();
                let payload = state.pop();
                state.under_way = payload.as_ref().map(|payload| payload.body.len());
                if payload.is_some() || state.is_closed {
                    return payload;
                }
            }
            // A push in between is not missed: its permit is stored.
            self.changed.notified().await;
        }
    }

    /// Nothing more will come.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_one();
    }

    pub(crate) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// Nothing can panic while it is locked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(bytes: usize) -> Payload {
        Payload { body: vec![0; bytes].into(), is_gzip: false }
    }

    async fn sizes(queue: &Queue) -> Vec<usize> {
        queue.close();
        let mut sizes = Vec::new();
        while let Some(payload) = queue.next().await {
            sizes.push(payload.body.len());
        }
        sizes
    }

    #[tokio::test]
    async fn beyond_its_bounds_the_oldest_is_dropped() {
        let queue = Queue::new(3, 100, false);
        assert_eq!([1, 2, 3, 4].map(|bytes| queue.push(payload(bytes))), [0, 0, 0, 1]);
        assert_eq!(queue.push(payload(95)), 2, "99 bytes are left");
        assert_eq!(queue.push(payload(1_000)), 2, "alone, any size is fine");
        assert_eq!(sizes(&queue).await, [1_000]);
    }

    #[tokio::test]
    async fn what_is_put_back_is_first_again_unless_newer_ones_took_its_place() {
        let queue = Queue::new(2, 100, false);
        queue.push(payload(1));
        queue.push(payload(2));
        let first = queue.next().await.expect("two are there");
        assert_eq!(queue.put_back(first), 0);
        let first = queue.next().await.expect("two are there");
        assert_eq!(first.body.len(), 1);
        queue.push(payload(3));
        assert_eq!(queue.put_back(first), 1);
        assert_eq!(sizes(&queue).await, [2, 3]);
    }

    #[tokio::test]
    async fn one_that_keeps_all_drops_nothing_and_tells_when_it_is_full() {
        let queue = Queue::new(2, 100, true);
        assert!(queue.has_room());
        assert_eq!(queue.push(payload(1)), 0);
        assert_eq!(queue.push(payload(2)), 0);
        assert!(!queue.has_room());
        let first = queue.next().await.expect("two are there");
        assert!(!queue.has_room(), "it may be put back");
        assert_eq!(queue.put_back(first), 0);
        assert!(!queue.has_room());
        queue.next().await.expect("two are there");
        queue.settle();
        assert!(queue.has_room());
        assert_eq!(queue.push(payload(1_000)), 0);
        assert_eq!(queue.push(payload(3)), 0, "the last one comes in any case");
        assert!(!queue.has_room());
        assert_eq!(sizes(&queue).await, [2, 1_000, 3]);
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_a_payload_and_by_the_end() {
        let queue = Queue::new(2, 100, false);
        let (next, dropped) = tokio::join!(queue.next(), async { queue.push(payload(5)) });
        assert_eq!((next.map(|it| it.body.len()), dropped), (Some(5), 0));
        let (next, ()) = tokio::join!(queue.next(), async { queue.close() });
        assert!(next.is_none());
    }
}
