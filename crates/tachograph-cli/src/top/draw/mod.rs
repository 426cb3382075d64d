//! What pages are made of.
//!
//! May use the model and its rows; never a page. In reading order:
//! - `theme`: colours
//! - `text`: numbers and times for narrow columns, sparklines
//! - `lines`: lines of text in parts of the screen
//! - `heat`: the counts of a heat map, without a screen
//! - `charts`: heat maps, percentiles, histograms and columns on a screen

pub(crate) mod charts;
pub(crate) mod heat;
pub(crate) mod lines;
pub(crate) mod text;
pub(crate) mod theme;
