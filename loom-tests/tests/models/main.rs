//! The models, one subject a module. They exist under `--cfg tachograph_loom` only.
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
