//! The frames of the last minutes, in two depths.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tachograph::{ExportedNames, Series, Snapshot};

use crate::definition::Definition;
use crate::frame::{Frame, Mark, milliseconds};
use crate::standing::Standing;

/// How much a history keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The interval between frames; 1 s by default, at least 1 ms.
    pub step: Duration,
    /// How far back single frames reach; 10 minutes by default.
    pub fine: Duration,
    /// How far back merged frames reach; 2 hours by default.
    pub coarse: Duration,
    /// The number of frames in a merged one; 10 by default.
    pub merge: u32,
    /// The maximum bytes of frames and definitions; 16 MiB by default. Each depth gets half of it.
    /// The newest frame and the definitions of its series are kept in any case.
    pub bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            step: Duration::from_secs(1),
            fine: Duration::from_secs(600),
            coarse: Duration::from_secs(7_200),
            merge: 10,
            bytes: 16 << 20,
        }
    }
}

/// One of the two depths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Single frames.
    Fine,
    /// Merged frames.
    Coarse,
}

/// The frames of the last minutes of one collector.
///
/// Not shared between threads: the thread that makes frames owns it, and readers get `Arc`s of
/// frames. A clone shares the frames.
#[derive(Clone, Debug)]
pub struct History {
    settings: Settings,
    last: Option<Arc<Snapshot>>,
    numbers: HashMap<Arc<str>, u32>,
    definitions: BTreeMap<u32, Arc<Definition>>,
    next_number: u32,
    definition_bytes: usize,
    fine: Frames,
    coarse: Frames,
    /// A merged frame that is not complete, and the place of its first frame.
    merging: Option<(Frame, u64)>,
    /// Frames pushed so far.
    pushed: u64,
}

/// One depth.
#[derive(Clone, Debug, Default)]
struct Frames {
    held: VecDeque<Held>,
    bytes: usize,
    /// The gauges before the oldest one.
    before: Standing,
}

#[derive(Clone, Debug)]
struct Held {
    frame: Arc<Frame>,
    bytes: usize,
    /// The places, in the order of pushing, of the single frames merged into it.
    places: RangeInclusive<u64>,
}

impl Frames {
    fn push(&mut self, frame: Arc<Frame>, places: RangeInclusive<u64>) {
        let bytes = frame.bytes();
        self.bytes += bytes;
        self.held.push_back(Held { frame, bytes, places });
    }

    /// Drops the oldest frames that end before `from_ms` or exceed `bytes_max`, but not the newest
    /// `kept` frames.
    fn drop_oldest(&mut self, from_ms: u64, bytes_max: usize, kept: usize) {
        while self.held.len() > kept
            && let Some(oldest) = self.held.front()
            && (oldest.frame.end_ms < from_ms || self.bytes() > bytes_max)
        {
            self.bytes -= oldest.bytes;
            self.before.note(&oldest.frame);
            self.held.pop_front();
        }
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Frame>> {
        self.held.iter().map(|held| &held.frame)
    }

    fn bytes(&self) -> usize {
        self.bytes + self.before.bytes()
    }

    /// The start of the oldest frame.
    fn begin_ms(&self) -> Option<u64> {
        self.iter().next().map(|frame| frame.end_ms.saturating_sub(frame.span_ms))
    }
}

impl History {
    /// An empty history.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            last: None,
            numbers: HashMap::new(),
            definitions: BTreeMap::new(),
            next_number: 0,
            definition_bytes: 0,
            fine: Frames::default(),
            coarse: Frames::default(),
            merging: None,
            pushed: 0,
        }
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Makes and stores the frame from the previous snapshot to this one; also returns the
    /// definitions that first appear in it. `None` if the snapshot is not newer.
    ///
    /// The first frame contains everything recorded before, and is marked [`Mark::Start`]. Costs a
    /// pass over the buckets of the series that changed.
    pub fn record(
        &mut self,
        snapshot: &Arc<Snapshot>,
    ) -> Option<(Arc<Frame>, Vec<Arc<Definition>>)> {
        let last = self.last.replace(Arc::clone(snapshot));
        let names = snapshot.exported_names();
        let first_new = self.next_number;
        let frame = match &last {
            Some(last) if last.version() >= snapshot.version() => return None,
            Some(last) => {
                let mut frame =
                    Frame::between(last, snapshot, |series| self.number_of(series, names));
                if snapshot.generation() != last.generation() {
                    frame.marks.push(Mark::Reset);
                }
                if frame.is_late(self.settings.step) {
                    frame.marks.push(Mark::Gap);
                }
                frame
            }
            None => Frame::whole(snapshot, |series| self.number_of(series, names)),
        };
        let frame = Arc::new(frame);
        let new = self.definitions.range(first_new..).map(|(_, it)| Arc::clone(it)).collect();
        self.push(&frame);
        Some((frame, new))
    }

    /// Stores a frame that was made elsewhere, for example one read from a file.
    pub fn push(&mut self, frame: &Arc<Frame>) {
        let place = self.pushed;
        self.pushed += 1;
        self.fine.push(Arc::clone(frame), place..=place);
        let (merged, first) = match self.merging.take() {
            Some((mut merged, first)) => {
                merged.append(frame);
                (merged, first)
            }
            None => (Frame::clone(frame), place),
        };
        // A mark ends a merged frame, so that it only affects its own rates.
        let is_whole = place - first + 1 >= u64::from(self.settings.merge);
        if is_whole || !frame.marks.is_empty() {
            self.coarse.push(Arc::new(merged), first..=place);
        } else {
            self.merging = Some((merged, first));
        }
        self.bound(frame.end_ms);
        if self.merging.is_none() {
            self.forget_unused();
        }
    }

    /// Drops what is too old or takes too many bytes, but never the newest frame.
    fn bound(&mut self, now_ms: u64) {
        let Settings { fine, coarse, bytes, .. } = self.settings;
        let from_ms = |reach: Duration| {
            now_ms.saturating_sub(u64::try_from(reach.as_millis()).unwrap_or(u64::MAX))
        };
        let merging = self.merging.as_ref().map_or(0, |(frame, _)| frame.bytes());
        let rest = bytes.saturating_sub(self.definition_bytes + merging);
        self.fine.drop_oldest(from_ms(fine), rest / 2, 1);
        let rest = rest.saturating_sub(self.fine.bytes()).min(rest / 2);
        self.coarse.drop_oldest(from_ms(coarse), rest, 0);
        self.merging.take_if(|_| self.fine.bytes() + merging + self.definition_bytes > bytes);
    }

    /// Adds a definition that was made elsewhere.
    pub fn define(&mut self, definition: impl Into<Arc<Definition>>) {
        let definition = definition.into();
        self.next_number = self.next_number.max(definition.number.saturating_add(1));
        self.definition_bytes += definition.bytes();
        self.numbers.insert(Arc::clone(&definition.key), definition.number);
        if let Some(old) = self.definitions.insert(definition.number, definition) {
            self.definition_bytes -= old.bytes();
        }
    }

    fn number_of(&mut self, series: &Series, names: &ExportedNames) -> u32 {
        if let Some(number) = self.numbers.get(&series.key) {
            return *number;
        }
        let number = self.next_number;
        self.define(Definition::of(number, series, names));
        number
    }

    /// Drops definitions that no stored frame uses, once they take a quarter of the space.
    fn forget_unused(&mut self) {
        if self.definition_bytes <= self.settings.bytes / 4 {
            return;
        }
        let merging = self.merging.iter().flat_map(|(frame, _)| frame.numbers());
        let frames = self.fine.iter().chain(self.coarse.iter());
        let used: HashSet<_> = frames.flat_map(|frame| frame.numbers()).chain(merging).collect();
        self.definitions.retain(|number, _| used.contains(number));
        self.numbers.retain(|_, number| used.contains(number));
        for depth in [&mut self.fine, &mut self.coarse] {
            depth.before.retain(|number| used.contains(&number));
        }
        self.definition_bytes = self.definitions.values().map(|it| it.bytes()).sum();
    }

    /// Every series in a stored frame, by number.
    pub fn definitions(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.definitions.values()
    }

    /// The definition of a number.
    pub fn definition(&self, number: u32) -> Option<&Arc<Definition>> {
        self.definitions.get(&number)
    }

    /// The number of a series, by its display key.
    pub fn number(&self, key: &str) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    /// The newest frame.
    pub fn newest(&self) -> Option<&Arc<Frame>> {
        self.fine.iter().next_back()
    }

    /// The stored frames of one depth, oldest first.
    pub fn frames(&self, depth: Depth) -> impl DoubleEndedIterator<Item = &Arc<Frame>> {
        match depth {
            Depth::Fine => self.fine.iter(),
            Depth::Coarse => self.coarse.iter(),
        }
    }

    /// The start of the oldest frame of a depth: anything older is forgotten.
    pub fn oldest(&self, depth: Depth) -> Option<SystemTime> {
        let begin = match depth {
            Depth::Fine => self.fine.begin_ms(),
            Depth::Coarse => self.coarse.begin_ms().or(self.fine.begin_ms()),
        };
        begin.map(|begin| SystemTime::UNIX_EPOCH + Duration::from_millis(begin))
    }

    /// The frames that end after `from` and up to `to`, each of about `step`: single ones as far
    /// back as they reach, merged ones before that. Nothing is counted twice.
    pub fn range(&self, from: SystemTime, to: SystemTime, step: Duration) -> Vec<Arc<Frame>> {
        let (from, to) = (milliseconds(from), milliseconds(to));
        let all = self.all().into_iter();
        steps(all.filter(|frame| frame.end_ms > from && frame.end_ms <= to), step).collect()
    }

    /// Everything stored, without overlap: merged frames as far back as single ones do not reach.
    pub(crate) fn all(&self) -> Vec<Arc<Frame>> {
        let first = self.fine.held.front().map_or(0, |held| *held.places.start());
        let (mut frames, mut next) = (Vec::new(), first);
        for held in self.coarse.held.iter().take_while(|held| *held.places.start() < first) {
            frames.push(Arc::clone(&held.frame));
            next = next.max(held.places.end() + 1);
        }
        if let Some((merging, begin)) = &self.merging
            && *begin < first
        {
            frames.push(Arc::new(merging.clone()));
            next = self.pushed;
        }
        let fine = self.fine.held.iter().filter(|held| *held.places.start() >= next);
        frames.extend(fine.map(|held| Arc::clone(&held.frame)));
        frames
    }

    /// [`range`](Self::range), as a recording: its first frame also has the gauges that were set
    /// before it.
    pub fn recorded(&self, from: SystemTime, to: SystemTime, step: Duration) -> Vec<Arc<Frame>> {
        let mut frames = self.range(from, to, step);
        if let Some(first) = frames.first_mut() {
            self.standing(from).begin(first);
        }
        frames
    }

    /// The gauges as they stood at a time, or before the oldest frame if that is later.
    pub fn standing(&self, at: SystemTime) -> Standing {
        let at_ms = milliseconds(at);
        let is_fine = self.fine.begin_ms().is_none_or(|begin_ms| begin_ms <= at_ms);
        let all = if is_fine { self.fine.iter().cloned().collect() } else { self.all() };
        let is_fine = all
            .first()
            .is_none_or(|first| self.fine.iter().next().is_some_and(|it| Arc::ptr_eq(it, first)));
        let mut standing = if is_fine { &self.fine } else { &self.coarse }.before.clone();
        all.iter().take_while(|it| it.end_ms <= at_ms).for_each(|frame| standing.note(frame));
        standing
    }

    /// Merges everything that ends after `from` and up to `to` into one frame, with the gauges that
    /// were set before it.
    pub fn merged(&self, from: SystemTime, to: SystemTime) -> Option<Frame> {
        let mut frames = self.recorded(from, to, Duration::ZERO).into_iter();
        let mut all = Arc::unwrap_or_clone(frames.next()?);
        frames.for_each(|frame| all.append(&frame));
        Some(all)
    }

    /// The size of frames and definitions in bytes.
    pub fn bytes(&self) -> usize {
        let merging = self.merging.as_ref().map_or(0, |(frame, _)| frame.bytes());
        self.fine.bytes() + self.coarse.bytes() + merging + self.definition_bytes
    }
}

/// Merges consecutive frames until each covers about `step`. No frame is merged across a mark.
/// Lazy: only needs memory for one frame at a time.
pub fn steps(
    frames: impl IntoIterator<Item = Arc<Frame>>,
    step: Duration,
) -> impl Iterator<Item = Arc<Frame>> {
    let step_ms = u64::try_from(step.as_millis()).unwrap_or(u64::MAX);
    let mut frames = frames.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut merged = frames.next()?;
        // Half a step's tolerance: steps are never exact.
        while let Some(next) = frames.next_if(|next| {
            merged.span_ms.saturating_add(next.span_ms / 2) < step_ms
                && merged.marks.is_empty()
                && next.marks.is_empty()
        }) {
            Arc::make_mut(&mut merged).append(&next);
        }
        Some(merged)
    })
}
