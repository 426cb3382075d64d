//! The values of one series over a rule's window.

use std::collections::VecDeque;
use std::time::Duration;

use tachograph::Exemplar;
use tachograph_history::{Buckets, GaugeStep, Statistics, TimingStep};

use crate::rule::Statistic;

/// Slots per window: its far edge is off by up to one slot.
const SLOTS: u64 = 60;

/// What was recorded in the window, in slots that expire one by one.
#[derive(Debug)]
pub(crate) struct Window {
    /// The window's length; `None` keeps everything since the start in one slot.
    last_ms: Option<u64>,
    slots: VecDeque<Slot>,
    /// The buckets of all slots of a timing: to add a slot's and take them away again costs less
    /// than to add up those of sixty slots for each frame.
    buckets: Buckets,
    /// A gauge's value, which remains after its slot has expired.
    current: Option<f64>,
    /// When it was last fed.
    fed_ms: Option<u64>,
    /// Of the slots.
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    first_ms: u64,
    last_ms: u64,
    amount: Amount,
}

#[derive(Debug)]
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
            buckets: Buckets::default(),
            current: None,
            fed_ms: None,
            bytes: 0,
        }
    }

    /// Adds a frame's data for the series.
    pub(crate) fn add(&mut self, at_ms: u64, statistics: Statistics<'_>) {
        match statistics {
            Statistics::Gauge(step) => self.current = step.current,
            Statistics::Timing(step) => self.buckets.add(&step.buckets),
            Statistics::Counter(_) => {}
        }
        self.fed_ms = Some(at_ms);
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
            if let Amount::Timing(step) = &oldest.amount {
                self.buckets.subtract(&step.buckets);
            }
            self.slots.pop_front();
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        (self.slots, self.buckets, self.bytes) = (VecDeque::new(), Buckets::default(), 0);
    }

    /// Its size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the series was last recorded.
    pub(crate) fn fed_last_ms(&self) -> Option<u64> {
        self.fed_ms
    }

    fn timings(&self) -> impl Iterator<Item = &TimingStep> {
        self.slots.iter().filter_map(|slot| match &slot.amount {
            Amount::Timing(step) => Some(&**step),
            _ => None,
        })
    }

    /// The change of a counter in the window; 0 without data.
    pub(crate) fn increase(&self) -> f64 {
        let changes = self.slots.iter().map(|slot| match slot.amount {
            Amount::Counter(change) => change,
            _ => 0,
        });
        changes.fold(0, i128::saturating_add) as f64
    }

    /// The worst traced sample of a timing or histogram.
    pub(crate) fn exemplar(&self) -> Option<&Exemplar> {
        let exemplars = self.timings().filter_map(|step| step.exemplar.as_deref());
        exemplars.reduce(|worst, it| if it.value > worst.value { it } else { worst })
    }

    /// A statistic of a timing, a histogram or a gauge; `None` without data.
    pub(crate) fn value(&self, statistic: Statistic) -> Option<f64> {
        match self.slots.front().map(|slot| &slot.amount) {
            _ if statistic == Statistic::Current => self.current,
            Some(Amount::Timing(_)) => self.of_samples(statistic),
            Some(Amount::Gauge(_)) => self.of_values(statistic),
            Some(Amount::Counter(_)) => None,
            // A gauge that was not set in the window kept one value throughout.
            None => match statistic {
                Statistic::Mean | Statistic::Max | Statistic::Min => self.current,
                Statistic::Count => self.fed_ms.map(|_| 0.0),
                _ => None,
            },
        }
    }

    fn of_samples(&self, statistic: Statistic) -> Option<f64> {
        let min = || self.timings().map(|step| step.min).reduce(f64::min);
        let max = || self.timings().map(|step| step.max).reduce(f64::max);
        let count = || self.timings().fold(0, |sum: u64, step| sum.saturating_add(step.count));
        match statistic {
            Statistic::Quantile(q) => {
                let (buckets, min, max) = (self.buckets.clone(), min()?, max()?);
                TimingStep { buckets, min, max, ..TimingStep::default() }.quantile(q)
            }
            Statistic::Mean => {
                let sum: f64 = self.timings().map(|step| step.sum).sum();
                Some(count()).filter(|count| *count > 0).map(|count| sum / count as f64)
            }
            Statistic::Max => max(),
            Statistic::Min => min(),
            Statistic::Count => Some(count() as f64),
            _ => None,
        }
    }

    fn of_values(&self, statistic: Statistic) -> Option<f64> {
        let steps = self.slots.iter().filter_map(|slot| match slot.amount {
            Amount::Gauge(step) => Some(step),
            _ => None,
        });
        let all = steps.reduce(|mut sum, step| {
            sum.append(&step);
            sum
        })?;
        match statistic {
            Statistic::Mean => all.mean.or(self.current),
            Statistic::Max => all.max,
            Statistic::Min => all.min,
            Statistic::Count => Some(all.count as f64),
            _ => None,
        }
    }
}
