//! The tree of a set: typed nodes, their ids and their hashes.

mod bytes;
mod clip;
mod device;
mod file_ref;
mod hash;
mod id;
mod locator;
mod mixer;
mod node;
mod project;
mod scene;
mod slot;
mod track;
mod value;

pub use self::clip::{Clip, ClipContent};
pub use self::device::{Device, Parameter};
pub use self::file_ref::FileRef;
pub use self::hash::Hash;
pub use self::id::NodeId;
pub use self::locator::Locator;
pub use self::mixer::Mixer;
pub use self::node::{Node, NodeRef, NodeType, UnknownNodeType};
pub use self::project::Project;
pub use self::scene::Scene;
pub use self::slot::ClipSlot;
pub use self::track::{Track, TrackKind, TrackType, UnknownTrackKind};
pub use self::value::{Value, ValueRef};

pub(crate) use self::bytes::{ID_BYTES, PARAMETER_BYTES, TEXT_BYTES, parameters_bytes};
pub(crate) use self::hash::{Hasher, LazyHash, NO_HASH};
pub(crate) use self::id::{Key, SiblingKeys};
pub(crate) use self::node::{Attributes, TreeNode};
pub(crate) use self::track::Signal;
pub(crate) use self::value::count;
