//! An Ableton Live set as a tree: reads, queries and compares sets, edits them as live events
//! request, and writes test sets of any size.
//!
//! # Promises
//! * A file always gives the same tree: ids come from the file's own `Id`s, and an edit keeps those
//!   of everything it does not touch.
//! * Hashes are always correct: after any edit, each equals that of the same tree hashed from
//!   scratch.
//! * A [`Mirror`] merges saves into a set that events change: what a file did not change stays.
//! * Records are complete. Replaying the [`Changes`] of an edit or a [`diff`] on the tree before
//!   gives the tree after.
//! * Input is not trusted. Bombs, deep nesting, huge tags and the like are refused within
//!   [`Limits`]; memory depends on the resulting tree, not on the document; nothing panics.
//!
//! # Costs
//! Reading 7.7 MB of XML takes 17 ms; an edit of a set of 50 tracks and 100 scenes less than half
//! a microsecond (`cargo run --release -p live-set --example edit_rate` measures both). A slot
//! takes about 150 bytes, a parameter about 50.
//!
//! # Limits
//! * Supports sets of Live 9 to 12: tracks, devices including those in racks, slots, the clips of
//!   the session, the arrangement and take lanes, scenes, mixers, references to files, locators,
//!   tempo and time signature. Frozen audio, grooves, automation and the state of plug-ins are not
//!   read.
//! * Edits cover the protocol's events: attributes, clips, and adding or removing tracks, scenes
//!   and devices. Of a node that only an event announced, nothing is known but what the event said.
//! * No I/O except through the given reader or writer, no clock, no threads. [`Set`] is `Send` and
//!   `Sync`; to share one, lock it.
//!
//! # The tree
//! A node serialises as `{node_type, id, hash, attributes, children}`. In addition to the
//! protocol's attributes, a device has `parameters`, a list of `{name, value}`; a clip has
//! `is_muted`, a scene `is_triggered`, a track `group_id`, a mixer `sends_enabled`; and the project
//! has `tempo`, `time_signature_id`, and `is_playing` and `position`, which events set. A file's
//! main track is the last track, with type `master`.
//!
//! A rack's children are the devices of its chains. A track's children include the clips of the
//! arrangement and then of its take lanes, between its slots and its mixer. A scene that Live up to
//! 10 names by its number has no name. A reference to a file is named after the node that refers to
//! it.
//!
//! ```
//! use live_set::{Edit, Set, diff, generate::Spec};
//!
//! let mut file = Vec::new();
//! Spec { tracks: 4, scenes: 8, ..Spec::default() }.write_als(&mut file)?;
//!
//! let mut set = Set::read(file.as_slice())?;
//! let before = set.clone();
//! let changes = set.apply(&Edit::TrackName { track: 0, name: "Lead".to_owned() })?;
//! assert_eq!(changes.changes[0].path.to_string(), "tracks[0]");
//! assert_ne!(set.root_hash(), before.root_hash());
//! assert_eq!(diff(&before, &set), changes);
//!
//! // Compared with the file, only the name differs.
//! let changes = set.replace(Set::read(file.as_slice())?);
//! assert_eq!(changes.modified(), [&set.project().tracks[0].id]);
//! assert_eq!(set, before);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod apply;
mod compare;
mod edit;
mod error;
#[cfg(feature = "generate")]
pub mod generate;
mod limits;
mod merge;
mod mirror;
mod path;
mod read;
mod set;
mod touched;
mod tree;

pub use self::compare::change::{Change, ChangeKind, Changes, Fields};
pub use self::compare::diff::diff;
pub use self::edit::{Edit, Rejected};
pub use self::error::{ReadError, ReadErrorKind};
pub use self::limits::Limits;
pub use self::mirror::{Mark, Mirror};
pub use self::path::Path;
pub use self::set::{ProjectInfo, Set};
pub use self::tree::{
    Clip, ClipContent, ClipSlot, Device, FileRef, Hash, Locator, Mixer, Node, NodeId, NodeRef,
    NodeType, Parameter, Project, Scene, Track, TrackKind, TrackType, UnknownNodeType,
    UnknownTrackKind, Value, ValueRef,
};
