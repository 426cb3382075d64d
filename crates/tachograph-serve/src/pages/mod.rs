//! Bodies of answers: content negotiation, and one rendering and one compression for all
//! simultaneous requests. Uses none of the other folders.

pub(crate) mod accept;
pub(crate) mod answer;
pub(crate) mod bodies;
pub(crate) mod encoding;
pub(crate) mod page;
pub(crate) mod reply;
pub(crate) mod scrapes;
pub(crate) mod summary;
