//! A sparse distribution: sorted rows of bucket and count.

use serde::{Deserialize, Serialize};
use zerocopy::{Immutable, IntoBytes};

/// The count of one bucket. A count beyond 32 bits takes several consecutive rows.
///
/// Packed, because rows make up most of a timing in a snapshot, and a quarter of them would be
/// padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Immutable, IntoBytes)]
#[repr(C, packed(2))]
pub(crate) struct Row(pub(crate) u16, pub(crate) u32);

/// Appends a bucket's count.
pub(crate) fn push(rows: &mut Vec<Row>, bucket: u16, mut count: u64) {
    while count > 0 {
        let part = u32::try_from(count).unwrap_or(u32::MAX);
        rows.push(Row(bucket, part));
        count -= u64::from(part);
    }
}

/// Adds to a bucket of sorted rows.
pub(crate) fn add(rows: &mut Vec<Row>, bucket: u16, count: u64) {
    match rows.binary_search_by_key(&bucket, |row| row.0) {
        Ok(found) => {
            let total = u64::from(rows[found].1) + count;
            match u32::try_from(total) {
                Ok(total) => rows[found].1 = total,
                Err(_) => insert(rows, found + 1, bucket, count),
            }
        }
        Err(place) => insert(rows, place, bucket, count),
    }
}

#[cold]
fn insert(rows: &mut Vec<Row>, place: usize, bucket: u16, count: u64) {
    let mut fresh = Vec::new();
    push(&mut fresh, bucket, count);
    rows.splice(place..place, fresh);
}

/// Merges sorted rows `b` into sorted rows `a`, using `scratch`.
pub(crate) fn merge(a: &mut Vec<Row>, b: &[Row], scratch: &mut Vec<Row>) {
    if a.is_empty() || b.is_empty() {
        return a.extend_from_slice(b);
    }
    scratch.clear();
    scratch.reserve(a.len() + b.len());
    let (mut left, mut right) = (a.as_slice(), b);
    while let (Some((&x, xs)), Some((&y, ys))) = (left.split_first(), right.split_first()) {
        match x.0.cmp(&y.0) {
            std::cmp::Ordering::Less => (scratch.push(x), left = xs).1,
            std::cmp::Ordering::Greater => (scratch.push(y), right = ys).1,
            std::cmp::Ordering::Equal => {
                push(scratch, x.0, u64::from(x.1) + u64::from(y.1));
                (left, right) = (xs, ys);
            }
        }
    }
    scratch.extend_from_slice(left);
    scratch.extend_from_slice(right);
    std::mem::swap(a, scratch);
}

/// The rows compared at once, as bytes: most of two consecutive snapshots' rows are the same.
const AT_ONCE: usize = 8;

/// The number of rows at the front that are the same in both.
pub(crate) fn common_prefix(a: &[Row], b: &[Row]) -> usize {
    let (many, _) = a.as_chunks::<AT_ONCE>();
    let (others, _) = b.as_chunks::<AT_ONCE>();
    let same = many.iter().zip(others).take_while(|(a, b)| a.as_bytes() == b.as_bytes());
    let same = same.count() * AT_ONCE;
    same + a[same..].iter().zip(&b[same..]).take_while(|(a, b)| a == b).count()
}

/// The exact totals of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) count: u64,
    #[serde(with = "crate::series::encoding::halves")]
    pub(crate) sum: u128,
    /// `u64::MAX` without samples.
    pub(crate) min: u64,
    pub(crate) max: u64,
    /// Samples of which only the coarse bucket is known.
    pub(crate) coalesced: u64,
}

impl Default for Totals {
    fn default() -> Self {
        Self { count: 0, sum: 0, min: u64::MAX, max: 0, coalesced: 0 }
    }
}

impl Totals {
    pub(crate) fn absorb(&mut self, other: &Self) {
        // Saturating, because a deserialized distribution may contain any number.
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.wrapping_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.coalesced = self.coalesced.saturating_add(other.coalesced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(rows: &[Row], bucket: u16) -> u64 {
        rows.iter().filter(|row| row.0 == bucket).map(|row| u64::from(row.1)).sum()
    }

    #[test]
    fn counts_beyond_32_bits_take_several_rows_and_stay_exact() {
        let big = 3 * u64::from(u32::MAX) + 7;
        let mut rows = Vec::new();
        add(&mut rows, 5, big);
        add(&mut rows, 5, 1);
        add(&mut rows, 4, 2);
        let mut other = rows.clone();
        merge(&mut other, &rows, &mut Vec::new());
        assert_eq!((total(&rows, 5), total(&rows, 4)), (big + 1, 2));
        assert_eq!((total(&other, 5), total(&other, 4)), (2 * (big + 1), 4));
        assert!(other.is_sorted_by_key(|row| row.0));
    }
}
