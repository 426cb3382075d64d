//! Places where tests make the aggregator fail.
//!
//! A pass calls [`point`] wherever a panic would leave something half done if the steps around it
//! were in the wrong order. In the product every call is nothing; in this crate's own tests a
//! plan, which a test installs for its thread, panics at such a place or runs something there.

#[cfg(test)]
pub(crate) mod plan;

#[cfg(not(test))]
pub(crate) use idle::{carry, io, point};

#[cfg(test)]
pub(crate) use crate::sync::fault::plan::{POINTS, Plan, carry, io, point};

#[cfg(not(test))]
mod idle {
    /// Where a test may make this thread panic.
    #[inline(always)]
    pub(crate) fn point(_name: &'static str) {}

    /// Where a test may make an operating system call fail.
    #[inline(always)]
    pub(crate) fn io(_name: &'static str) -> std::io::Result<()> {
        Ok(())
    }

    /// What a new thread takes over from the one that starts it.
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
