//! Samples on their way from a lane to their series.

use crate::lane::sample::Sample;
use crate::lane::trace::Trace;
use crate::limits::BLOCK_SAMPLES;

/// Samples that were read from a lane and are still to be folded, each handed out once. What a
/// panic leaves stays for the next pass.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) samples: Vec<Sample>,
    /// Of them, those with a trace.
    pub(crate) traced: Vec<Traced>,
    /// Samples that were handed out.
    taken: usize,
    /// Samples that were handed out before a panic, and are not among `samples` any more.
    removed: usize,
}

/// A sample that came with a trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traced {
    pub(crate) sample: Sample,
    pub(crate) trace: Trace,
    /// Where it stood in the batch when that was read: another one may be its equal.
    place: usize,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    /// Makes room for the next block's samples, so that reading them, counting them and giving the
    /// block back is one step that nothing can stop half-way.
    pub(crate) fn refill(&mut self) -> &mut Self {
        self.clear();
        self.samples.reserve(BLOCK_SAMPLES);
        self
    }

    /// Appends a sample that came with a trace.
    pub(crate) fn push_traced(&mut self, sample: Sample, trace: Trace) {
        self.traced.push(Traced { sample, trace, place: self.samples.len() });
        self.samples.push(sample);
    }

    /// Hands out the samples, also the rest of them after a panic.
    pub(crate) fn rest(&mut self) -> Rest<'_> {
        Rest { next: self.taken, batch: self }
    }

    /// Every sample was folded.
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
        self.traced.clear();
        (self.taken, self.removed) = (0, 0);
    }

    /// Takes away what was handed out before a panic; gives the sample that was the last of it,
    /// the one that was being folded. Its trace goes with it, those of the others stay.
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

/// The samples that are still to be folded. Where it stands is noted only as it goes, so that a
/// sample costs no store for it.
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

    /// Hands out the values of the samples that follow without one of another series.
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
