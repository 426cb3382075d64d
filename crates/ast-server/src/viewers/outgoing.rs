//! Messages on their way to viewers, and the memory that all of them take.
//!
//! # Synchronization
//! `Memory::held` is written by threads that create or drop a message, and read by those that want
//! to create a large one. It guards no other data.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::viewers::message::Text;

/// The memory of all messages that are still to be sent. A message counts once, however many
/// viewers it is for.
#[derive(Debug)]
pub(crate) struct Memory {
    bytes_max: usize,
    held: AtomicUsize,
    freed: Notify,
}

impl Memory {
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, held: AtomicUsize::new(0), freed: Notify::new() })
    }

    /// Counts a message until its last copy is dropped.
    pub(crate) fn hold(self: &Arc<Self>, text: Text) -> Outgoing {
        // Relaxed: the count guards no other data.
        self.held.fetch_add(text.len(), Ordering::Relaxed);
        Outgoing(Arc::new(Held { text, memory: Arc::clone(self) }))
    }

    pub(crate) fn held(&self) -> usize {
        // Relaxed: the count guards no other data.
        self.held.load(Ordering::Relaxed)
    }

    /// Whether messages exceed the limit.
    pub(crate) fn is_short(&self) -> bool {
        self.held() > self.bytes_max
    }

    /// Whether there is room for another message. One larger than half of the limit fits once the
    /// others take less than the other half; with many small messages it would otherwise wait
    /// forever.
    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        self.held() + bytes.min(self.bytes_max / 2) <= self.bytes_max
    }

    /// Waits until a message has been dropped since the last call.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }
}

/// A message for any number of viewers. Cheap to clone: all share its text.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing(Arc<Held>);

#[derive(Debug)]
struct Held {
    text: Text,
    memory: Arc<Memory>,
}

impl Deref for Outgoing {
    type Target = Text;

    fn deref(&self) -> &Text {
        &self.0.text
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Relaxed: the count guards no other data.
        self.memory.held.fetch_sub(self.text.len(), Ordering::Relaxed);
        self.memory.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_once_until_its_last_copy_is_gone() {
        let memory = Memory::new(100);
        let first = memory.hold("x".repeat(60).into());
        let copies = [first.clone(), first.clone()];
        assert_eq!(memory.held(), 60);
        assert!(memory.has_room_for(40) && !memory.has_room_for(41));
        let second = memory.hold("x".repeat(41).into());
        assert!(memory.is_short());
        drop((first, second));
        assert_eq!(memory.held(), 60);
        drop(copies);
        assert_eq!(memory.held(), 0);
    }

    #[test]
    fn a_message_larger_than_the_budget_waits_for_half_of_it() {
        let memory = Memory::new(100);
        let others = memory.hold("x".repeat(51).into());
        assert!(!memory.has_room_for(1_000));
        drop(others);
        let _others = memory.hold("x".repeat(50).into());
        assert!(memory.has_room_for(1_000));
    }
}
