//! The last minutes: a thread makes a frame per step, and every frame is encoded once for all
//! listeners. Uses `pages`.

pub(crate) mod feed;
pub(crate) mod lines;
pub(crate) mod listener;
pub(crate) mod past;
pub(crate) mod query;
pub(crate) mod recorder;
pub(crate) mod recording;
pub(crate) mod report;
pub(crate) mod seat;
pub(crate) mod site;
