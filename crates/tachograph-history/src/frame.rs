//! A frame: what was recorded in one step.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tachograph::{Exemplar, Series, Snapshot, Value};

use crate::buckets::Buckets;

/// An event in a frame, across which rates are not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The first frame: it contains everything recorded before.
    Start,
    /// All values were reset.
    Reset,
    /// The process was restarted.
    Restart,
    /// The frame was late: it covers more than two and a half steps.
    Gap,
}

impl Mark {
    /// Whether gauges set before it have no value after it.
    pub(crate) fn ends_gauges(&self) -> bool {
        matches!(self, Self::Start | Self::Reset | Self::Restart)
    }
}

/// The records of one step, or of several consecutive ones, for each series that changed. A series
/// that is not in it did not change. The first frame of a recording, of a live stream or of a range
/// also has the gauges that were set before it, with a `count` of 0 unless they were set again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Frame {
    /// The version of the later snapshot.
    pub version: u64,
    /// The later snapshot's time: milliseconds since 1970, UTC.
    pub end_ms: u64,
    /// The time between the two snapshots by the monotonic clock, in milliseconds.
    pub span_ms: u64,
    /// Sorted, each at most once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// The net change of each counter, by number, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counters: Vec<(u32, i128)>,
    /// Gauges, by number, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gauges: Vec<(u32, GaugeStep)>,
    /// Timings and histograms, by number, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timings: Vec<(u32, TimingStep)>,
}

/// A gauge in a step. A value that is not finite is `None`, because JSON cannot represent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GaugeStep {
    /// The value set last; `None` also after a reset or restart.
    pub current: Option<f64>,
    /// The mean of the finite values set in the step; `None` if there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// The number of values set in the step.
    pub count: u64,
    /// The least value in the snapshot's window, or in the lifetime without windows.
    pub min: Option<f64>,
    /// The greatest value, likewise.
    pub max: Option<f64>,
}

/// A timing or histogram in a step, in the metric's unit (seconds for a timing).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimingStep {
    /// The exact number of samples in the step.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The least sample, within 0.05 %.
    pub min: f64,
    /// The greatest sample, within 0.05 %.
    pub max: f64,
    /// Their distribution.
    pub buckets: Buckets,
    /// The quantiles of the snapshot's own window, as in `/summary`; `None` without windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowQuantiles>,
    /// The greatest traced sample, if it is new in this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exemplar: Option<Box<Exemplar>>,
}

/// Statistics of a snapshot's sliding window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowQuantiles {
    /// The median.
    pub p50: f64,
    /// The quantile 0.95.
    pub p95: f64,
    /// The quantile 0.99.
    pub p99: f64,
    /// The greatest sample.
    pub max: f64,
}

/// Statistics over any number of steps, by the series' kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistics<'a> {
    /// A counter's net change.
    Counter(i128),
    /// A gauge.
    Gauge(&'a GaugeStep),
    /// A timing or histogram.
    Timing(&'a TimingStep),
}

impl Frame {
    /// The end of the frame, by the wall clock.
    pub fn end(&self) -> SystemTime {
        let since = Duration::from_millis(self.end_ms);
        SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// The time that it covers.
    pub fn span(&self) -> Duration {
        Duration::from_millis(self.span_ms)
    }

    /// Whether it covers more than two and a half steps.
    pub fn is_late(&self, step: Duration) -> bool {
        self.span().saturating_mul(2) > step.saturating_mul(5)
    }

    /// Adds a mark.
    pub fn mark(&mut self, mark: Mark) {
        if let Err(place) = self.marks.binary_search(&mark) {
            self.marks.insert(place, mark);
        }
    }

    /// An amount per second of this frame; `None` across a mark.
    pub fn rate(&self, amount: f64) -> Option<f64> {
        let seconds = self.span().as_secs_f64();
        (self.marks.is_empty() && seconds > 0.0).then(|| amount / seconds)
    }

    /// The change of a counter; `None` if it did not change.
    pub fn counter(&self, number: u32) -> Option<i128> {
        find(&self.counters, number).copied()
    }

    /// A gauge that was set, or changed, in the frame.
    pub fn gauge(&self, number: u32) -> Option<&GaugeStep> {
        find(&self.gauges, number)
    }

    /// A timing or histogram that was recorded in the frame.
    pub fn timing(&self, number: u32) -> Option<&TimingStep> {
        find(&self.timings, number)
    }

    /// The frame's statistics of a series.
    pub fn get(&self, number: u32) -> Option<Statistics<'_>> {
        let counter = self.counter(number).map(Statistics::Counter);
        let gauge = || self.gauge(number).map(Statistics::Gauge);
        counter.or_else(gauge).or_else(|| self.timing(number).map(Statistics::Timing))
    }

    /// Whether it only tells how gauges stand: it covers no time.
    pub fn is_standing(&self) -> bool {
        self.span_ms == 0 && self.marks.is_empty()
    }

    /// Adds what was recorded after this frame.
    pub fn append(&mut self, later: &Frame) {
        if later.marks.iter().any(Mark::ends_gauges) {
            self.gauges.iter_mut().for_each(|(_, step)| step.current = None);
        }
        self.version = later.version;
        self.end_ms = later.end_ms;
        self.span_ms = self.span_ms.saturating_add(later.span_ms);
        self.marks.extend(&later.marks);
        self.marks.sort_unstable();
        self.marks.dedup();
        merge(&mut self.counters, &later.counters, |sum, more| *sum = sum.saturating_add(*more));
        merge(&mut self.gauges, &later.gauges, GaugeStep::append);
        merge(&mut self.timings, &later.timings, TimingStep::append);
    }

    /// Everything that changed between two snapshots, under the numbers that `number` returns.
    pub(crate) fn between(
        earlier: &Snapshot,
        later: &Snapshot,
        mut number: impl FnMut(&Series) -> u32,
    ) -> Self {
        let mut frame = Frame {
            version: later.version(),
            end_ms: milliseconds(later.timestamp()),
            span_ms: later.elapsed_since(earlier).as_millis() as u64,
            ..Frame::default()
        };
        for (now, gained) in later.gains_since(earlier) {
            frame.add(&gained, now, &mut number);
        }
        frame.sort();
        frame
    }

    /// Everything in a snapshot, as if it had been recorded in one step.
    pub(crate) fn whole(snapshot: &Snapshot, mut number: impl FnMut(&Series) -> u32) -> Self {
        let mut frame = Frame {
            version: snapshot.version(),
            end_ms: milliseconds(snapshot.timestamp()),
            span_ms: snapshot.uptime().as_millis() as u64,
            marks: vec![Mark::Start],
            ..Frame::default()
        };
        for series in snapshot.series() {
            frame.add(series, series, &mut number);
        }
        frame.sort();
        frame
    }

    /// Adds a series with its gain and its present value, unless nothing changed.
    fn add(&mut self, gained: &Series, now: &Series, number: &mut impl FnMut(&Series) -> u32) {
        match (&gained.value, &now.value) {
            (Value::Counter(gain) | Value::UpDownCounter(gain), _) => {
                if gain.lifetime.value != 0 {
                    self.counters.push((number(now), gain.lifetime.value));
                }
            }
            (Value::Gauge(gain), Value::Gauge(views)) => {
                if gain.lifetime.count > 0 {
                    let range = views.window.as_ref().unwrap_or(&views.lifetime);
                    let step = GaugeStep {
                        current: finite(gain.lifetime.current),
                        mean: finite(gain.lifetime.mean),
                        count: gain.lifetime.count,
                        min: finite(range.min),
                        max: finite(range.max),
                    };
                    self.gauges.push((number(now), step));
                }
            }
            (Value::Timing(gain) | Value::Histogram(gain), _) => {
                if gain.lifetime.count > 0 {
                    self.timings.push((number(now), TimingStep::of(gained, now)));
                }
            }
            (Value::Gauge(_), _) => {}
        }
    }

    fn sort(&mut self) {
        self.counters.sort_unstable_by_key(|it| it.0);
        self.gauges.sort_unstable_by_key(|it| it.0);
        self.timings.sort_unstable_by_key(|it| it.0);
        self.counters.shrink_to_fit();
        self.gauges.shrink_to_fit();
        self.timings.shrink_to_fit();
    }

    /// All series in it, each with its statistics.
    pub fn series(&self) -> impl Iterator<Item = (u32, Statistics<'_>)> {
        let counters = self.counters.iter().map(|it| (it.0, Statistics::Counter(it.1)));
        let gauges = self.gauges.iter().map(|it| (it.0, Statistics::Gauge(&it.1)));
        let timings = self.timings.iter().map(|it| (it.0, Statistics::Timing(&it.1)));
        counters.chain(gauges).chain(timings)
    }

    /// The numbers of all series in it.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.series().map(|(number, _)| number)
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> usize {
        let spare = self.timings.capacity() - self.timings.len();
        let timings = self.timings.iter().map(|(_, step)| size_of::<u64>() + step.bytes());
        size_of::<Self>()
            + self.counters.capacity() * size_of::<(u32, i128)>()
            + self.gauges.capacity() * size_of::<(u32, GaugeStep)>()
            + spare * size_of::<(u32, TimingStep)>()
            + timings.sum::<usize>()
    }

    /// Why a frame that was read is invalid, if it is.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let is_sorted = ascends(&self.counters) && ascends(&self.gauges) && ascends(&self.timings);
        if !is_sorted {
            return Some("its series do not ascend");
        }
        let steps = || self.timings.iter().map(|(_, step)| step);
        if !steps().all(|step| step.buckets.count() == step.count) {
            return Some("a timing's buckets do not add up to its count");
        }
        steps().any(|step| step.min > step.max).then_some("a timing's min is above its max")
    }
}

impl GaugeStep {
    /// Adds what was set after this step.
    pub fn append(&mut self, later: &Self) {
        let weigh = |step: &Self| step.mean.map(|mean| (mean, step.count as f64));
        self.mean = match (weigh(self), weigh(later)) {
            (Some((a, m)), Some((b, n))) if m + n > 0.0 => Some(a + (b - a) * (n / (m + n))),
            (a, b) => b.or(a).map(|(mean, _)| mean),
        };
        self.current = later.current;
        self.count = self.count.saturating_add(later.count);
        self.min = [self.min, later.min].into_iter().flatten().reduce(f64::min);
        self.max = [self.max, later.max].into_iter().flatten().reduce(f64::max);
    }
}

impl TimingStep {
    fn of(gained: &Series, now: &Series) -> Self {
        let Some(gain) = gained.value.as_timing().map(|views| &views.lifetime) else {
            return Self::default();
        };
        let window = now.value.as_timing().and_then(|views| views.window.as_ref());
        Self {
            count: gain.count,
            sum: gain.sum,
            min: gain.min.unwrap_or_default(),
            max: gain.max.unwrap_or_default(),
            buckets: Buckets::of(gain.buckets()),
            window: window.and_then(|window| {
                Some(WindowQuantiles {
                    p50: window.p50?,
                    p95: window.p95?,
                    p99: window.p99?,
                    max: window.max?,
                })
            }),
            exemplar: gained.exemplar.clone(),
        }
    }

    /// Adds what was recorded after this step.
    pub fn append(&mut self, later: &Self) {
        self.count = self.count.saturating_add(later.count);
        self.sum += later.sum;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.buckets.add(&later.buckets);
        self.window = later.window;
        let value = |of: &Self| of.exemplar.as_ref().map(|exemplar| exemplar.value);
        if value(later) > value(self) {
            self.exemplar.clone_from(&later.exemplar);
        }
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> usize {
        let exemplar = self.exemplar.as_ref().map_or(0, |_| size_of::<Exemplar>());
        size_of::<Self>() + self.buckets.bytes() + exemplar
    }

    /// The quantile `q` between 0 and 1 of the step's samples, within 4.5 %, and never beyond the
    /// least or the greatest; `None` without samples.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        // A step read from a file may have any values there.
        let (min, max) = (self.min, self.max.max(self.min));
        self.buckets.quantile(q).map(|value| if min <= max { value.clamp(min, max) } else { value })
    }

    /// The mean of the step's samples; `None` without samples.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// Milliseconds since 1970; 0 for earlier times.
pub(crate) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn find<T>(sorted: &[(u32, T)], number: u32) -> Option<&T> {
    let place = sorted.binary_search_by_key(&number, |it| it.0).ok()?;
    Some(&sorted[place].1)
}

fn ascends<T>(entries: &[(u32, T)]) -> bool {
    entries.windows(2).all(|pair| pair[0].0 < pair[1].0)
}

/// Adds sorted entries to sorted entries.
pub(crate) fn merge<T: Clone>(
    ours: &mut Vec<(u32, T)>,
    theirs: &[(u32, T)],
    add: impl Fn(&mut T, &T),
) {
    let known = ours.len();
    let mut place = 0;
    for (number, value) in theirs {
        place += ours[place..known].partition_point(|it| it.0 < *number);
        match ours[place..known].first_mut().filter(|it| it.0 == *number) {
            Some((_, sum)) => add(sum, value),
            None => ours.push((*number, value.clone())),
        }
    }
    ours.sort_by_key(|it| it.0);
}
