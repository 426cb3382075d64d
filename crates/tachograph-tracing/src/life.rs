//! A span's life: how long it has been busy and idle.

use std::time::Duration;

use tachograph::{MetricsCollector, Stamp, Trace};

use crate::values::Values;

/// A span's times so far. The registry keeps it in the span's extensions, whose lock makes one
/// thread at a time change it.
#[derive(Debug)]
pub(crate) struct Life {
    /// The last moment at which it became busy or idle; at first its creation.
    since: Stamp,
    pub(crate) busy: Duration,
    pub(crate) idle: Duration,
    /// How often it is entered at the moment, on all threads together.
    depth: u32,
    /// Whether recording was on at each of these moments.
    is_whole: bool,
    was_entered: bool,
    pub(crate) trace: Option<Trace>,
    pub(crate) values: Values,
}

impl Life {
    pub(crate) fn new(since: Stamp, values: Values) -> Self {
        Self {
            since,
            busy: Duration::ZERO,
            idle: Duration::ZERO,
            depth: 0,
            is_whole: true,
            was_entered: false,
            trace: None,
            values,
        }
    }

    /// Returns whether this is the first time.
    pub(crate) fn enter(&mut self, collector: &MetricsCollector) -> bool {
        if self.depth == 0 {
            self.turn(collector);
        }
        self.depth = self.depth.saturating_add(1);
        !std::mem::replace(&mut self.was_entered, true)
    }

    pub(crate) fn exit(&mut self, collector: &MetricsCollector) {
        if self.depth == 1 {
            self.turn(collector);
        }
        self.depth = self.depth.saturating_sub(1);
    }

    /// Returns whether its times are whole: recording was not off in between.
    pub(crate) fn end(&mut self, collector: &MetricsCollector) -> bool {
        self.turn(collector);
        self.is_whole
    }

    /// Adds the time since the last moment to what the span has been since then.
    fn turn(&mut self, collector: &MetricsCollector) {
        let now = collector.now();
        match collector.duration_between(self.since, now) {
            Some(passed) if self.depth > 0 => self.busy = self.busy.saturating_add(passed),
            Some(passed) => self.idle = self.idle.saturating_add(passed),
            None => self.is_whole = false,
        }
        self.since = now;
    }
}
