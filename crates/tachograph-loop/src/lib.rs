//! Instruments for event loops, on top of [`tachograph`].
//!
//! | for | use |
//! |---|---|
//! | any loop: epoll, mio, io_uring, a queue, a busy poll | [`LoopMonitor`]: turns, sleep, events per turn, turns over budget, delay of each handler, lag |
//! | finding out what blocks it | [`StallDetector`]: turns and polls that take too long, with their backtrace, while they still run |
//! | futures on any executor | [`Instrument`]: busy, waiting, wake-to-poll delay, polls, by outcome |
//! | the process | [`ProcessMetrics`]: `process_cpu_seconds_total`, `process_resident_memory_bytes` and the others that Prometheus names |
//!
//! # Promises
//! - Everything is a distribution: the turn in ten thousand that takes 40 ms shows, where a total
//!   of busy seconds would hide it.
//! - A turn allocates nothing, takes no lock and makes no system call but what reading the clock
//!   takes. Neither does a poll, apart from an allocation in the first one and in the first after a
//!   move to another task.
//! - An instrumented future behaves as without: its waker wakes what the executor's would, as
//!   often, from any thread, also after the future is ready or has moved to another task.
//! - A stalled loop is asked for its stack by a handler that neither allocates nor locks, so it may
//!   be stalled in `malloc`, in the dynamic linker or in the middle of a panic.
//!
//! # Costs
//! About 40 ns a turn, 50 ns a poll with its wake, where the CPU's time-stamp counter can be
//! trusted; two and a half times that elsewhere. A stall detector is a thread that looks 80 times a
//! second. Nothing depends on tokio.
//!
//! # Limits
//! Backtraces are for Linux on x86-64 and aarch64, and need frame pointers. `process.*` is read
//! from Linux's `/proc`. Other systems do without these two, and say so.
//!
//! # Example
//! ```
//! use tachograph::MetricsCollector;
//! use tachograph_loop::LoopMonitor;
//!
//! let metrics = MetricsCollector::new();
//! let mut monitor = LoopMonitor::new(&metrics, "main");
//! for round in 0..3 {
//!     // ... wait for events here ...
//!     let mut turn = monitor.turn();
//!     turn.events(round);
//!     // ... handle them ...
//! }
//! let main = metrics.with_tags(&[("loop", "main")]);
//! assert_eq!(main.get_timing("loop.turn.duration").map(|turn| turn.count), Some(3));
//! assert_eq!(main.get_timing("loop.turn.events").and_then(|events| events.max), Some(2.0));
//! ```

mod future;
mod monitor;
mod process;
mod stall;

pub use future::instrumented::{Instrument, Instrumented};
pub use future::metrics::FutureMetrics;
pub use monitor::{LoopMonitor, Turn};
pub use process::ProcessMetrics;
pub use stall::backtrace::{Backtrace, Frame};
pub use stall::detector::{StallBuilder, StallDetector};
pub use stall::report::{NoBacktrace, Stall};
