//! The queue of one viewer: messages, limited in number and bytes, and its turn for the tree.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::outgoing::Outgoing;

/// The version of messages that do not concern the tree.
pub(crate) const UNVERSIONED: u64 = 0;

/// Messages taken at once, and their bytes; one message is taken whatever its size.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 64 << 10;

/// The limits of a viewer's queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// What a viewer is sent next.
#[derive(Debug)]
pub(crate) enum Next {
    Messages(Vec<Outgoing>),
    /// The tree as it is by then.
    Tree,
}

#[derive(Debug)]
enum Item {
    Tree,
    Message {
        /// The version of the tree that the message leads to.
        version: u64,
        message: Outgoing,
    },
}

#[derive(Debug)]
pub(crate) struct Mailbox {
    limits: Limits,
    waiting: Mutex<Waiting>,
    news: Notify,
    evicted: Notify,
}

#[derive(Debug)]
struct Waiting {
    /// Contains the tree at most once.
    items: VecDeque<Item>,
    bytes: usize,
    is_tree_due: bool,
    /// There was no room for a message, so the tree is due.
    has_lost: bool,
}

impl Mailbox {
    /// For a new viewer: the tree is due.
    pub(crate) fn new(limits: Limits) -> Self {
        let items = VecDeque::from([Item::Tree]);
        let waiting = Waiting { items, bytes: 0, is_tree_due: true, has_lost: false };
        let (news, evicted) = (Notify::new(), Notify::new());
        Self { limits, waiting: Mutex::new(waiting), news, evicted }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics halfway under the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a message. If there is no room, the tree replaces everything that waits. A message
    /// larger than the limit waits alone. Returns whether the viewer will learn what the message
    /// says.
    pub(crate) fn offer(&self, version: u64, message: &Outgoing) -> bool {
        let mut waiting = self.waiting();
        if waiting.is_tree_due && version != UNVERSIONED {
            return !waiting.has_lost;
        }
        let has_room = waiting.bytes == 0 || waiting.bytes + message.len() <= self.limits.bytes;
        if has_room && waiting.messages() < self.limits.messages {
            waiting.bytes += message.len();
            waiting.items.push_back(Item::Message { version, message: message.clone() });
        } else {
            waiting.clear();
            waiting.has_lost = true;
            waiting.put_tree();
        }
        let has_lost = waiting.has_lost;
        drop(waiting);
        self.news.notify_one();
        !has_lost
    }

    /// The tree was replaced: the waiting changes no longer apply.
    pub(crate) fn offer_tree(&self) {
        let mut waiting = self.waiting();
        waiting.items.retain(|item| matches!(item, Item::Message { version: UNVERSIONED, .. }));
        waiting.bytes = waiting.items.iter().map(Item::len).sum();
        waiting.put_tree();
        drop(waiting);
        self.news.notify_one();
    }

    /// Whether something was lost that the viewer has not been told yet.
    pub(crate) fn has_lost(&self) -> bool {
        self.waiting().has_lost
    }

    /// Waits for the next item. Skips changes up to `baseline`, which the viewer knows.
    pub(crate) async fn next(&self, baseline: u64) -> Next {
        loop {
            if let Some(next) = self.waiting().take(baseline) {
                return next;
            }
            self.news.notified().await;
        }
    }

    /// Takes the turn for the tree, if it is next; returns whether something was lost before.
    pub(crate) fn take_tree(&self) -> Option<bool> {
        let mut waiting = self.waiting();
        if !matches!(waiting.items.front(), Some(Item::Tree)) {
            return None;
        }
        waiting.items.pop_front();
        waiting.is_tree_due = false;
        Some(std::mem::take(&mut waiting.has_lost))
    }

    /// Removes everything queued for a viewer that must go.
    pub(crate) fn evict(&self) {
        let mut waiting = self.waiting();
        waiting.clear();
        // It is not sent the tree either, and therefore no changes.
        (waiting.is_tree_due, waiting.has_lost) = (true, true);
        drop(waiting);
        self.evicted.notify_one();
    }

    pub(crate) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Waiting {
    fn messages(&self) -> usize {
        self.items.len().saturating_sub(usize::from(self.is_tree_due))
    }

    fn clear(&mut self) {
        self.items.clear();
        self.bytes = 0;
    }

    fn put_tree(&mut self) {
        self.items.push_back(Item::Tree);
        self.is_tree_due = true;
    }

    fn take(&mut self, baseline: u64) -> Option<Next> {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some(Item::Message { version, message }) = self.items.front() {
            let is_news = *version == UNVERSIONED || *version > baseline;
            if !taken.is_empty() && (taken.len() == BATCH || bytes + message.len() > BATCH_BYTES) {
                break;
            }
            self.bytes -= message.len();
            if is_news {
                bytes += message.len();
                taken.push(message.clone());
            }
            self.items.pop_front();
        }
        if taken.is_empty() {
            return self.items.front().map(|_| Next::Tree);
        }
        Some(Next::Messages(taken))
    }
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Self::Tree => 0,
            Self::Message { message, .. } => message.len(),
        }
    }
}
