//! Viewers: who may connect, what they are sent, and how much memory that takes.

mod door;
mod greeting;
mod hub;
mod mailbox;
mod outgoing;
mod pulse;
mod viewer;

pub(crate) use self::door::{Door, listen};
pub(crate) use self::greeting::{TreeCopy, WholeTree};
pub(crate) use self::hub::{Hub, Seat};
pub(crate) use self::mailbox::{Limits, UNVERSIONED};
pub(crate) use self::outgoing::Memory;
pub(crate) use self::pulse::Pulse;
pub(crate) use self::viewer::{answer, limits};
