#![doc = include_str!("guide.md")]

/// The README's example, as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub mod readme {}
