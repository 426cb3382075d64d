//! Stalls: turns of a loop that take too long, noticed while they still run.
//!
//! In reading order:
//! - `backtrace`: addresses and their names
//! - `signal`, or `no_signal` where there is none: asks a thread for its stack
//! - `report`: what a callback is told
//! - `progress`: when a turn is a stall, and when it is again
//! - `limit`: reports a minute
//! - `watched`: what a loop shares with the watcher
//! - `watcher`: the thread that watches
//! - `detector`: starts and stops it

pub(crate) mod backtrace;
pub(crate) mod detector;
mod limit;
mod progress;
pub(crate) mod report;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "no_signal.rs"]
mod signal;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod signal;
pub(crate) mod watched;
mod watcher;
