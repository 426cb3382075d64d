//! An Ableton Live set.
mod apply;
mod change;
mod diff;
mod edit;
mod error;
mod inherit;
mod limits;
mod matching;
mod path;
mod read;
mod set;
mod tree;
pub use change::{Change, ChangeKind, Changes, Fields};
pub use diff::diff;
pub use edit::{Edit, Rejected};
pub use error::{ReadError, ReadErrorKind};
pub use limits::Limits;
pub use path::Path;
pub use set::{ProjectInfo, Set};
pub use tree::{
    Clip, ClipContent, ClipSlot, Device, Hash, Mixer, Node, NodeId, NodeRef, NodeType, Parameter,
    Project, Scene, Track, TrackType, UnknownNodeType, Value, ValueRef,
};
