//! The lines for listeners; each is encoded once for all of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tachograph_history::{Definition, Depth, Frame, History, Meta};
use tokio::sync::watch;

/// The remembered frames as server-sent events, with their numbers.
#[derive(Debug)]
pub(crate) struct Lines {
    told: Mutex<Told>,
    /// Changes with every frame, and at the end.
    is_ended: watch::Sender<bool>,
    /// Bytes that the texts may take.
    bytes_max: usize,
}

#[derive(Debug)]
struct Told {
    meta: Bytes,
    /// By the ids of their series.
    definitions: BTreeMap<u32, Bytes>,
    /// Every series below this id is defined.
    known: u32,
    events: VecDeque<Event>,
    bytes: usize,
    /// The number of the very first frame, and of the next one.
    first: u64,
    next: u64,
}

#[derive(Debug)]
struct Event {
    /// Series below this id must be defined before it.
    known: u32,
    text: Bytes,
}

/// A listener's reading position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The next frame.
    pub(crate) next: u64,
    has_meta: bool,
    defined: u32,
}

impl Place {
    pub(crate) fn before(next: u64) -> Self {
        Self { next, has_meta: false, defined: 0 }
    }
}

/// What a listener reads next.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    Text(Bytes),
    /// This many frames were dropped: the listener did not keep up.
    Lost(u64),
}

/// A line as a server-sent event.
pub(crate) fn event(kind: &str, id: Option<u64>, line: &str) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("event: {kind}\n{id}data: {}\n\n", line.trim_end()).into()
}

impl Lines {
    /// Frames are numbered from `first`.
    pub(crate) fn new(meta: &Meta, first: u64, bytes_max: usize) -> Self {
        let told = Told {
            meta: event("meta", None, &meta.to_line()),
            definitions: BTreeMap::new(),
            known: 0,
            events: VecDeque::new(),
            bytes: 0,
            first,
            next: first,
        };
        Self { told: Mutex::new(told), is_ended: watch::Sender::new(false), bytes_max }
    }

    /// Adds a frame, and drops what the history has dropped.
    pub(crate) fn add(&self, frame: &Frame, new: &[Arc<Definition>], history: &History) {
        let mut told = self.told();
        for definition in new {
            let text = event("series", None, &definition.to_line());
            told.definitions.insert(definition.number, text);
            told.known = told.known.max(definition.number.saturating_add(1));
        }
        if told.definitions.len() > history.definitions().count() {
            told.definitions.retain(|number, _| history.definition(*number).is_some());
        }
        let text = event("frame", Some(told.next), &frame.to_line());
        let known = told.known;
        told.next += 1;
        told.bytes += text.len();
        told.events.push_back(Event { known, text });
        let remembered = history.frames(Depth::Fine).count();
        while told.events.len() > remembered.max(1)
            || (told.bytes > self.bytes_max && told.events.len() > 1)
        {
            let forgotten = told.events.pop_front().map_or(0, |event| event.text.len());
            told.bytes -= forgotten;
        }
        drop(told);
        self.is_ended.send_modify(|_| {});
    }

    /// No more frames will come.
    pub(crate) fn end(&self) {
        self.is_ended.send_replace(true);
    }

    /// Changes with every frame; the value says whether it was the last.
    pub(crate) fn changes(&self) -> watch::Receiver<bool> {
        self.is_ended.subscribe()
    }

    /// The position before the newest `frames` frames, or before the oldest one available.
    pub(crate) fn back(&self, frames: usize) -> Place {
        Place::before(self.told().next.saturating_sub(frames as u64))
    }

    /// The position after a frame of this process.
    pub(crate) fn after(&self, number: u64) -> Option<Place> {
        let told = self.told();
        (told.first..told.next).contains(&number).then(|| Place::before(number + 1))
    }

    /// The meta line and the definitions known so far.
    pub(crate) fn read_definitions(&self, place: &mut Place) -> Option<Bytes> {
        let told = self.told();
        told.read_definitions(place, told.known)
    }

    /// The next piece; `None` if the listener has read everything.
    pub(crate) fn read(&self, place: &mut Place) -> Option<Piece> {
        let told = self.told();
        let oldest = told.next - told.events.len() as u64;
        if place.has_meta && place.next < oldest {
            let lost = oldest - place.next;
            place.next = oldest;
            return Some(Piece::Lost(lost));
        }
        let event = place.next.checked_sub(oldest).and_then(|at| told.events.get(at as usize));
        let known = event.map_or(0, |event| event.known);
        let text = told.read_definitions(place, known).or_else(|| {
            place.next += u64::from(event.is_some());
            event.map(|event| event.text.clone())
        });
        text.map(Piece::Text)
    }

    /// Nothing can panic while it is locked, except for lack of memory.
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    /// The meta line, or the next definition below `known`.
    fn read_definitions(&self, place: &mut Place, known: u32) -> Option<Bytes> {
        if !std::mem::replace(&mut place.has_meta, true) {
            return Some(self.meta.clone());
        }
        if place.defined >= known {
            return None;
        }
        let next = self.definitions.range(place.defined..known).next();
        place.defined = next.map_or(known, |(number, _)| number + 1);
        next.map(|(_, text)| text.clone())
    }
}
