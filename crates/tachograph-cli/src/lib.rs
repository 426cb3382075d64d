//! The program `tachograph`: looks at a running program's metrics or at a recording of them.
//!
//! | command | does |
//! |---|---|
//! | `top URL\|FILE` | shows it in the terminal: health, series, heat maps, alerts, findings |
//! | `record URL -o FILE` | writes what comes into a file that every other command reads |
//! | `doctor URL\|FILE` | says what is wrong, worst first |
//! | `check RULES` | checks files of alert rules |
//! | `rules --prometheus RULES` | writes alert rules as Prometheus's |
//! | `deploy URL DIR` | writes what Prometheus, Grafana and a Collector need to watch it |
//!
//! Exit codes: 0 all is well, 1 something was found or failed, 2 the command or its input is wrong.
//!
//! # Limits
//! Plain HTTP/1.1; no TLS, no proxies. A terminal is redrawn at most ten times a second. Of a
//! recording, what fits 512 MiB is shown, the latest.
#![forbid(unsafe_code)]

mod command;
mod commands;
mod failure;
mod http;
mod live;
mod output;
mod place;
mod replay;
mod sse;
pub mod top;

pub use self::command::run;
pub use self::failure::Failure;
pub use self::replay::Replay;
