//! What the benches share: a small harness, the machine's limits, and tables.
//!
//! Each round measures all operations, the loop without an operation, and the least that the
//! machine could do instead, in turns, so that a slow moment hits them all alike. Trust the ratios;
//! nanoseconds differ from machine to machine and from day to day.
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

mod bed;
mod budgets;
pub mod calls;
mod case;
mod cold;
mod figures;
mod first;
mod gate;
#[cfg(feature = "server")]
pub mod host;
mod limits;
mod measure;
mod numbers;
mod options;
mod other_thread;
#[cfg(feature = "comparisons")]
pub mod rivals;
#[cfg(feature = "record")]
mod scraped;
mod stamps;
mod table;
mod tails;

pub use bed::Bed;
pub use budgets::Budgets;
pub use case::{Case, Done, every_record};
pub use cold::{COLD_CALLS, COLD_KEPT, cold};
pub use figures::Figures;
pub use first::first_on_new_threads;
pub use limits::{
    SharedClock, empty, own_word, own_word_of_thread, two_instants, two_stamps,
    word_of_thread_with_exit,
};
pub use measure::{Plan, Turn, measure, measure_threads, time, time_in_turns};
pub use numbers::{durations, next};
pub use options::Options;
pub use other_thread::OtherThread;
#[cfg(feature = "record")]
pub use scraped::{Scraped, bounds};
pub use stamps::Stamps;
pub use table::{Cell, Table, number};
pub use tails::{Tail, tails};
