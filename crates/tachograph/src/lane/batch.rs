//! Samples on their way from a lane to their series.

use crate::lane::sample::Sample;
use crate::lane::trace::Trace;
use crate::limits::BLOCK_SAMPLES;

/// Samples that were read from a lane but not yet folded; each is handed out once. After a panic
/// the rest stay for the next pass.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) samples: Vec<Sample>,
    /// The samples among them that have a trace.
    pub(crate) traced: Vec<TracedSample>,
    /// The number of samples handed out.
    taken: usize,
    /// Samples handed out before a panic, which are no longer in `samples`.
    removed: usize,
}

/// A sample that has a trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TracedSample {
    pub(crate) sample: Sample,
    pub(crate) trace: Trace,
    /// Its index in the batch as read, because another sample may be equal to it.
    place: usize,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    /// Reserves room for the next block's samples, so that nothing can interrupt reading them,
    /// counting them and returning the block.
    pub(crate) fn refill(&mut self) -> &mut Self {
        self.clear();
        self.samples.reserve(BLOCK_SAMPLES);
        self
    }

    /// Appends a sample that has a trace.
    pub(crate) fn push_traced(&mut self, sample: Sample, trace: Trace) {
        self.traced.push(TracedSample { sample, trace, place: self.samples.len() });
        self.samples.push(sample);
    }

    /// Hands out the samples, or after a panic the rest of them.
    pub(crate) fn rest(&mut self) -> Rest<'_> {
        Rest { next: self.taken, batch: self }
    }

    /// Clears the batch once every sample is folded.
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
        self.traced.clear();
        (self.taken, self.removed) = (0, 0);
    }

    /// Removes the samples handed out before a panic and returns the last of them, which was being
    /// folded. Its trace is removed too; those of the others stay.
    pub(crate) fn remove_taken(&mut self) -> Option<Sample> {
        let taken = std::mem::take(&mut self.taken);
        let last = self.samples.drain(..taken).next_back();
        self.removed += taken;
        if last.is_some() {
            self.traced.retain(|traced| traced.place + 1 != self.removed);
        }
        last
    }
}

/// The samples still to be folded. The position is tracked by the iterator itself, so that a sample
/// costs no store for it.
#[derive(Debug)]
pub(crate) struct Rest<'a> {
    batch: &'a mut Batch,
    next: usize,
}

impl Rest<'_> {
    /// The series of the next sample.
    #[inline]
    pub(crate) fn series(&self) -> Option<u32> {
        Some(self.batch.samples.get(self.next)?.series)
    }

    /// Hands out the values of the following samples until another series comes.
    #[inline]
    pub(crate) fn run(&mut self, series: u32) -> impl Iterator<Item = u64> {
        std::iter::from_fn(move || {
            let sample = self.batch.samples.get(self.next)?;
            (sample.series == series).then(|| {
                self.next += 1;
                sample.value
            })
        })
    }
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.batch.taken = self.next;
    }
}
