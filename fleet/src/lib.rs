//! A fleet of processes, simulated: what is left of their metrics once they are added up.
//!
//! Every process is a real collector, every byte one of the real encoders'. What happens to the bytes
//! afterwards is written here once more, from the documentation of those who do it: how a Prometheus
//! adds histograms and estimates quantiles, how a Collector adds exponential histograms. What comes out is compared with all samples of all processes, sorted.
//!
//! `docs/FLEET.md` has the tables of the default fleet, and `cargo xtask fleet` makes them.
//!
//! # Promises
//! * One seed gives the same tables, on any number of cores. (Logarithms differ in their last bit
//!   from one platform's mathematics to another's; a figure may then differ in its last digit.)
//! * No clock, no socket, no file but the page that is asked for.
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

/// The fleet that is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// How many processes.
    pub processes: usize,
    /// Series of each, without what the collector says about itself.
    pub series: usize,
    /// What all randomness follows from.
    pub seed: u64,
}

impl Default for Fleet {
    fn default() -> Self {
        Self { processes: 10_000, series: 1_000, seed: 1 }
    }
}
