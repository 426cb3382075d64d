//! The collector and the passes in its background.
//!
//! May use everything except `testing`. In reading order:
//! - `stop`: asks the background thread to end
//! - `background`, `threads`: starts that thread; a collector's threads
//! - `on_publish`, `budget`: callbacks before a snapshot, what a loop allows a drain to cost
//! - `engine`, `driver`: one collector's parts and its passes, and when they are made
//! - `fork`: a child process starts over
//! - `collector`, `tagged`, `builder`: the public API
//! - `family`: a handle for each tag set of a type
//! - `global`, `lazy`: the collector of the whole process, static handles and macros

#[cfg_attr(not(all(unix, not(tachograph_loom))), path = "no_background.rs")]
pub(crate) mod background;
pub(crate) mod budget;
pub(crate) mod builder;
pub(crate) mod collector;
pub(crate) mod driver;
pub(crate) mod engine;
pub(crate) mod family;
#[cfg(all(unix, not(tachograph_loom)))]
pub(crate) mod fork;
/// Platforms without forks, and models, have none to handle.
#[cfg(not(all(unix, not(tachograph_loom))))]
pub(crate) mod fork {
    pub(crate) fn install() {}

    pub(crate) fn watch(_core: &crate::sync::Arc<super::engine::Core>) {}
}
#[cfg(not(tachograph_loom))]
pub(crate) mod global;
#[cfg(not(tachograph_loom))]
pub(crate) mod lazy;
pub(crate) mod on_publish;
pub(crate) mod stop;
pub(crate) mod tagged;
pub(crate) mod threads;
