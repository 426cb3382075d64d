//! Alert rules over the frames of [`tachograph_history`].
//!
//! Rules come from TOML ([`parse`]; [`EXAMPLE`] explains every key) or from code ([`Rule::new`]).
//! Feed each frame to an [`Engine`]; it returns the alerts that became pending, firing or inactive.
//! States follow Prometheus: when its condition holds an alert is pending, once the condition has
//! held for the rule's `for` it fires, and once the condition has not held for longer than
//! `keep_firing_for` it is resolved.
//!
//! # Promises
//! * Pure: no clock, no I/O, no threads; time comes from the frames.
//! * Rules keep their own values, with a resolution of a sixtieth of their window, so a history's
//!   limits do not affect them. Memory is bounded ([`Engine::BYTES_MAX`]), and a rule given up for
//!   lack of it says so ([`Status::problem`]).
//! * A failing rule does not stop the others.
//! * An invalid rule file changes nothing: every error has its line, its column and a fix.
//!
//! # Example
//! ```
//! let rules = tachograph_alert::parse(r#"
//!     [[rule]]
//!     name = "HighLatency"
//!     metric = "event.processing.duration"
//!     statistic = "p95"
//!     last = "30s"
//!     op = ">"
//!     threshold = "100ms"
//!     for = "5s"
//!     message = "p95 of event processing is {value}, above {threshold}"
//! "#).expect("it is well-formed");
//! assert_eq!(rules[0].name, "HighLatency");
//!
//! let invalid = tachograph_alert::parse("[[rule]]\nname = \"A\"\nstatistic = \"p96\"\n");
//! assert_eq!(invalid.unwrap_err().errors()[0].line, 3);
//! ```
#![forbid(unsafe_code)]

mod display;
mod engine;
mod file;
mod quantity;
mod report;
mod rule;
mod state;
mod verdict;
mod window;

/// A rule file with every key, each explained: what `tachograph check --example` prints.
///
/// ```toml
#[doc = include_str!("example.toml")]
/// ```
pub const EXAMPLE: &str = include_str!("example.toml");

pub use self::engine::{Engine, Status};
pub use self::file::{InvalidRules, RuleError, check, parse};
pub use self::quantity::{Dimension, Quantity};
pub use self::report::Report;
pub use self::rule::{Comparison, Condition, Op, Rule, Selector, Statistic, TagMatch};
pub use self::state::{Alert, State, Transition};
