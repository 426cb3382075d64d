//! What `increase` makes of a counter's samples.

/// A sample of a counter: when, in seconds, and its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Seconds since whenever.
    pub time: f64,
    /// The counter's value.
    pub value: f64,
}

/// The span that a query looks at, in seconds: after `start`, up to `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Not within the span itself, as of Prometheus 3.
    pub start: f64,
    /// Within the span.
    pub end: f64,
}

impl Span {
    /// Whether a moment lies within.
    pub fn contains(&self, time: f64) -> bool {
        time > self.start && time <= self.end
    }
}

/// Samples this much further apart than the average count as the series' end.
const GAP: f64 = 1.1;

/// The increase of a series over a span, as PromQL's `increase` gives it; `None` with fewer than two
/// samples in the span.
///
/// A value below the one before is a restart at 0. What the samples show is extended to the span's
/// ends where the next sample would be expected beyond them, otherwise by half the samples'
/// average distance; but never back to before the counter would have been 0. As
/// <https://prometheus.io/docs/prometheus/latest/querying/functions/#increase> has it, and its
/// maintainers in <https://github.com/prometheus/prometheus/pull/1295> and
/// <https://github.com/prometheus/prometheus/pull/13725>.
pub fn increase(samples: &[Sample], span: Span) -> Option<f64> {
    let within: Vec<Sample> =
        samples.iter().copied().filter(|sample| span.contains(sample.time)).collect();
    let ([first, ..], [.., last]) = (&within[..], &within[..]) else { return None };
    if within.len() < 2 {
        return None;
    }
    let steps = within.windows(2).map(|pair| {
        let reset = pair[1].value < pair[0].value;
        pair[1].value - if reset { 0.0 } else { pair[0].value }
    });
    let seen: f64 = steps.sum();
    let sampled = last.time - first.time;
    let apart = sampled / (within.len() - 1) as f64;
    let reach = |distance: f64| if distance < apart * GAP { distance } else { apart / 2.0 };
    let mut before = reach(first.time - span.start);
    if seen > 0.0 && first.value >= 0.0 {
        before = before.min(sampled * first.value / seen);
    }
    Some(seen * (sampled + before + reach(span.end - last.time)) / sampled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: f64 = 60.0;

    /// A sample every five minutes, from 0 on.
    fn every_five_minutes(values: &[f64]) -> Vec<Sample> {
        let at =
            |(i, value): (usize, &f64)| Sample { time: i as f64 * 5.0 * MINUTE, value: *value };
        values.iter().enumerate().map(at).collect()
    }

    fn over(values: &[f64], end: f64, minutes: f64) -> f64 {
        let end = end * MINUTE;
        let span = Span { start: end - minutes * MINUTE, end };
        increase(&every_five_minutes(values), span).expect("two samples")
    }

    fn line(first: f64, step: f64) -> Vec<f64> {
        (0..11).map(|i| first + step * f64::from(i)).collect()
    }

    #[test]
    fn a_straight_line_is_told_as_it_is() {
        assert_eq!(over(&line(0.0, 10.0), 50.0, 50.0), 100.0);
        assert_eq!(over(&line(10.0, 10.0), 50.0, 50.0), 100.0);
    }

    // By hand: ten samples from 5 to 50 min. 18 … 90, then 0 … 72: 72 seen up to the restart, 72
    // after it. The first sample is one distance into the span, and the line would have been at 0
    // before that: 144 * 50 / 45.
    #[test]
    fn a_value_below_the_one_before_is_a_restart() {
        let values: Vec<f64> = [0, 18, 36, 54, 72, 90, 0, 18, 36, 54, 72].map(f64::from).into();
        assert_eq!(over(&values, 50.0, 50.0), 160.0);
        // The middle 3 2 counts as 3 0 2: 6 seen in 25 min, and 1 more before, from 0.
        assert_eq!(over(&[0.0, 1.0, 2.0, 3.0, 2.0, 3.0, 4.0], 30.0, 30.0), 7.0);
    }

    // By hand: eleven samples in 50 of the 100 minutes. The span begins 50 min too early, so that half
    // a distance is added: 2.5 of 50 min. From 10 on, 0 was 5 min before; from 1 on, 0.5 min.
    #[test]
    fn a_series_that_begins_within_the_span_is_not_extended_below_zero() {
        assert_eq!(over(&line(0.0, 10.0), 50.0, 100.0), 100.0);
        assert_eq!(over(&line(10.0, 10.0), 50.0, 100.0), 105.0);
        assert_eq!(over(&line(1.0, 10.0), 50.0, 100.0), 101.0);
    }

    #[test]
    fn a_series_that_ends_within_the_span_is_extended_by_half_a_distance() {
        // 100 in 50 min, and 2.5 min more.
        assert_eq!(over(&line(0.0, 10.0), 90.0, 90.0 + 5.0), 105.0);
    }

    #[test]
    fn one_sample_is_no_increase() {
        let one = [Sample { time: 1.0, value: 5.0 }];
        assert_eq!(increase(&one, Span { start: 0.0, end: 10.0 }), None);
        assert_eq!(increase(&[], Span { start: 0.0, end: 10.0 }), None);
    }
}
