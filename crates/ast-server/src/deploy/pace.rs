//! How often servers are scraped, and the spans that follow from it.

use std::time::Duration;

/// Spans as multiples of the scrape interval, so that rules see enough samples at any interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    interval: Duration,
}

/// Scrapes in the span of a rate: 5 min at the usual 15 s.
const WINDOW: u32 = 20;
/// Scrapes in the span over which rare things are counted: 10 min.
const LONG: u32 = 40;

impl Pace {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval }
    }

    pub(super) fn interval(self) -> String {
        self.steps(1)
    }

    /// So many scrapes, as Prometheus writes a duration.
    pub(super) fn steps(self, steps: u32) -> String {
        told(self.interval * steps)
    }

    pub(super) fn seconds(self) -> f64 {
        self.interval.as_secs_f64()
    }

    /// Puts spans in place of `$window` and `$long`.
    pub(super) fn fill(self, template: &str) -> String {
        template.replace("$window", &self.steps(WINDOW)).replace("$long", &self.steps(LONG))
    }
}

/// The largest unit that leaves no rest.
pub(super) fn told(span: Duration) -> String {
    const UNITS: [(u128, &str); 3] = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let millis = span.as_millis();
    let unit = UNITS.into_iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "ms"));
    format!("{}{name}", millis / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_unit_that_leaves_no_rest() {
        let millis = [0, 500, 1_500, 15_000, 90_000, 300_000, 7_200_000];
        let told = millis.map(|millis| told(Duration::from_millis(millis)));
        assert_eq!(told, ["0ms", "500ms", "1500ms", "15s", "90s", "5m", "2h"]);
    }

    #[test]
    fn windows_grow_with_the_interval() {
        let fill = |seconds| Pace::new(Duration::from_secs(seconds)).fill("x[$window] y[$long]");
        assert_eq!(fill(15), "x[5m] y[10m]");
        assert_eq!(fill(1), "x[20s] y[40s]");
    }
}
