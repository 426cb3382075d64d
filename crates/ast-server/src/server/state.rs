//! The state behind the server's lock: the set and its viewers.
//!
//! One lock guards both, so that there is no gap between what a viewer is sent when it connects and
//! what is queued for it afterwards.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use live_set::{Changes, Mirror, Path as SetPath, Rejected, Set};
use serde_json::json;
use tachograph::Recorder;

use crate::error::Error;
use crate::events::event::Event;
use crate::events::event_type::EventType;
use crate::events::request::{self, Rejection, Request};
use crate::files::journal::{Journal, Sign};
use crate::files::losses::Losses;
use crate::files::stamp::Stamp;
use crate::metrics::ServerMetrics;
use crate::server::event_timer::EventTimer;
use crate::viewers::gaps::{Gap, Gaps};
use crate::viewers::hub::{Hub, Seat};
use crate::viewers::mailbox::UNVERSIONED;
use crate::viewers::message;
use crate::viewers::pulse::Pulse;
use crate::viewers::throttle::{Held, Throttle};
use crate::viewers::whole_tree::{TreeCopy, WholeTree};

/// A set and its file.
#[derive(Debug)]
pub(crate) struct Loaded {
    mirror: Mirror,
    pub(crate) file: PathBuf,
    /// The state of the file when the set was read.
    stamp: Stamp,
}

impl Loaded {
    pub(crate) const fn set(&self) -> &Set {
        self.mirror.set()
    }

    fn name(&self) -> &OsStr {
        self.file.file_name().unwrap_or_default()
    }
}

#[derive(Debug)]
pub(crate) struct State {
    loaded: Option<Loaded>,
    /// The folder of the set that the program itself has loaded.
    folder: Option<PathBuf>,
    /// The saves that may be in progress.
    journal: Journal,
    /// The number of signs of a save so far.
    signs: u64,
    losses: Losses,
    /// The file must be read even if it has not changed, and be taken as it is.
    is_void: bool,
    /// Counts the changes of the tree; 0 before the first.
    version: u64,
    /// The whole tree as last written.
    whole: Option<WholeTree>,
    /// Its length, kept even when it is gone.
    whole_bytes: usize,
    hub: Hub,
    throttle: Throttle,
    gaps: Gaps,
    metrics: Arc<ServerMetrics>,
    /// Events record through this: the thread that processes one holds the lock, and need not look
    /// up its own recorder for each series.
    recorder: Recorder,
}

impl State {
    pub(crate) fn new(
        hub: Hub,
        interval: Duration,
        metrics: Arc<ServerMetrics>,
        recorder: Recorder,
    ) -> Self {
        Self {
            loaded: None,
            folder: None,
            journal: Journal::default(),
            signs: 0,
            losses: Losses::default(),
            is_void: false,
            version: UNVERSIONED,
            whole: None,
            whole_bytes: 0,
            hub,
            throttle: Throttle::new(interval),
            gaps: Gaps::default(),
            metrics,
            recorder,
        }
    }

    pub(crate) const fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded.is_some()
    }

    pub(crate) fn loaded(&self) -> Result<&Loaded, Error> {
        self.loaded.as_ref().ok_or_else(Error::no_set)
    }

    /// Replaces the set, and has it sent to all viewers.
    pub(crate) fn load(&mut self, mut set: Set, file: &Path, stamp: Stamp) {
        if let Some(before) = &self.loaded {
            set.count_on(before.set());
        }
        self.loaded = Some(Loaded { mirror: Mirror::new(set), file: file.to_owned(), stamp });
        self.journal = Journal::default();
        self.losses = Losses::default();
        self.is_void = false;
        self.version += 1;
        self.send_whole_tree();
    }

    /// Lets remote clients open files in this file's folder.
    pub(crate) fn open_folder_of(&mut self, file: &Path) {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        self.folder = Some(folder.unwrap_or(Path::new(".")).to_owned());
    }

    /// The folder whose files remote clients may open.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.folder.clone()
    }

    /// The set's file, and its state when it was read.
    pub(crate) fn file(&self) -> Option<(PathBuf, Stamp)> {
        self.loaded.as_ref().map(|loaded| (loaded.file.clone(), loaded.stamp))
    }

    /// Something happens in the set's folder. If it is the first sign of a save, later events are
    /// newer than that save. Returns whether it concerns the set's own file.
    pub(crate) fn sign_of_save(&mut self, sign: Sign<'_>, now: Instant) -> bool {
        let Some(loaded) = &mut self.loaded else { return false };
        self.journal.note(sign, loaded.mirror.mark(), now);
        let (Sign::Written(name) | Sign::Renamed { to: name, .. }) = sign;
        let is_own = name == loaded.name();
        self.signs += u64::from(is_own);
        is_own
    }

    /// The file differs from what was loaded, with or without a sign.
    pub(crate) fn expect_save(&mut self, now: Instant) {
        if let Some(loaded) = &mut self.loaded {
            let mark = loaded.mirror.mark();
            self.journal.note(Sign::Written(loaded.name()), mark, now);
        }
    }

    /// The number of signs of a save so far.
    pub(crate) const fn signs_of_save(&self) -> u64 {
        self.signs
    }

    /// The file equals what was loaded, or remains unread, unless there were more signs since.
    pub(crate) fn save_is_over(&mut self, signs: u64, now: Instant) {
        if self.signs == signs
            && let Some(loaded) = &mut self.loaded
            && !self.journal.is_over(loaded.file.file_name().unwrap_or_default(), now)
        {
            loaded.mirror.settle();
        }
    }

    /// Events are missing: unless they still arrive, the next newer save is taken as it is.
    pub(crate) fn lose(&mut self, missing: u32) {
        if let Some(loaded) = &mut self.loaded {
            self.losses.lose(missing, loaded.mirror.miss());
        }
    }

    /// A missing event has arrived, and its lateness does no harm.
    pub(crate) fn fill_gap(&mut self) {
        self.losses.fill();
    }

    /// The file overrides all events so far: it will be read again and taken as it is.
    pub(crate) fn void(&mut self, now: Instant) {
        self.journal = Journal::default();
        self.losses = Losses::default();
        self.is_void = self.is_loaded();
        self.expect_save(now);
    }

    /// Whether the file must be read even if it has not changed.
    pub(crate) const fn is_void(&self) -> bool {
        self.is_void
    }

    /// Merges what was read from the set's file again, and sends the differences to all viewers.
    pub(crate) fn reload(&mut self, set: Set, stamp: Stamp) {
        let Some(loaded) = &mut self.loaded else { return };
        loaded.stamp = stamp;
        let is_void = std::mem::take(&mut self.is_void);
        if !is_void && loaded.mirror.has_read(&set) {
            return;
        }
        let began = self.journal.began(loaded.name()).unwrap_or(loaded.mirror.now());
        let as_it_is = is_void || self.losses.are_before(began);
        if loaded.mirror.is_overrun() {
            tracing::warn!("too many events came while the set was saved: the file counts");
        }
        let timer = self.metrics.diff_duration.start();
        let changes = loaded.mirror.save(set, began, as_it_is);
        drop(timer);
        self.losses.make_good(began);
        if !changes.is_empty() {
            self.send_held_back();
            self.version += 1;
            if !self.hub.is_empty() {
                self.send(&Held { changes, version: self.version });
            }
        }
    }

    /// Applies an event and queues its changes. Without a set, or if the event changes nothing,
    /// nothing happens.
    ///
    /// # Errors
    /// [`Rejection`] says why; nothing has changed then.
    pub(crate) fn apply(
        &mut self,
        event: Event<'_>,
        timer: &mut EventTimer<'_>,
    ) -> Result<(), Rejection> {
        let Some(loaded) = &mut self.loaded else { return Ok(()) };
        let applied = edit(&mut loaded.mirror, &event);
        timer.handled(&self.recorder, event.event_type.handler());
        let Applied::Changed(mut changes) = applied? else {
            self.forward(&event);
            return Ok(());
        };
        if changes.is_empty() {
            return Ok(());
        }
        self.version += 1;
        if !self.hub.is_empty() {
            timer.goes_on();
            changes.set_seq_num(event.seq);
            self.publish(event.event_type, changes);
        }
        Ok(())
    }

    /// Forwards an event that is not part of the set to viewers.
    fn forward(&mut self, event: &Event<'_>) {
        if !self.hub.is_empty() {
            self.hub.broadcast(UNVERSIONED, message::live_event(event));
        }
    }

    /// Sends changes now, or holds them back if the same thing was sent a moment ago.
    fn publish(&mut self, event_type: EventType, changes: Changes) {
        let key = match changes.changes.first().map(|change| &change.path) {
            Some(path @ SetPath::Parameter { .. }) => Some(path.clone()),
            Some(path) if event_type == EventType::TransportTempo => Some(path.clone()),
            _ => None,
        };
        // The records of new parameters come after those of existing ones.
        if event_type.moves_nodes() || (event_type == EventType::DeviceParam && key.is_none()) {
            self.send_held_back();
        }
        let news = Held { changes, version: self.version };
        let due = match key {
            Some(key) => self.throttle.offer(key, news, Instant::now()),
            None => Some(news),
        };
        if let Some(news) = due {
            self.send(&news);
        }
    }

    fn send(&mut self, news: &Held) {
        self.hub.broadcast(news.version, message::diff_update(&news.changes));
    }

    /// Sends changes whose wait is over; returns when there will be more.
    pub(crate) fn flush(&mut self, now: Instant) -> Option<Instant> {
        while let Some(news) = self.throttle.take_due(now) {
            if !self.hub.is_empty() {
                self.send(&news);
            }
        }
        if let Some(gap) = self.gaps.take_due(now) {
            self.tell_of_gap(gap);
        }
        self.next_flush()
    }

    /// Returns when the next held-back change is due.
    pub(crate) fn next_flush(&self) -> Option<Instant> {
        self.throttle.next_due().into_iter().chain(self.gaps.next_due()).min()
    }

    /// Sends everything held back, because the next change would not fit what viewers know: it
    /// concerns the same attributes, or moves nodes.
    fn send_held_back(&mut self) {
        for news in self.throttle.take_all() {
            if !self.hub.is_empty() {
                self.send(&news);
            }
        }
    }

    /// Repairs the tree after a failure that may have left an edit half done.
    pub(crate) fn recover(&mut self) {
        if let Some(loaded) = &mut self.loaded {
            loaded.mirror.rehash();
            self.version += 1;
            self.send_whole_tree();
        }
    }

    fn send_whole_tree(&mut self) {
        self.throttle.clear();
        if !self.hub.is_empty() {
            self.hub.broadcast_tree();
        }
    }

    /// Tells all viewers about a problem.
    pub(crate) fn announce(&mut self, problem: &str, details: serde_json::Value) {
        if !self.hub.is_empty() {
            self.hub.broadcast(UNVERSIONED, message::error(problem, Some(details)));
        }
    }

    /// Notes a gap in the events; viewers are told now or within a second.
    pub(crate) fn announce_gap(&mut self, missing: u32, seq_num: u32) {
        let gap = Gap { missing: missing.into(), seq_num };
        if let Some(gap) = self.gaps.offer(gap, Instant::now()) {
            self.tell_of_gap(gap);
        }
    }

    fn tell_of_gap(&mut self, gap: Gap) {
        self.announce("Sequence gap", json!(gap));
    }

    /// Adds a viewer, which will be sent the current tree or a later one.
    pub(crate) fn join(&mut self, pulse: Arc<Pulse>) -> Seat {
        self.hub.join(pulse, self.version)
    }

    /// Gives a viewer its turn for the current tree or a later one; `false` if something else must
    /// be sent first.
    pub(crate) fn take_tree(&mut self, seat: &mut Seat) -> bool {
        let Some(has_lost) = seat.mailbox.take_tree() else { return false };
        seat.baseline = self.version;
        if has_lost {
            self.metrics.client_resynced.increment();
        }
        true
    }

    /// Frees memory: disconnects viewers that do not read, and drops a tree that is no longer being
    /// sent.
    pub(crate) fn relieve(&mut self) {
        self.hub.relieve();
        self.whole.take_if(|tree| tree.version < self.version);
    }

    pub(crate) fn leave(&mut self, id: u64) {
        self.hub.leave(id);
    }

    pub(crate) fn viewers(&self) -> usize {
        self.hub.len()
    }

    /// The number of viewers, and how many of them do not keep up.
    pub(crate) fn viewers_lagging(&self) -> (usize, usize) {
        (self.hub.len(), self.hub.lagging())
    }

    /// The whole tree, if it was written at this version or later.
    pub(crate) fn written(&self, since: u64) -> Option<WholeTree> {
        self.whole.clone().filter(|tree| tree.version >= since && self.is_loaded())
    }

    /// A copy of the current set, from which its tree can be written.
    pub(crate) fn copy(&self) -> Option<TreeCopy> {
        let loaded = self.loaded.as_ref()?;
        let (set, file) = (loaded.set().clone(), loaded.file.clone());
        Some(TreeCopy { version: self.version, set, file })
    }

    /// The approximate length of the whole tree as text.
    pub(crate) const fn tree_bytes(&self) -> usize {
        self.whole_bytes
    }

    /// Keeps a written tree for viewers that come next.
    pub(crate) fn keep(&mut self, tree: WholeTree) {
        self.whole_bytes = tree.message.len();
        if self.whole.as_ref().is_none_or(|kept| kept.version < tree.version) {
            self.metrics.message_size.record(tree.message.len() as u64);
            self.whole = Some(tree);
        }
    }
}

/// The effect of an accepted event.
enum Applied {
    /// The set may have changed.
    Changed(Changes),
    /// It is forwarded to viewers unchanged.
    Forwarded,
}

/// Applies what is not stale of an event to a set.
fn edit(mirror: &mut Mirror, event: &Event<'_>) -> Result<Applied, Rejection> {
    Ok(match request::decode(event.event_type, event.args)? {
        Request::Edit(edit) if event.stale.is_empty() => Applied::Changed(mirror.apply(&edit)?),
        Request::Edit(edit) => {
            let mut changes = Changes::default();
            for edit in event.stale.rest_of(edit, mirror.set()) {
                changes.changes.extend(mirror.apply(&edit)?.changes);
            }
            Applied::Changed(changes)
        }
        Request::Forward if event.stale.is_empty() => Applied::Forwarded,
        Request::Announced { scene } if !event.stale.has_moved() => {
            let scenes = mirror.set().num_scenes();
            if scene >= scenes {
                return Err(Rejected::NoSuchScene { scene, scenes }.into());
            }
            Applied::Changed(Changes::default())
        }
        Request::Forward | Request::Announced { .. } => Applied::Changed(Changes::default()),
    })
}
