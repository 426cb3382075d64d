//! Distributions in exponential buckets.

use std::ops::Range;

use tachograph::{Series, TimingStats};

use super::point::Buckets;
use super::settings::Resolution;
use crate::exponential::{Exponential, SCALE_MAX};

/// All distributions of a request. Their counts share one vector, so that none needs an allocation
/// of its own.
#[derive(Debug, Default)]
pub(super) struct Fits {
    counts: Vec<u64>,
    shapes: Vec<Shape>,
}

#[derive(Debug)]
struct Shape {
    scale: i32,
    zero_count: u64,
    offset: i32,
    /// The range of its counts.
    counts: Range<usize>,
}

/// One distribution, bucketed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit<'a> {
    pub(super) scale: i32,
    pub(super) zero_count: u64,
    pub(super) positive: Option<Buckets<'a>>,
}

impl Fits {
    /// The distributions of all timings and histograms in `series`, in the same order.
    pub(super) fn new(series: &[&Series], resolution: Resolution) -> Self {
        let mut fits = Self::default();
        let mut exponential = Exponential::default();
        for timing in series.iter().filter_map(|series| series.value.as_timing()) {
            fit(&mut exponential, &timing.lifetime, resolution);
            fits.push(&exponential);
        }
        fits
    }

    /// Adds every bucket from the first to the last non-empty one.
    fn push(&mut self, exponential: &Exponential) {
        let start = self.counts.len();
        let mut offset = 0;
        let mut next = None;
        for (index, count) in exponential.buckets() {
            match next {
                // OTLP counts from a bucket's lower edge.
                None => offset = index - 1,
                Some(next) => (next..*index).for_each(|_| self.counts.push(0)),
            }
            self.counts.push(*count);
            next = Some(index + 1);
        }
        let (scale, zero_count) = (exponential.scale(), exponential.zero_count());
        self.shapes.push(Shape { scale, zero_count, offset, counts: start..self.counts.len() });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Fit<'_>> {
        self.shapes.iter().map(|shape| {
            let counts = &self.counts[shape.counts.clone()];
            let positive = (!counts.is_empty()).then(|| Buckets::new(shape.offset, counts));
            Fit { scale: shape.scale, zero_count: shape.zero_count, positive }
        })
    }
}

/// Buckets a distribution at the requested scale.
fn fit(exponential: &mut Exponential, stats: &TimingStats, resolution: Resolution) {
    match resolution {
        Resolution::Scale(scale) => exponential.fill(stats.buckets(), scale),
        Resolution::MaxBuckets(max) => {
            exponential.fill(stats.buckets(), SCALE_MAX);
            exponential.coarsen_to(max);
        }
    }
}
