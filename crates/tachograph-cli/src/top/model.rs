//! The data, and the user's place in it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tachograph_history::doctor::{Finding, findings};
use tachograph_history::{Definition, Frame};

use super::Message;
use super::draw::text::time;
use super::draw::theme::Theme;
use super::remote::Alerts;
use super::rows::{self, Row, is_of};
use crate::live::News;
use crate::replay::Replay;

/// The ranges to choose from, in seconds; the last one covers everything.
const RANGES: [u64; 6] = [60, 120, 600, 1_800, 7_200, u64::MAX / 2_000];

/// The range at the start: two minutes.
const FIRST_RANGE: usize = 1;

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The overview.
    Health,
    /// The table of all series.
    Series,
    /// One series in detail.
    Detail,
    /// The rules and their alerts.
    Alerts,
    /// The doctor's findings.
    Doctor,
    /// The keys and their meanings.
    Help,
}

/// The order of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// By key.
    Name,
    /// By rate, greatest first.
    Rate,
    /// By p99, greatest first.
    P99,
    /// By the greatest value, greatest first.
    Max,
}

/// The source of the data, and the state of its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A recording.
    File,
    /// Not connected yet.
    Connecting,
    /// Connected.
    Live,
    /// The connection is lost.
    Lost {
        /// When it was lost, in milliseconds since 1970.
        since_ms: u64,
        /// When the next attempt is due, in milliseconds since 1970.
        again_ms: u64,
        /// Why it was lost.
        reason: String,
    },
}

/// Everything that the screen shows, without a terminal or a clock: time comes in as `now_ms`.
#[derive(Debug)]
pub struct Model {
    /// The address or file, as the user wrote it.
    pub name: String,
    /// The history so far.
    pub replay: Replay,
    /// The last answer of `/alerts`, if the program has that page.
    pub alerts: Option<Alerts>,
    /// The connection to the source.
    pub link: Link,
    /// The colours.
    pub theme: Theme,
    /// The page on the screen.
    pub page: Page,
    /// The page that `esc` returns to.
    pub before: Page,
    /// The order of the rows.
    pub sort: Sort,
    /// Whether the order is reversed.
    pub is_reversed: bool,
    /// The search: only series whose key has every word of it are listed.
    pub search: String,
    /// Whether the user is typing the search.
    pub is_searching: bool,
    /// The key of the selected series.
    pub chosen: Option<Arc<str>>,
    /// The selected alert or finding on their pages, or the first visible line of the help.
    pub scroll: usize,
    /// The end of the visible range, in milliseconds since 1970; `None`: the newest frame.
    pub looked_at_ms: Option<u64>,
    /// The length of the visible range, as an index into the ranges to choose from.
    pub zoom: usize,
    /// The present, in milliseconds since 1970.
    pub now_ms: u64,
    /// Frames that the server skipped, because this program did not keep up.
    pub missed: u64,
    /// Whether the program has to end.
    pub quit: bool,
    /// The findings, and the end of the frame that they are from, in milliseconds since 1970.
    found: (u64, Vec<Finding>),
    /// The rows of the list, and what they were made from: with thousands of series, they are not
    /// made anew for each key.
    listed: RefCell<(Listed, Rc<Vec<Row>>)>,
}

/// What the rows of the list depend on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Listed {
    newest: (u64, u64),
    series: usize,
    at_ms: u64,
    zoom: usize,
    is_overview: bool,
    sort: Option<Sort>,
    is_reversed: bool,
    search: String,
}

impl Model {
    /// A model that shows the health page of a history.
    pub fn new(name: &str, replay: Replay, link: Link, theme: Theme) -> Self {
        Self {
            name: name.to_owned(),
            replay,
            alerts: None,
            link,
            theme,
            page: Page::Health,
            before: Page::Health,
            sort: Sort::Rate,
            is_reversed: false,
            search: String::new(),
            is_searching: false,
            chosen: None,
            scroll: 0,
            looked_at_ms: None,
            zoom: FIRST_RANGE,
            now_ms: 0,
            missed: 0,
            quit: false,
            found: (0, Vec::new()),
            listed: RefCell::default(),
        }
    }

    /// Handles a message; returns whether the screen has to be drawn again.
    pub(crate) fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Key(key) => super::keys::press(self, key),
            Message::Redraw => true,
            Message::Alerts(alerts) => {
                // The last alerts of a program that is gone stay on the screen, like its last
                // frames.
                if alerts.is_some() {
                    self.alerts = alerts;
                }
                true
            }
            Message::News(news) => self.news(news),
            Message::Stop(_) => {
                self.quit = true;
                false
            }
        }
    }

    fn news(&mut self, news: News) -> bool {
        match news {
            News::Connected => self.link = Link::Live,
            News::Missed(frames) => self.missed += frames,
            News::Line(line) => return self.replay.take(*line),
            News::Lost { reason, pause } => {
                let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                let since_ms = match self.link {
                    Link::Lost { since_ms, .. } => since_ms,
                    _ => self.now_ms,
                };
                let again_ms = self.now_ms.saturating_add(pause_ms);
                self.link = Link::Lost { since_ms, again_ms, reason };
            }
        }
        true
    }

    /// The end of the visible range, in milliseconds since 1970.
    pub fn at_ms(&self) -> u64 {
        let newest = self.replay.history().newest().map_or(0, |frame| frame.end_ms);
        self.looked_at_ms.map_or(newest, |at| at.min(newest))
    }

    /// The length of the visible range, in milliseconds.
    pub fn range_ms(&self) -> u64 {
        RANGES[self.zoom] * 1_000
    }

    /// Selects a longer range if `by` is positive, a shorter one if it is negative.
    pub(super) fn zoom_by(&mut self, by: isize) {
        self.zoom = self.zoom.saturating_add_signed(by).min(RANGES.len() - 1);
    }

    /// The frames of the visible range, oldest first.
    pub fn range(&self) -> Vec<Arc<Frame>> {
        self.frames(self.range_ms())
    }

    /// The frames of the last `length` milliseconds of the visible range, oldest first.
    pub(super) fn frames(&self, length: u64) -> Vec<Arc<Frame>> {
        let at = self.at_ms();
        let from = at.saturating_sub(length);
        let history = self.replay.history();
        let mut frames = history.range(time(from), time(at), Duration::ZERO);
        let is_all = self.zoom == RANGES.len() - 1;
        frames.retain(|frame| is_all || is_of(frame, from));
        frames
    }

    /// Whether the visible range ends now: not in a recording, nor in the past.
    pub(super) fn is_live(&self) -> bool {
        self.looked_at_ms.is_none() && self.link != Link::File
    }

    /// The time between frames, in milliseconds.
    pub(super) fn step_ms(&self) -> u64 {
        self.replay.meta().map_or(1_000, |meta| meta.step_ms).max(1)
    }

    /// The sliding window behind the quantiles in frames, in milliseconds.
    pub(super) fn window_ms(&self) -> u64 {
        self.replay.meta().and_then(|meta| meta.window_ms).unwrap_or(60_000)
    }

    /// The time that a column covers if the range has this many columns: a multiple of the step.
    pub(super) fn slot_ms(&self, columns: usize) -> u64 {
        let step = self.step_ms();
        let begin = self.replay.history().oldest(tachograph_history::Depth::Fine);
        let begin = begin.and_then(|it| it.duration_since(time(0)).ok());
        let begin_ms = begin.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(0));
        let length = self.range_ms().min(self.at_ms().saturating_sub(begin_ms)).max(step);
        let length = if self.zoom == RANGES.len() - 1 { length } else { self.range_ms() };
        step * length.div_ceil(step * columns.max(1) as u64).max(1)
    }

    /// Whether the list shows a series.
    pub(super) fn wants(&self, definition: &Definition) -> bool {
        if self.page == Page::Health {
            return !is_own(definition);
        }
        let (key, search) = (definition.key.to_lowercase(), self.search.to_lowercase());
        search.split_whitespace().all(|part| key.contains(part))
    }

    /// The rows of the list, sorted.
    pub(super) fn rows(&self) -> Rc<Vec<Row>> {
        let history = self.replay.history();
        let now = Listed {
            newest: history.newest().map_or((0, 0), |frame| (frame.version, frame.end_ms)),
            series: history.definitions().count(),
            at_ms: self.at_ms(),
            zoom: self.zoom,
            is_overview: self.page == Page::Health,
            sort: Some(self.sort),
            is_reversed: self.is_reversed,
            search: self.search.clone(),
        };
        let mut listed = self.listed.borrow_mut();
        if listed.0 != now {
            *listed = (now, Rc::new(rows::rows(self)));
        }
        Rc::clone(&listed.1)
    }

    /// The index of the selected series in these rows; 0 if it is not among them.
    pub(super) fn chosen_of(&self, rows: &[Row]) -> usize {
        let is_it = |row: &Row| Some(&row.definition.key) == self.chosen.as_ref();
        rows.iter().position(is_it).unwrap_or(0)
    }

    /// The definition of the selected series.
    pub(super) fn chosen(&self) -> Option<&Arc<Definition>> {
        let history = self.replay.history();
        history.definition(history.number(self.chosen.as_deref()?)?)
    }

    /// The alerts that fire and the findings, worst first, from a frame that is at most five seconds
    /// older than the newest.
    pub(super) fn findings(&mut self) -> Vec<Finding> {
        let end_ms = self.replay.history().newest().map_or(0, |frame| frame.end_ms);
        // Not with every frame: it reads all frames that are stored.
        if self.found.0 == 0 || end_ms.abs_diff(self.found.0) >= 5_000 {
            self.found = (end_ms, findings(self.replay.history()));
        }
        let firing = self.alerts.iter().flat_map(Alerts::findings);
        let mut all: Vec<_> = firing.chain(self.found.1.iter().cloned()).collect();
        all.sort_by_key(|finding| finding.severity);
        all
    }
}

/// Whether a series is about the metrics themselves.
pub(super) fn is_own(definition: &Definition) -> bool {
    ["telemetry.", "metrics."].iter().any(|prefix| definition.name.starts_with(prefix))
}
