//! The series that the exposition benches write, with a check of the text.

use std::time::{Instant, SystemTime};

use tachograph::{MetricsCollector, Unit};

use crate::calls::TAG;
use crate::numbers::next;

/// Series of one metric, each with its own tag: counters with counts, or histograms that all have
/// the same samples.
#[derive(Clone, Debug)]
pub struct Scraped {
    /// The value of each series' tag.
    pub values: Vec<String>,
    /// Each counter's count; empty for histograms.
    pub counts: Vec<u64>,
    /// The samples of each histogram; empty for counters.
    pub samples: Vec<u64>,
}

/// The upper bounds of the histograms' buckets.
pub fn bounds() -> [f64; 20] {
    std::array::from_fn(|i| f64::from(1 << i))
}

impl Scraped {
    /// This many counters.
    pub fn counters(series: usize) -> Self {
        let counts = (1..=series as u64).map(|i| i * 12_345).collect();
        Self { values: values(series), counts, samples: Vec::new() }
    }

    /// This many histograms of 100 samples, of all orders of magnitude up to a million.
    pub fn timings(series: usize) -> Self {
        let mut state = 1;
        let mut sample = || next(&mut state) >> (11 + next(&mut state) % 20);
        let samples = (0..100).map(|_| sample()).collect();
        Self { values: values(series), counts: Vec::new(), samples }
    }

    /// A collector with these series, named `counter` and `timing`, published.
    pub fn collector(&self) -> MetricsCollector {
        let builder = MetricsCollector::builder().manual();
        let metrics = builder.series_per_metric(self.values.len()).build();
        metrics.describe("counter", Unit::None, "help");
        metrics.describe("timing", Unit::None, "help");
        for (value, &count) in self.values.iter().zip(&self.counts) {
            metrics.with_tags(&[(TAG.0, value)]).increment_by("counter", count);
        }
        if !self.samples.is_empty() {
            for value in &self.values {
                let tags = [(TAG.0, value.as_str())];
                let timing = metrics.with_tags(&tags).register_histogram("timing");
                self.samples.iter().for_each(|&sample| timing.record(sample));
                metrics.run_pass(Instant::now(), SystemTime::now());
            }
        }
        metrics.run_pass(Instant::now(), SystemTime::now());
        metrics
    }

    /// Returns a function that records one more sample into every series.
    pub fn more(&self, metrics: &MetricsCollector) -> Box<dyn Fn() + Send + Sync> {
        let (mut counters, mut timings) = (Vec::new(), Vec::new());
        for value in &self.values {
            let tags = [(TAG.0, value.as_str())];
            let tagged = metrics.with_tags(&tags);
            if self.samples.is_empty() {
                counters.push(tagged.register_counter("counter"));
            } else {
                timings.push(tagged.register_histogram("timing"));
            }
        }
        Box::new(move || {
            counters.iter().for_each(|counter| counter.increment());
            timings.iter().for_each(|timing| timing.record(1_000));
        })
    }

    /// Asserts that a text contains all of it.
    ///
    /// # Panics
    /// If it does not.
    pub fn assert_in(&self, text: &[u8]) {
        let text = std::str::from_utf8(text).expect("UTF-8");
        let series = self.values.len();
        if self.samples.is_empty() {
            let named = Column::of(text, "counter{").or(Column::of(text, "counter_total{"));
            let sum = self.counts.iter().sum::<u64>() as f64;
            assert_eq!(named, Column { lines: series, sum });
            return;
        }
        let total = |of_one: f64, lines_of_one: usize| Column {
            lines: series * lines_of_one,
            sum: of_one * series as f64,
        };
        let count = self.samples.len() as f64;
        let sum = self.samples.iter().sum::<u64>() as f64;
        let up_to = |bound: f64| self.samples.iter().filter(|it| **it as f64 <= bound).count();
        let counted: usize = bounds().map(up_to).iter().sum();
        assert_eq!(Column::of(text, "timing_count{"), total(count, 1));
        assert_eq!(Column::of(text, "timing_sum{"), total(sum, 1));
        let buckets = total(counted as f64 + count, bounds().len() + 1);
        assert_eq!(Column::of(text, "timing_bucket{"), buckets);
    }
}

fn values(series: usize) -> Vec<String> {
    (0..series).map(|i| format!("/live/track/{i}")).collect()
}

/// The lines of one name.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Column {
    lines: usize,
    sum: f64,
}

impl Column {
    fn of(text: &str, start: &str) -> Self {
        let value = |line: &str| -> f64 {
            line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
        };
        let named = text.lines().filter(|line| line.starts_with(start)).map(value);
        named.fold(Self { lines: 0, sum: 0.0 }, |all, value| Self {
            lines: all.lines + 1,
            sum: all.sum + value,
        })
    }

    /// This column, or `other` if this one has no lines.
    fn or(self, other: Self) -> Self {
        if self.lines > 0 { self } else { other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_a_series_too_few_is_noticed() {
        let scraped = Scraped::counters(3);
        let line = |(value, count)| format!("counter{{event_type=\"{value}\"}} {count}\n");
        let lines: Vec<_> = scraped.values.iter().zip(&scraped.counts).map(line).collect();
        scraped.assert_in(lines.concat().as_bytes());
        let fewer = lines[1..].concat();
        assert!(std::panic::catch_unwind(|| scraped.assert_in(fewer.as_bytes())).is_err());
    }
}
