//! The models, one module per subject. They are only built with `--cfg tachograph_loom`.
#![cfg(tachograph_loom)]

mod current;
mod ending;
mod exit;
mod fork;
mod hand_over;
mod in_place;
mod installation;
mod reading;
mod registration;
mod traced;
