//! What one recorded unit of a histogram is worth.
//!
//! The facade records floats, the collector integers. A histogram's scale is fixed when it is first
//! registered, because values that were recorded at another scale could not be read together.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use metrics::Unit;

/// Histograms whose scale is remembered. Beyond that many names, each has the scale that was chosen
/// for it, or the one without a unit.
const NAMES_MAX: usize = 10_000;

/// The scales of all histograms.
#[derive(Debug, Default)]
pub(crate) struct Scales {
    /// Those that the program chose; `None` for one that is no scale.
    chosen: HashMap<String, Option<f64>>,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    scale: f64,
    /// Whether a value may have been recorded at this scale.
    is_fixed: bool,
}

impl Scales {
    pub(crate) fn choose(&mut self, name: String, scale: f64) {
        let is_scale = scale.is_normal() && scale > 0.0;
        self.chosen.insert(name, is_scale.then_some(scale));
    }

    /// Whether the program chose a scale that is none.
    pub(crate) fn is_refused(&self, name: &str) -> bool {
        self.chosen.get(name).is_some_and(Option::is_none)
    }

    /// The scale to describe a histogram with.
    pub(crate) fn describe(&self, name: &str, unit: Option<Unit>) -> f64 {
        let scale = self.scale_by(name, unit);
        let mut known = self.lock();
        if let Some(known) = known.get_mut(name) {
            if !known.is_fixed {
                known.scale = scale;
            }
            return known.scale;
        }
        if known.len() >= NAMES_MAX {
            return self.scale_by(name, None);
        }
        known.insert(name.to_owned(), Known { scale, is_fixed: false });
        scale
    }

    /// The scale of a name that is a histogram already. Of any other, what was described before is
    /// forgotten: the collector has the later description only.
    pub(crate) fn of_registered(&self, name: &str) -> Option<f64> {
        let mut known = self.lock();
        let fixed = known.get(name).filter(|known| known.is_fixed).map(|known| known.scale);
        if fixed.is_none() {
            known.remove(name);
        }
        fixed
    }

    /// The scale to record a histogram with, and whether nobody has described the histogram.
    pub(crate) fn register(&self, name: &str) -> (f64, bool) {
        let scale = self.scale_by(name, None);
        let mut known = self.lock();
        if let Some(known) = known.get_mut(name) {
            known.is_fixed = true;
            return (known.scale, false);
        }
        if known.len() < NAMES_MAX {
            known.insert(name.to_owned(), Known { scale, is_fixed: true });
        }
        (scale, true)
    }

    fn scale_by(&self, name: &str, unit: Option<Unit>) -> f64 {
        self.chosen.get(name).copied().flatten().unwrap_or_else(|| by_unit(unit))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        // Each entry is written whole: a panic in between leaves nothing half done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A nanosecond, a byte, a bit a second; a millionth of a count, a billionth of anything else.
fn by_unit(unit: Option<Unit>) -> f64 {
    match unit {
        Some(Unit::Milliseconds | Unit::MegabitsPerSecond) => 1e-6,
        Some(Unit::Microseconds | Unit::KilobitsPerSecond) => 1e-3,
        Some(Unit::Nanoseconds | Unit::Bytes | Unit::BitsPerSecond) => 1.0,
        Some(Unit::Kibibytes) => 1.0 / 1024.0,
        Some(Unit::Mebibytes) => 1.0 / 1024.0 / 1024.0,
        Some(Unit::Gibibytes) => 1.0 / 1024.0 / 1024.0 / 1024.0,
        Some(Unit::Tebibytes) => 1.0 / 1024.0 / 1024.0 / 1024.0 / 1024.0,
        Some(Unit::TerabitsPerSecond) => 1e-12,
        Some(Unit::Count | Unit::CountPerSecond) => 1e-6,
        Some(Unit::Seconds | Unit::GigabitsPerSecond | Unit::Percent) | None => 1e-9,
    }
}

/// Recorded units in one reported unit; a whole number where the scale is one part of it, because
/// fractions like 0.001 have no exact float.
pub(crate) fn per_unit(scale: f64) -> f64 {
    let parts = scale.recip();
    if parts.round().recip() == scale { parts.round() } else { parts }
}
