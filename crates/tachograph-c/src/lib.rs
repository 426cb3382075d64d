//! Tachograph for C and C++.
//!
//! The interface is `include/tachograph.h`, generated from this crate by cbindgen;
//! `include/tachograph.hpp` wraps it for C++. The README says how to build and install both.
//!
//! # Promises
//! * No call unwinds into C, aborts or panics: a panic becomes [`Status::Panicked`].
//! * A null handle or recorder is allowed everywhere. Recording through one does nothing; every
//!   other call says [`Status::NullPointer`]. So a program whose registration failed runs on.
//! * A handle outlives its collector: what is recorded then is a counted drop.
//! * A free function takes the address of a pointer and sets the pointer to NULL, so freeing the
//!   same variable twice does nothing.
//! * The process may fork: in the child each collector starts over, and its handles keep working.
//!
//! # Costs
//! A call from C costs what it costs in Rust, plus a function call that cannot be inlined. In a
//! shared library the look-up of a thread-local costs more, too; a [`Recorder`] needs none.
//!
//! # Limits
//! Memory safety is the caller's part: a pointer passed in is NULL or valid, a freed one is not
//! used again, and no thread frees what another one uses. Names and tags are UTF-8 and end with
//! NUL. There are no calls by name and no traces.
//!
//! [`Recorder`]: recorder::Recorder
//! [`Status::NullPointer`]: status::Status::NullPointer
//! [`Status::Panicked`]: status::Status::Panicked
#![allow(clippy::missing_safety_doc, reason = "the header says once what all pointers have to be")]
#![allow(unsafe_code, reason = "a C interface: exported symbols, and pointers from C")]

mod border;
pub mod collector;
pub mod export;
pub mod handles;
pub mod read;
pub mod recorder;
pub mod register;
pub mod status;
