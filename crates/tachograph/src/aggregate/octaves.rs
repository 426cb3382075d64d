//! Counts by bucket, one array per octave: most samples are folded into this.
//!
//! A sample costs two dependent loads and a store, whatever the spread; an octave with samples
//! takes 2 KiB. Counts have 16 bits, because a window step rarely exceeds that in one bucket; the
//! excess is carried to separate rows.

use crate::limits::OCTAVE_BUCKETS;
use crate::read::rows::{self, Row};

/// The number of octaves that hold all buckets.
const OCTAVES: usize = 56_320 / OCTAVE_BUCKETS;

type Octave = [u16; OCTAVE_BUCKETS];

#[derive(Clone, Debug)]
pub(crate) struct Octaves {
    octaves: [Option<Box<Octave>>; OCTAVES],
    /// Counts carried in multiples of 2^16.
    carried: Vec<Row>,
}

impl Octaves {
    /// The counts of sorted rows.
    pub(crate) fn of(rows: &[Row]) -> Self {
        let mut octaves = Self { octaves: [const { None }; OCTAVES], carried: Vec::new() };
        rows.iter().for_each(|&Row(bucket, count)| octaves.add(bucket, u64::from(count)));
        octaves
    }

    /// Whether the counts of sorted rows are better kept by octaves: if they take at most twice the
    /// space.
    pub(crate) fn suit(rows: &[Row]) -> bool {
        let of = |row: &Row| usize::from(row.0) / OCTAVE_BUCKETS;
        let octaves = rows.chunk_by(|a, b| of(a) == of(b)).count();
        2 * size_of_val(rows) >= octaves * size_of::<Octave>() + size_of::<Self>()
    }

    /// Counts one sample.
    #[inline]
    pub(crate) fn increment(&mut self, bucket: u16) {
        match self.count_of(bucket) {
            Some(count) if *count < u16::MAX => *count += 1,
            _ => self.add(bucket, 1),
        }
    }

    #[inline]
    fn count_of(&mut self, bucket: u16) -> Option<&mut u16> {
        let bucket = usize::from(bucket);
        let counts = self.octaves.get_mut(bucket / OCTAVE_BUCKETS)?.as_mut()?;
        counts.get_mut(bucket % OCTAVE_BUCKETS)
    }

    /// Counts samples.
    #[cold]
    #[inline(never)]
    pub(crate) fn add(&mut self, bucket: u16, count: u64) {
        let Some(octave) = self.octaves.get_mut(usize::from(bucket) / OCTAVE_BUCKETS) else {
            return;
        };
        let counts = octave.get_or_insert_with(|| Box::new([0; OCTAVE_BUCKETS]));
        let place = &mut counts[usize::from(bucket) % OCTAVE_BUCKETS];
        let total = u64::from(*place) + count;
        if total > u64::from(u16::MAX) {
            rows::add(&mut self.carried, bucket, total & !u64::from(u16::MAX));
        }
        *place = total as u16;
    }

    /// The counts as sorted rows.
    pub(crate) fn rows(&self) -> Vec<Row> {
        // Checks sixteen buckets at a time, because most are empty.
        const LOOK: usize = 16;
        let mut rows = Vec::new();
        for (octave, counts) in self.octaves.iter().enumerate() {
            let looks = counts.iter().flat_map(|counts| counts.chunks(LOOK)).enumerate();
            for (look, counts) in looks.filter(|(_, counts)| counts.iter().any(|&n| n > 0)) {
                let first = octave * OCTAVE_BUCKETS + look * LOOK;
                let buckets = (first..).zip(counts).filter(|&(_, &count)| count > 0);
                rows.extend(buckets.map(|(bucket, &n)| Row(bucket as u16, u32::from(n))));
            }
        }
        rows::merge(&mut rows, &self.carried, &mut Vec::new());
        rows
    }

    /// Bytes held on the heap, including this struct.
    pub(crate) fn bytes(&self) -> usize {
        let counts = self.octaves.iter().flatten().count() * size_of::<Octave>();
        size_of::<Self>() + counts + self.carried.capacity() * size_of::<Row>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_beyond_16_bits_are_carried_and_stay_exact() {
        let mut octaves = Octaves::of(&[Row(7, 65_534), Row(56_319, u32::MAX)]);
        for _ in 0..65_540 {
            octaves.increment(7);
        }
        octaves.increment(3_000);
        let total = |bucket| {
            let rows = octaves.rows();
            let of = rows.iter().filter(|row| row.0 == bucket);
            of.map(|row| u64::from(row.1)).sum::<u64>()
        };
        assert_eq!(total(7), 65_534 + 65_540);
        assert_eq!((total(3_000), total(56_319)), (1, u64::from(u32::MAX)));
        assert!(octaves.rows().is_sorted_by_key(|row| row.0));
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let rows: Vec<Row> = (0..2_000u16).map(|i| Row(i * 28, u32::from(i) + 1)).collect();
        assert_eq!(Octaves::of(&rows).rows(), rows);
    }
}
