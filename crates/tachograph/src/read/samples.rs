//! Distributions that are being added up.

use crate::read::buckets::Buckets;
use crate::read::rows::{self, Row, Totals};
use crate::read::stats::TimingStats;

/// A sum of distributions; quantiles are computed once, at the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    rows: Vec<Row>,
    coarse: Vec<Row>,
    totals: Totals,
    scratch: Vec<Row>,
}

impl Samples {
    pub(crate) fn absorb(&mut self, rows: &[Row], coarse: &[Row], totals: &Totals) {
        rows::merge(&mut self.rows, rows, &mut self.scratch);
        rows::merge(&mut self.coarse, coarse, &mut self.scratch);
        self.totals.absorb(totals);
    }

    pub(crate) fn stats(&self, scale: f64) -> TimingStats {
        let (rows, coarse) = (self.rows.as_slice().into(), self.coarse.as_slice().into());
        TimingStats::of(Buckets::new(rows, coarse, self.totals, scale))
    }
}
