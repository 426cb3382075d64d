//! Fault points, where tests make the aggregator fail.
//!
//! A pass calls [`point`] wherever a panic would leave something half done if the surrounding steps
//! were in the wrong order. In the product every call does nothing; in this crate's own tests, a
//! plan that a test installs for its thread panics there or runs a hook.

#[cfg(test)]
pub(crate) mod plan;

#[cfg(not(test))]
pub(crate) use idle::{carry, io, point};

#[cfg(test)]
pub(crate) use crate::sync::fault::plan::{POINTS, Plan, carry, io, point};

#[cfg(not(test))]
mod idle {
    /// A point where a test may make this thread panic.
    #[inline(always)]
    pub(crate) fn point(_name: &'static str) {}

    /// A point where a test may make an operating system call fail.
    #[inline(always)]
    pub(crate) fn io(_name: &'static str) -> std::io::Result<()> {
        Ok(())
    }

    /// What a new thread inherits from the thread that starts it.
    #[derive(Debug)]
    pub(crate) struct Carried;

    #[inline(always)]
    pub(crate) fn carry() -> Carried {
        Carried
    }

    impl Carried {
        #[inline(always)]
        pub(crate) fn take_over(self) {}
    }
}
