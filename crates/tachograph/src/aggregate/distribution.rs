//! The aggregator's samples of a timing or histogram: sorted rows while there are few, counts by
//! octave where samples are folded, an HDR histogram where steps are added up.

use std::borrow::Cow;

use hdrhistogram::Histogram;

use crate::aggregate::octaves::Octaves;
use crate::aggregate::window::Accumulate;
use crate::lane::bucket;
use crate::lane::coarse_bucket;
use crate::lane::spill::SpillGain;
use crate::limits::SPARSE_ROWS;
use crate::read::buckets::Parts;
use crate::read::exemplar::{Witness, worst};
use crate::read::rows::{self, Row, Totals};

/// Counts by bucket, plus the exact totals that buckets cannot give.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    counts: Counts,
    pub(crate) totals: Totals,
    /// The coalesced counts, by coarse bucket.
    coarse: Vec<Row>,
    // Boxed, because most distributions have no traces.
    worst: Option<Box<Witness>>,
}

#[derive(Clone, Debug)]
enum Counts {
    Sparse(Vec<Row>),
    ByOctave(Box<Octaves>),
    Dense(Box<Histogram<u64>>),
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            counts: Counts::Sparse(Vec::new()),
            totals: Totals::default(),
            coarse: Vec::new(),
            worst: None,
        }
    }
}

impl Distribution {
    /// Adds a sample.
    #[inline]
    pub(crate) fn record(&mut self, value: u64) {
        self.increment(value);
        self.totals.count += 1;
        self.totals.sum = self.totals.sum.wrapping_add(u128::from(value));
        self.totals.min = self.totals.min.min(value);
        self.totals.max = self.totals.max.max(value);
    }

    /// Adds samples coalesced under overload: count, sum, minimum and maximum are exact, and each
    /// value is known to its coarse bucket.
    pub(crate) fn record_coalesced(&mut self, gain: &SpillGain) {
        for &(bucket, count) in &gain.buckets {
            let (low, high) = coarse_bucket::ends(bucket.into());
            self.add_to_bucket(low + (high - low).div_ceil(2), count);
            self.totals.count += count;
            if low < high {
                self.totals.coalesced += count;
                rows::add(&mut self.coarse, bucket, count);
            }
        }
        self.totals.sum = self.totals.sum.wrapping_add(gain.sum);
        self.totals.min = self.totals.min.min(gain.min);
        self.totals.max = self.totals.max.max(gain.max);
    }

    /// Keeps a traced sample, unless it already has one that is as great.
    pub(crate) fn witness(&mut self, witness: &Witness) {
        if let Some(worst) = worst(self.worst(), Some(witness)) {
            match &mut self.worst {
                Some(place) => **place = worst,
                place => *place = Some(Box::new(worst)),
            }
        }
    }

    /// The greatest of the traced samples.
    pub(crate) fn worst(&self) -> Option<&Witness> {
        self.worst.as_deref()
    }

    #[inline]
    fn increment(&mut self, value: u64) {
        match &mut self.counts {
            Counts::ByOctave(octaves) => octaves.increment(bucket::index(value)),
            _ => self.add_to_bucket(value, 1),
        }
    }

    fn add_to_bucket(&mut self, value: u64, count: u64) {
        match &mut self.counts {
            Counts::Sparse(rows) => {
                rows::add(rows, bucket::index(value), count);
                // Only now and then, because the check costs as much as it could save.
                if rows.len().is_multiple_of(SPARSE_ROWS / 32)
                    && (rows.len() >= SPARSE_ROWS || Octaves::suit(rows))
                {
                    self.counts = Counts::ByOctave(Box::new(Octaves::of(rows)));
                }
            }
            Counts::ByOctave(octaves) => octaves.add(bucket::index(value), count),
            Counts::Dense(histogram) => record_n(histogram, value, count),
        }
    }

    /// Converts it to an HDR histogram, the form for totals of many steps.
    fn densify(&mut self) {
        if let Counts::Dense(_) = self.counts {
            return;
        }
        // Err: impossible, three digits are valid. Staying sparse would be slow, not wrong.
        let Ok(mut histogram) = Histogram::new(3) else { return };
        for &Row(bucket, count) in self.rows().iter() {
            record_n(&mut histogram, bucket::low(bucket), u64::from(count));
        }
        self.counts = Counts::Dense(Box::new(histogram));
    }

    /// The counts as sorted rows.
    fn rows(&self) -> Cow<'_, [Row]> {
        match &self.counts {
            Counts::Sparse(rows) => Cow::Borrowed(rows),
            Counts::ByOctave(octaves) => Cow::Owned(octaves.rows()),
            Counts::Dense(histogram) => {
                let mut sparse = Vec::with_capacity(2 * SPARSE_ROWS);
                for step in histogram.iter_recorded() {
                    let bucket = bucket::index(step.value_iterated_to());
                    rows::push(&mut sparse, bucket, step.count_at_value());
                }
                Cow::Owned(sparse)
            }
        }
    }

    /// What sums of distributions are made of.
    pub(crate) fn parts(&self) -> Parts<'_> {
        (self.rows(), &self.coarse, self.totals)
    }

    /// Bytes held on the heap.
    pub(crate) fn bytes(&self) -> usize {
        let traced = self.worst.as_ref().map_or(0, |_| size_of::<Witness>());
        traced
            + self.coarse.capacity() * size_of::<Row>()
            + match &self.counts {
                Counts::Sparse(rows) => rows.capacity() * size_of::<Row>(),
                Counts::ByOctave(octaves) => octaves.bytes(),
                Counts::Dense(histogram) => histogram.distinct_values() * size_of::<u64>(),
            }
    }
}

impl Accumulate for Distribution {
    fn absorb(&mut self, other: &Self) {
        let others = other.rows();
        if let Counts::Sparse(rows) = &mut self.counts {
            rows::merge(rows, &others, &mut Vec::new());
            if rows.len() >= SPARSE_ROWS {
                self.densify();
            }
        } else {
            self.densify();
            for &Row(bucket, count) in others.iter() {
                self.add_to_bucket(bucket::low(bucket), u64::from(count));
            }
        }
        rows::merge(&mut self.coarse, &other.coarse, &mut Vec::new());
        self.totals.absorb(&other.totals);
        if let Some(witness) = other.worst() {
            self.witness(witness);
        }
    }

    fn is_empty(&self) -> bool {
        self.totals.count == 0
    }
}

/// Records into a histogram that grows with its values.
#[inline]
fn record_n(histogram: &mut Histogram<u64>, value: u64, count: u64) {
    if histogram.record_n(value, count).is_err() {
        // It cannot grow any further: the sample is counted in its last bucket.
        histogram.saturating_record_n(value, count);
    }
}
