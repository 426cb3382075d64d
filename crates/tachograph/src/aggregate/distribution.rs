//! The aggregator's samples of a timing or histogram: sorted rows while there are few, counts by
//! octave from then on.

use std::borrow::Cow;

use crate::aggregate::octaves::Octaves;
use crate::aggregate::window::Accumulate;
use crate::lane::bucket::{self, coarse};
use crate::lane::spill::SpillGain;
use crate::limits::SPARSE_ROWS;
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
        self.increment(bucket::index(value));
        self.totals.count += 1;
        self.totals.sum = self.totals.sum.wrapping_add(u128::from(value));
        self.totals.min = self.totals.min.min(value);
        self.totals.max = self.totals.max.max(value);
    }

    /// Adds samples coalesced under overload: count, sum, minimum and maximum are exact, and each
    /// value is known to its coarse bucket.
    pub(crate) fn record_coalesced(&mut self, gain: &SpillGain) {
        for &(bucket, count) in &gain.buckets {
            let (low, high) = coarse::ends(bucket.into());
            self.add(bucket::index(low + (high - low).div_ceil(2)), count);
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
    fn increment(&mut self, bucket: u16) {
        match &mut self.counts {
            Counts::ByOctave(octaves) => octaves.increment(bucket),
            Counts::Sparse(_) => self.add(bucket, 1),
        }
    }

    fn add(&mut self, bucket: u16, count: u64) {
        match &mut self.counts {
            Counts::Sparse(rows) => {
                rows::add(rows, bucket, count);
                // Only now and then, because the check costs as much as it could save.
                if rows.len().is_multiple_of(SPARSE_ROWS / 32)
                    && (rows.len() >= SPARSE_ROWS || Octaves::suit(rows))
                {
                    self.counts = Counts::ByOctave(Box::new(Octaves::of(rows)));
                }
            }
            Counts::ByOctave(octaves) => octaves.add(bucket, count),
        }
    }

    /// The counts as sorted rows.
    pub(crate) fn rows(&self) -> Cow<'_, [Row]> {
        match &self.counts {
            Counts::Sparse(rows) => Cow::Borrowed(rows),
            Counts::ByOctave(octaves) => Cow::Owned(octaves.rows()),
        }
    }

    /// The coalesced counts as sorted rows, by coarse bucket.
    pub(crate) fn coarse(&self) -> &[Row] {
        &self.coarse
    }

    /// Bytes held on the heap.
    pub(crate) fn bytes(&self) -> usize {
        let traced = self.worst.as_ref().map_or(0, |_| size_of::<Witness>());
        traced
            + self.coarse.capacity() * size_of::<Row>()
            + match &self.counts {
                Counts::Sparse(rows) => rows.capacity() * size_of::<Row>(),
                Counts::ByOctave(octaves) => octaves.bytes(),
            }
    }
}

impl Accumulate for Distribution {
    fn absorb(&mut self, other: &Self) {
        let others = other.rows();
        match &mut self.counts {
            Counts::Sparse(rows) => {
                rows::merge(rows, &others, &mut Vec::new());
                if rows.len() >= SPARSE_ROWS {
                    self.counts = Counts::ByOctave(Box::new(Octaves::of(rows)));
                }
            }
            Counts::ByOctave(octaves) => octaves.add_all(&others),
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
