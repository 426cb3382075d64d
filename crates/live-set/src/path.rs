//! The place of a change in the tree.

use std::fmt;

use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The place of a change in the tree, in positions instead of ids; displayed as in
/// `tracks[3].clip_slots[1]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Path {
    /// `project`
    Project,
    /// `tracks[track]`
    Track {
        /// The position of the track.
        track: usize,
    },
    /// `tracks[track].mixer`
    Mixer {
        /// The position of the track.
        track: usize,
    },
    /// `tracks[track].devices[device]`
    Device {
        /// The position of the track.
        track: usize,
        /// The position among the track's devices.
        device: usize,
    },
    /// `tracks[track].devices[device].parameters[parameter]`
    Parameter {
        /// The position of the track.
        track: usize,
        /// The position among the track's devices.
        device: usize,
        /// The position among the device's parameters.
        parameter: usize,
    },
    /// `tracks[track].devices[i].devices[j]` and so on: a device in racks.
    RackDevice {
        /// The position of the track.
        track: usize,
        /// The positions of the racks, from the outermost inwards, then that of the device.
        devices: Arc<[usize]>,
    },
    /// `tracks[track].devices[i].devices[j].parameters[parameter]`: of a device in racks.
    RackParameter {
        /// The position of the track.
        track: usize,
        /// The positions of the racks, from the outermost inwards, then that of the device.
        devices: Arc<[usize]>,
        /// The position among the device's parameters.
        parameter: usize,
    },
    /// `tracks[track].clip_slots[scene]`: the slot is identified by its row.
    ClipSlot {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
    },
    /// `tracks[track].clip_slots[scene].clip`
    Clip {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
    },
    /// `tracks[track].arrangement_clips[clip]`
    ArrangementClip {
        /// The position of the track.
        track: usize,
        /// The position among the track's clips of the arrangement.
        clip: usize,
    },
    /// `scenes[scene]`
    Scene {
        /// The row.
        scene: usize,
    },
    /// `file_refs[file_ref]`
    FileRef {
        /// The position among the references to files.
        file_ref: usize,
    },
    /// `locators[locator]`
    Locator {
        /// The position among the locators.
        locator: usize,
    },
}

/// Writes `tracks[track]` and the devices inside one another.
fn write_devices(f: &mut fmt::Formatter<'_>, track: usize, devices: &[usize]) -> fmt::Result {
    write!(f, "tracks[{track}]")?;
    devices.iter().try_for_each(|device| write!(f, ".devices[{device}]"))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RackDevice { track, ref devices } => write_devices(f, track, devices),
            Self::RackParameter { track, ref devices, parameter } => {
                write_devices(f, track, devices)?;
                write!(f, ".parameters[{parameter}]")
            }
            Self::ArrangementClip { track, clip } => {
                write!(f, "tracks[{track}].arrangement_clips[{clip}]")
            }
            Self::FileRef { file_ref } => write!(f, "file_refs[{file_ref}]"),
            Self::Locator { locator } => write!(f, "locators[{locator}]"),
            Self::Project => f.write_str("project"),
            Self::Track { track } => write!(f, "tracks[{track}]"),
            Self::Mixer { track } => write!(f, "tracks[{track}].mixer"),
            Self::Device { track, device } => write!(f, "tracks[{track}].devices[{device}]"),
            Self::Parameter { track, device, parameter } => {
                write!(f, "tracks[{track}].devices[{device}].parameters[{parameter}]")
            }
            Self::ClipSlot { track, scene } => write!(f, "tracks[{track}].clip_slots[{scene}]"),
            Self::Clip { track, scene } => write!(f, "tracks[{track}].clip_slots[{scene}].clip"),
            Self::Scene { scene } => write!(f, "scenes[{scene}]"),
        }
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
