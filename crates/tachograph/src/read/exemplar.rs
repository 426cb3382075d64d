//! The sample of a distribution that is kept together with its trace.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::lane::trace::Trace;
use crate::series::metric::scaled;

/// The greatest traced sample of a series, with its trace.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exemplar {
    /// The sample in the metric's unit (seconds for a timing).
    #[serde(with = "crate::series::encoding::float")]
    pub value: f64,
    /// The trace that it was recorded with.
    pub trace: Trace,
    /// When it was aggregated, by the wall clock.
    #[serde(with = "crate::series::encoding::wall")]
    pub timestamp: SystemTime,
}

/// An exemplar in recorded units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Witness {
    pub(crate) value: u64,
    pub(crate) trace: Trace,
    pub(crate) timestamp: SystemTime,
}

impl Witness {
    pub(crate) fn exemplar(&self, scale: f64) -> Exemplar {
        let Self { value, trace, timestamp } = *self;
        Exemplar { value: scaled(value as f64, scale), trace, timestamp }
    }
}

/// The witness with the greater sample; the first one if they are equal.
pub(crate) fn worst(a: Option<&Witness>, b: Option<&Witness>) -> Option<Witness> {
    [a, b].into_iter().flatten().copied().reduce(|a, b| if b.value > a.value { b } else { a })
}
