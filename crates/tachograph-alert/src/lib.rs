//! Alert rules over the frames of [`tachograph_history`].
//!
//! Rules come from TOML ([`parse`]) or from code ([`Rule::new`]); an [`Engine`] is fed each frame and
//! says which alerts became pending, firing or inactive. States are those of Prometheus: a condition
//! that holds makes an alert pending; once it has held for the rule's `for`, the alert fires; once it
//! does not hold, for longer than `keep_firing_for`, the alert is resolved.
//!
//! # Promises
//! * Pure: no clock, no I/O, no threads; the time is that of the frames.
//! * Rules keep values of their own, at most a sixtieth of their window apart, so the bounds of a
//!   history do not matter; memory is bounded ([`Engine::BYTES_MAX`]), and a rule that runs out of it
//!   says so ([`Status::problem`]).
//! * A rule that fails stops no other.
//! * A wrong rule file changes nothing: every error has its line, its column and a way out.
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
//! let errors = tachograph_alert::parse("[[rule]]\nname = \"A\"\nstatistic = \"p96\"\n");
//! assert_eq!(errors.unwrap_err()[0].line, 3);
//! ```
#![forbid(unsafe_code)]

mod display;
mod engine;
mod file;
mod quantity;
mod rule;
mod state;
mod window;

pub use self::engine::{Engine, Status};
pub use self::file::{RuleError, check, parse};
pub use self::quantity::{Dimension, Quantity};
pub use self::rule::{Comparison, Condition, Op, Rule, Selector, Statistic, TagMatch};
pub use self::state::{Alert, State, Transition};
