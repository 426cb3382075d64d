//! The values of one series over a rule's window.

use std::collections::VecDeque;
use std::time::Duration;

use tachograph_history::{GaugeStep, Statistics, TimingStep};

use crate::rule::Statistic;

/// Slots per window: its far edge is off by up to one slot.
const SLOTS: u64 = 60;

/// What was recorded in the window, in slots that expire one by one.
#[derive(Debug)]
pub(crate) struct Window {
    /// The window's length; `None` keeps everything since the start in one slot.
    last_ms: Option<u64>,
    slots: VecDeque<Slot>,
    /// A gauge's value, which remains after its slot has expired.
    current: Option<f64>,
    /// When it was first and last fed.
    fed_ms: Option<(u64, u64)>,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    first_ms: u64,
    last_ms: u64,
    amount: Amount,
}

#[derive(Clone, Debug)]
enum Amount {
    Counter(i128),
    Gauge(GaugeStep),
    Timing(Box<TimingStep>),
}

impl Amount {
    fn of(statistics: Statistics<'_>) -> Self {
        match statistics {
            Statistics::Counter(change) => Self::Counter(change),
            Statistics::Gauge(step) => Self::Gauge(*step),
            Statistics::Timing(step) => Self::Timing(Box::new(step.clone())),
        }
    }

    fn append(&mut self, later: &Self) {
        match (self, later) {
            (Self::Counter(sum), Self::Counter(more)) => *sum = sum.saturating_add(*more),
            (Self::Gauge(sum), Self::Gauge(more)) => sum.append(more),
            (Self::Timing(sum), Self::Timing(more)) => sum.append(more),
            // A series has only one kind.
            _ => {}
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Slot>() + if let Self::Timing(step) = self { step.bytes() } else { 0 }
    }
}

impl Window {
    pub(crate) fn new(last: Option<Duration>) -> Self {
        let milliseconds = |last: Duration| u64::try_from(last.as_millis()).unwrap_or(u64::MAX);
        Self {
            last_ms: last.map(milliseconds),
            slots: VecDeque::new(),
            current: None,
            fed_ms: None,
            bytes: 0,
        }
    }

    /// Adds a frame's data for the series.
    pub(crate) fn add(&mut self, at_ms: u64, statistics: Statistics<'_>) {
        if let Statistics::Gauge(step) = statistics {
            self.current = step.current;
        }
        self.fed_ms = Some((self.fed_ms.map_or(at_ms, |fed| fed.0), at_ms));
        let amount = Amount::of(statistics);
        let width = self.last_ms.map(|last| last / SLOTS);
        let newest = self.slots.back_mut();
        let is_in = |slot: &&mut Slot| {
            width.is_none_or(|width| at_ms.saturating_sub(slot.first_ms) < width)
        };
        if let Some(slot) = newest.filter(is_in) {
            self.bytes -= slot.amount.bytes();
            slot.amount.append(&amount);
            slot.last_ms = at_ms;
            self.bytes += slot.amount.bytes();
        } else {
            self.bytes += amount.bytes();
            self.slots.push_back(Slot { first_ms: at_ms, last_ms: at_ms, amount });
        }
    }

    /// Drops expired slots.
    pub(crate) fn forget(&mut self, now_ms: u64) {
        let Some(last) = self.last_ms else { return };
        while let Some(oldest) = self.slots.front()
            && oldest.last_ms.saturating_add(last) <= now_ms
        {
            self.bytes -= oldest.amount.bytes();
            self.slots.pop_front();
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        (self.slots, self.bytes) = (VecDeque::new(), 0);
    }

    /// Its size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the series was last recorded.
    pub(crate) fn fed_last_ms(&self) -> Option<u64> {
        self.fed_ms.map(|fed| fed.1)
    }

    /// When the series was first recorded.
    pub(crate) fn fed_first_ms(&self) -> Option<u64> {
        self.fed_ms.map(|fed| fed.0)
    }

    /// Everything in the window.
    fn merged(&self) -> Option<Amount> {
        let mut slots = self.slots.iter();
        let mut all = slots.next()?.amount.clone();
        slots.for_each(|slot| all.append(&slot.amount));
        Some(all)
    }

    /// The change of a counter in the window; 0 without data.
    pub(crate) fn increase(&self) -> f64 {
        match self.merged() {
            Some(Amount::Counter(change)) => change as f64,
            _ => 0.0,
        }
    }

    /// The window's timing or histogram.
    pub(crate) fn timing(&self) -> Option<TimingStep> {
        match self.merged()? {
            Amount::Timing(step) => Some(*step),
            _ => None,
        }
    }

    /// A statistic of a timing, a histogram or a gauge; `None` without data.
    pub(crate) fn value(&self, statistic: Statistic) -> Option<f64> {
        if statistic == Statistic::Current {
            return self.current;
        }
        match self.merged() {
            Some(Amount::Timing(step)) => match statistic {
                Statistic::Quantile(q) => step.quantile(q),
                Statistic::Mean => step.mean(),
                Statistic::Max => Some(step.max),
                Statistic::Min => Some(step.min),
                Statistic::Count => Some(step.count as f64),
                _ => None,
            },
            Some(Amount::Gauge(step)) => match statistic {
                Statistic::Mean => step.mean.or(self.current),
                Statistic::Max => step.max,
                Statistic::Min => step.min,
                Statistic::Count => Some(step.count as f64),
                _ => None,
            },
            Some(Amount::Counter(_)) => None,
            // A gauge that was not set in the window kept one value throughout.
            None => match statistic {
                Statistic::Mean | Statistic::Max | Statistic::Min => self.current,
                Statistic::Count => self.fed_ms.map(|_| 0.0),
                _ => None,
            },
        }
    }
}
