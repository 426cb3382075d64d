//! What the benches share: a small harness, the machine's limits, tables.
//!
//! A figure is taken beside the loop without an operation and beside the least that the machine
//! could do instead, in rounds that alternate between all of them, so that a slow moment hits
//! all alike. Believe the ratios; nanoseconds differ from machine to machine and day to day.
//!
//! ```
//! use benches::{Case, Plan, measure};
//!
//! let add = Case::new("add", || 7u64, |seven, i| {
//!     std::hint::black_box(seven + i);
//! });
//! let figures = measure(&[add], Plan { threads: 1, rounds: 9, bursts: 2, burst: 100 });
//! assert!(figures[0].min <= figures[0].median);
//! ```
#![forbid(unsafe_code)]

mod case;
mod figures;
mod gate;
mod limits;
mod measure;
mod other_thread;
mod table;

pub use case::{Case, every_record};
pub use figures::Figures;
pub use limits::{SharedClock, empty, own_word, own_word_of_thread, two_instants, two_stamps};
pub use measure::{Plan, measure, time};
pub use other_thread::OtherThread;
pub use table::{Table, number};
