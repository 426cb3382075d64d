//! The program `tachograph`: looks at a running program's metrics or at a recording of them.
//!
//! | command | does |
//! |---|---|
//! | `top URL\|FILE` | shows it in the terminal: health, series, heat maps, alerts, findings |
//! | `record URL -o FILE` | records its metrics into a file that the other commands read |
//! | `report FILE -o HTML` | turns a recording into a page that opens without a server; compares two; tells when `--rules` would have fired |
//! | `doctor URL\|FILE` | lists problems, worst first |
//! | `check RULES` | checks files of alert rules; `--over FILE` tells when they would have fired |
//! | `rules --prometheus RULES` | converts alert rules into a Prometheus rule file |
//! | `deploy URL DIR` | writes configuration for Prometheus, Grafana and an OpenTelemetry Collector |
//!
//! `top`, of a program in trouble:
//!
#![doc = include_str!("../doc/terminal.md")]
//!
//! Exit codes: 0 success, 1 problems found or the command failed, 2 wrong usage or input.
//!
//! # Limits
//! Plain HTTP/1.1; no TLS, no proxies. The terminal is redrawn at most ten times a second. Of a
//! recording that takes more than 512 MiB in memory, only the latest frames are read.
#![forbid(unsafe_code)]

mod command;
mod commands;
mod failure;
mod http;
mod joined;
mod live;
mod output;
mod place;
mod replay;
mod sse;
pub mod top;

pub use self::command::run;
pub use self::failure::Failure;
pub use self::replay::Replay;
