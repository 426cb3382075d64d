//! A simulated fleet of processes, to see what remains of their metrics after aggregation.
//!
//! Every process is a real collector, and every byte comes from the real encoders. What happens to
//! the bytes afterwards is reimplemented here from documentation: how Prometheus adds histograms
//! and estimates quantiles, and how a Collector adds exponential histograms. The result is compared
//! with all samples of all processes.
//!
//! `docs/FLEET.md` has the tables of the default fleet; `cargo fleet` generates them.
//!
//! # Promises
//! * The same seed gives the same tables, on any number of cores. (Logarithms can differ in their
//!   last bit between platforms, so a figure may differ in its last digit.)
//! * No clock, no socket, and no file except the requested page.
//!
//! # Example
//! ```
//! use fleet::{Accuracy, Fleet};
//!
//! let accuracy = Accuracy::of(&Fleet { processes: 20, series: 100, seed: 1 });
//! let p99 = accuracy.rows().find(|row| row.shape == "alike" && row.permille == 990).expect("p99");
//! assert!(p99.native.abs() < 0.03);
//! ```
#![forbid(unsafe_code)]

mod accuracy;
mod classic;
mod decode;
mod exponential;
mod forms;
mod oracle;
mod page;
mod process;
mod scrape;
mod shapes;
mod table;

pub use self::accuracy::{Accuracy, Resolution, Row};
pub use self::classic::Classic;
pub use self::exponential::Exponential;
pub use self::forms::Form;
pub use self::oracle::quantile;
pub use self::page::{Page, PageError, Tables};
pub use self::process::Process;
pub use self::scrape::{Scrape, Scrapes};
pub use self::shapes::Shape;
pub use self::table::Table;

/// The fleet to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// The number of processes.
    pub processes: usize,
    /// Series per process, without the collector's own.
    pub series: usize,
    /// The seed of all randomness.
    pub seed: u64,
}

impl Default for Fleet {
    fn default() -> Self {
        Self { processes: 10_000, series: 1_000, seed: 1 }
    }
}
