//! What the whole fleet asks of whoever reads it.

use crate::Fleet;
use crate::forms::Form;
use crate::process::SCRAPE_SECONDS;
use crate::scrape::{Scrape, Scrapes};
use crate::table::{Table, bytes, whole};

/// Series that a Prometheus adds to each target: `up`, and four about the scrape.
const OF_TARGET: f64 = 5.0;

/// Samples a second that one large Prometheus takes, by PromLabs' rule of thumb.
const PROMETHEUS_SAMPLES: f64 = 1e6;

/// Active series that it holds; the rule says several million.
const PROMETHEUS_SERIES: f64 = 5e6;

/// Memory of an ingester of Mimir for a series, by its documentation: 2.5 GB for 300,000.
const MIMIR_BYTES: f64 = 2.5e9 / 3e5;

/// Copies of each series that Mimir keeps by default.
const MIMIR_COPIES: f64 = 3.0;

/// The load of one form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// The form.
    pub form: Form,
    /// Active series of the fleet.
    pub series: f64,
    /// Samples a second.
    pub samples: f64,
    /// Bytes a second, as they are.
    pub bytes: f64,
    /// Bytes a second, compressed with gzip.
    pub gzip: f64,
}

impl Load {
    /// What each form comes to: every process counts as the mean of those that were read.
    pub fn of(fleet: &Fleet, scrapes: &Scrapes) -> Vec<Self> {
        let totals = scrapes.iter().find(|scrape| scrape.form == Form::OtlpTotals);
        let of = |scrape: &Scrape| {
            let processes = fleet.processes as f64;
            let a_second = processes / SCRAPE_SECONDS as f64;
            let own = if scrape.form.is_pushed() { 0.0 } else { OF_TARGET };
            // A series that has no delta at the moment is still there.
            let series = match scrape.form {
                Form::OtlpDeltas => totals.map_or(0.0, |totals| totals.samples),
                _ => scrape.samples + own,
            };
            Self {
                form: scrape.form,
                series: series * processes,
                samples: (scrape.samples + own) * a_second,
                bytes: scrape.bytes[1] * a_second,
                gzip: scrape.gzip * a_second,
            }
        };
        scrapes.iter().map(of).collect()
    }

    /// How many large servers share it, by the rule of thumb.
    pub fn servers(&self) -> f64 {
        (self.samples / PROMETHEUS_SAMPLES).max(self.series / PROMETHEUS_SERIES).ceil()
    }

    /// Bytes of memory that the ingesters of a Mimir need, all copies together.
    pub fn mimir_memory(&self) -> f64 {
        self.series * MIMIR_BYTES * MIMIR_COPIES
    }

    /// All loads as a table.
    pub fn table(loads: &[Self]) -> Table {
        let header = [
            "form",
            "active series",
            "samples a second",
            "bytes a second",
            "gzip a second",
            "Prometheus servers",
            "memory of Mimir's ingesters",
        ];
        let mut table = Table::new(1, header);
        for load in loads {
            table.row([
                load.form.name().to_owned(),
                whole(load.series),
                whole(load.samples),
                bytes(load.bytes),
                bytes(load.gzip),
                whole(load.servers()),
                bytes(load.mimir_memory()),
            ]);
        }
        table
    }
}
