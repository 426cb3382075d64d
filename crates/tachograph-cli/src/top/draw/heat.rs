//! The counts of a heat map: samples by time slot and by group of buckets.

use std::sync::Arc;

use tachograph_history::{Buckets, Frame};

/// A heat map. Each column covers a slot of time, each row a group of buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heat {
    /// The counts of each column, oldest first, from its lowest row to its highest.
    pub columns: Vec<Vec<u64>>,
    /// The highest bucket of each row.
    pub tops: Vec<i16>,
    /// The greatest count of a cell.
    pub most: u64,
}

impl Heat {
    /// The heat map of a timing or histogram up to `end_ms`, in this many columns of `slot_ms` each
    /// and at most this many rows. Columns begin at multiples of `slot_ms`, so that a sample stays
    /// in the same column as time goes on.
    pub fn of(
        frames: &[Arc<Frame>],
        number: u32,
        end_ms: u64,
        slot_ms: u64,
        (columns, rows): (usize, usize),
    ) -> Self {
        let slot = |ms: u64| ms.saturating_sub(1) / slot_ms.max(1);
        let last = slot(end_ms);
        let mut merged = vec![Buckets::default(); columns];
        for frame in frames.iter().filter(|frame| frame.end_ms <= end_ms) {
            let back = (last - slot(frame.end_ms)) as usize;
            if let (Some(step), Some(place)) = (frame.timing(number), columns.checked_sub(back + 1))
            {
                merged[place].add(&step.buckets);
            }
        }
        let places = || merged.iter().flat_map(|column| column.iter().map(|(place, _)| place));
        // The bucket of zero is far below all others: its samples count in the lowest row.
        let low = places().filter(|place| *place != Buckets::ZERO).min();
        let high = places().max().filter(|place| *place != Buckets::ZERO);
        let (Some(low), Some(high)) = (low.or_else(|| places().next()), high.or(Some(0))) else {
            return Self { columns: vec![Vec::new(); columns], ..Self::default() };
        };
        let (low, high) = (i32::from(low.max(-9_000)), i32::from(high.clamp(-9_000, 9_000)));
        let each = ((high - low) / rows.max(1) as i32 + 1).max(1);
        let count = ((high - low) / each + 1) as usize;
        // The top row ends with the highest bucket, so that no row above the tail is empty.
        let row = |place: i16| {
            let below = (high - i32::from(place).clamp(low, high)) / each;
            count - 1 - below as usize
        };
        let mut heat = Self {
            columns: vec![vec![0; count]; columns],
            tops: (0..count).map(|n| (high - (count - 1 - n) as i32 * each) as i16).collect(),
            most: 0,
        };
        for (column, merged) in heat.columns.iter_mut().zip(&merged) {
            for (place, samples) in merged.iter() {
                let cell = &mut column[row(place)];
                *cell = cell.saturating_add(samples);
                heat.most = heat.most.max(*cell);
            }
        }
        heat
    }

    /// How full a cell is, from 0 to 1 by the logarithm of its count; `None` if it is empty.
    pub fn share(&self, column: usize, row: usize) -> Option<f64> {
        let count = *self.columns.get(column)?.get(row)?;
        (count > 0).then(|| (1.0 + count as f64).ln() / (1.0 + self.most as f64).ln())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(end_ms: u64, samples: &[f64]) -> Arc<Frame> {
        let mut places: Vec<_> = samples.iter().map(|it| (Buckets::index(*it), 1)).collect();
        places.sort_unstable();
        let buckets = serde_json::to_value(places).expect("JSON");
        let frame = serde_json::json!({
            "version": end_ms, "end_ms": end_ms, "span_ms": 1000,
            "timings": [[0, {"count": samples.len(), "buckets": buckets}]],
        });
        Arc::new(serde_json::from_value(frame).expect("a frame"))
    }

    #[test]
    fn every_sample_is_in_its_column_and_row() {
        let frames = [
            frame(1_000, &[0.0]),
            frame(2_000, &[1e-3, 10.0]),
            frame(3_000, &[0.1]),
            frame(4_000, &[1e-3, 0.2]),
        ];
        let heat = Heat::of(&frames, 0, 4_000, 1_000, (4, 5));
        let all: u64 = heat.columns.iter().flatten().sum();
        assert_eq!((heat.columns.len(), heat.tops.len(), all), (4, 5, 6));
        assert_eq!(heat.columns[0][0], 1, "zero is in the lowest row");
        assert_eq!((heat.columns[1][0], heat.columns[1][4]), (1, 1), "the least and the greatest");
        assert!(Buckets::upper_edge(heat.tops[4]) >= 10.0);
        // Two seconds a column: the second column has the last two.
        let halves = Heat::of(&frames, 0, 4_000, 2_000, (4, 5));
        let counts: Vec<u64> = halves.columns.iter().map(|it| it.iter().sum()).collect();
        assert_eq!(counts, [0, 0, 3, 3]);
        assert_eq!(Heat::of(&frames, 7, 4_000, 1_000, (4, 5)).most, 0, "another series");
    }
}
