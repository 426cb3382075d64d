//! What is known, and what the user looks at.

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

/// How far back ranges reach, in seconds; the last one is everything.
const RANGES: [u64; 6] = [60, 120, 600, 1_800, 7_200, u64::MAX / 2_000];

/// The range at first: two minutes.
const FIRST_RANGE: usize = 1;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Whether it is well.
    Health,
    /// All series.
    Series,
    /// One series.
    Detail,
    /// Alerts.
    Alerts,
    /// Findings.
    Doctor,
    /// What keys do.
    Help,
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// The key.
    Name,
    /// The rate, greatest first.
    Rate,
    /// The p99, greatest first.
    P99,
    /// The greatest value, greatest first.
    Max,
}

/// What the data comes from, and how that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A recording.
    File,
    /// Not connected yet.
    Connecting,
    /// Frames come.
    Live,
    /// Frames do not come.
    Lost {
        /// Since when.
        since_ms: u64,
        /// When it is tried again.
        again_ms: u64,
        /// Why.
        reason: String,
    },
}

/// Everything that the screen shows, without a terminal or a clock: time comes in as `now_ms`.
#[derive(Debug)]
pub struct Model {
    /// What the user asked for, as text.
    pub name: String,
    /// The frames.
    pub replay: Replay,
    /// Alerts, where the program tells of them.
    pub alerts: Option<Alerts>,
    /// The connection.
    pub link: Link,
    /// Colours.
    pub theme: Theme,
    /// What is shown.
    pub page: Page,
    /// Where `esc` leads.
    pub before: Page,
    /// What rows are sorted by.
    pub sort: Sort,
    /// The other way round.
    pub is_reversed: bool,
    /// Only keys with this text.
    pub search: String,
    /// Whether the search is being typed.
    pub is_searching: bool,
    /// The key of the chosen series.
    pub chosen: Option<Arc<str>>,
    /// The first line that is shown, of pages that scroll.
    pub scroll: usize,
    /// The end of what is looked at; `None`: the newest frame.
    pub looked_at_ms: Option<u64>,
    /// Which range.
    pub zoom: usize,
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// Frames that were lost on the way here.
    pub missed: u64,
    /// Whether to end.
    pub quit: bool,
    /// Findings, with the frame that they were made at.
    found: (u64, Vec<Finding>),
}

impl Model {
    /// The health page of what a replay holds.
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
        }
    }

    /// Takes what came from outside; says whether the screen is another one now.
    pub(crate) fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Key(key) => super::keys::press(self, key),
            Message::Redraw => true,
            Message::Alerts(alerts) => {
                // A program that is gone has its last alerts shown, as it has its last frames.
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

    /// The end of what is looked at.
    pub fn at_ms(&self) -> u64 {
        let newest = self.replay.history().newest().map_or(0, |frame| frame.end_ms);
        self.looked_at_ms.map_or(newest, |at| at.min(newest))
    }

    /// The length of the range.
    pub fn range_ms(&self) -> u64 {
        RANGES[self.zoom] * 1_000
    }

    /// Looks at a longer or a shorter range.
    pub(super) fn zoom_by(&mut self, by: isize) {
        self.zoom = self.zoom.saturating_add_signed(by).min(RANGES.len() - 1);
    }

    /// The frames of the range, oldest first.
    pub fn range(&self) -> Vec<Arc<Frame>> {
        self.frames(self.range_ms())
    }

    /// The frames of so many milliseconds before the end of what is looked at, oldest first.
    pub(super) fn frames(&self, length: u64) -> Vec<Arc<Frame>> {
        let at = self.at_ms();
        let from = at.saturating_sub(length);
        let history = self.replay.history();
        let mut frames = history.range(time(from), time(at), Duration::ZERO);
        let is_all = self.zoom == RANGES.len() - 1;
        frames.retain(|frame| is_all || is_of(frame, from));
        frames
    }

    /// The length of a column, where the range has so many: whole steps.
    pub(super) fn slot_ms(&self, columns: usize) -> u64 {
        let step = self.replay.meta().map_or(1_000, |meta| meta.step_ms).max(1);
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

    /// The series that the list shows, sorted.
    pub(super) fn rows(&self) -> Vec<Row> {
        rows::rows(self)
    }

    /// The chosen series, or the first of these rows.
    pub(super) fn chosen_of(&self, rows: &[Row]) -> usize {
        let is_it = |row: &Row| Some(&row.definition.key) == self.chosen.as_ref();
        rows.iter().position(is_it).unwrap_or(0)
    }

    /// The definition of the chosen series.
    pub(super) fn chosen(&self) -> Option<&Arc<Definition>> {
        let history = self.replay.history();
        history.definition(history.number(self.chosen.as_deref()?)?)
    }

    /// Findings as of the newest frame.
    pub(super) fn findings(&mut self) -> &[Finding] {
        let version = self.replay.history().newest().map_or(0, |frame| frame.end_ms);
        // At most every five seconds: they take a pass over all frames.
        if self.found.0 == 0 || version >= self.found.0 + 5_000 {
            self.found = (version, findings(self.replay.history()));
        }
        &self.found.1
    }
}

/// Whether a series is about the metrics themselves.
pub(super) fn is_own(definition: &Definition) -> bool {
    ["telemetry.", "metrics."].iter().any(|prefix| definition.name.starts_with(prefix))
}
