//! Edits, and why one is rejected.

use crate::tree::TrackKind;

/// One edit of a set: what a live event asks for, its arguments already decoded.
///
/// Positions count from 0. A negative one on the wire points at nothing: whoever decodes an event
/// rejects it there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Edit {
    /// Name a track.
    TrackName {
        /// The position of the track.
        track: usize,
        /// The name.
        name: String,
    },
    /// Mute a track or not.
    TrackMute {
        /// The position of the track.
        track: usize,
        /// Silence it.
        is_muted: bool,
    },
    /// Arm a track or not.
    TrackArm {
        /// The position of the track.
        track: usize,
        /// Arm it.
        is_armed: bool,
    },
    /// Solo a track or not.
    TrackSolo {
        /// The position of the track.
        track: usize,
        /// Solo it.
        is_soloed: bool,
    },
    /// Set a track's volume.
    TrackVolume {
        /// The position of the track.
        track: usize,
        /// The volume.
        volume: f64,
    },
    /// Set a track's pan.
    TrackPan {
        /// The position of the track.
        track: usize,
        /// −1 is left, 1 is right.
        pan: f64,
    },
    /// Colour a track.
    TrackColor {
        /// The position of the track.
        track: usize,
        /// RGB.
        color: i32,
    },
    /// Put a new track before the one at a position, or behind the last. Those from there on move
    /// up. It has no slots until they are announced.
    TrackAdded {
        /// Where it comes to stand.
        track: usize,
        /// The name.
        name: String,
        /// What kind of track it is.
        kind: TrackKind,
    },
    /// Take a track out. Those behind it move down.
    TrackDeleted {
        /// The position of the track.
        track: usize,
    },
    /// Put a new device before the one at a position among the track's devices, or behind the
    /// last. Only its name is known.
    DeviceAdded {
        /// The position of the track.
        track: usize,
        /// Where it comes to stand among the track's devices.
        device: usize,
        /// The name.
        name: String,
    },
    /// Take a device out.
    DeviceDeleted {
        /// The position of the track.
        track: usize,
        /// The position among the track's devices.
        device: usize,
    },
    /// Set a parameter of a device. One that is not known is made, and those before it.
    DeviceParameter {
        /// The position of the track.
        track: usize,
        /// The position among the track's devices.
        device: usize,
        /// Live's number of the parameter: 0 is the device's switch.
        parameter: usize,
        /// The value.
        value: f64,
    },
    /// Name a scene.
    SceneName {
        /// The row.
        scene: usize,
        /// The name.
        name: String,
    },
    /// Colour a scene.
    SceneColor {
        /// The row.
        scene: usize,
        /// RGB.
        color: i32,
    },
    /// A scene was launched.
    SceneTriggered {
        /// The row.
        scene: usize,
    },
    /// Put a new scene before the one in a row, or below the last. Scenes and slots from that row
    /// on move up by one. The new row has no slots until they are announced.
    SceneAdded {
        /// Its row.
        scene: usize,
        /// The name.
        name: String,
    },
    /// Take a scene out, with its row of slots. Scenes and slots of the rows after it move down.
    SceneRemoved {
        /// The row.
        scene: usize,
    },
    /// Say all about a slot; make it where the track has none in that row.
    ClipSlotState {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// The slot holds a clip. Where it holds none, a clip that is known of goes.
        has_clip: bool,
        /// The slot stops the track where it holds no clip.
        has_stop_button: bool,
        /// 0 stopped, 1 playing, 2 recording.
        playing_status: i32,
    },
    /// Give a slot a stop button or not.
    ClipSlotStopButton {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// Give it one.
        has_stop_button: bool,
    },
    /// A slot plays, records, or does not.
    ClipSlotPlayingStatus {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// 0 stopped, 1 playing, 2 recording.
        playing_status: i32,
    },
    /// Colour a slot.
    ClipSlotColor {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// RGB.
        color: i32,
    },
    /// Name a clip.
    ClipName {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// The name.
        name: String,
    },
    /// Colour a clip.
    ClipColor {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// RGB.
        color: i32,
    },
    /// Deactivate a clip or not.
    ClipMuted {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// Deactivate it.
        is_muted: bool,
    },
    /// Loop a clip or not.
    ClipLooping {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// Loop it.
        is_looped: bool,
    },
    /// Put a new clip into a slot. It takes the place of a clip that is there.
    ClipAdded {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// The name.
        name: String,
    },
    /// Take the clip out of a slot.
    ClipRemoved {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
    },
    /// The transport starts or stops.
    TransportPlay {
        /// It starts.
        is_playing: bool,
    },
    /// Set the tempo.
    TransportTempo {
        /// Beats a minute.
        tempo: f64,
    },
    /// The transport is somewhere.
    TransportPosition {
        /// In beats.
        position: f64,
    },
}

/// Why an edit was rejected. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// There is no such track.
    #[error("no track {track}: the set has {tracks}, counted from 0")]
    NoSuchTrack {
        /// The position that was asked for.
        track: usize,
        /// How many there are.
        tracks: usize,
    },
    /// The track has no such device.
    #[error("no device {device} on track {track}: it has {devices}, counted from 0")]
    NoSuchDevice {
        /// The position of the track.
        track: usize,
        /// The position that was asked for.
        device: usize,
        /// How many there are.
        devices: usize,
    },
    /// There is no such scene.
    #[error("no scene {scene}: the set has {scenes}, counted from 0")]
    NoSuchScene {
        /// The row that was asked for.
        scene: usize,
        /// How many there are.
        scenes: usize,
    },
    /// The track has no slot in that row, although there is such a scene.
    #[error("track {track} has no clip slot in scene {scene}: announce the slot first")]
    NoSuchSlot {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
    },
    /// The slot holds no clip, or one of which nothing is known.
    #[error("no clip is known in scene {scene} of track {track}: announce the clip first")]
    NoSuchClip {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
    },
    /// There are as many as there may be: see [`Limits`](crate::Limits).
    #[error("there are {limit} {what} already, as many as there may be: take one out first")]
    Full {
        /// What there are so many of.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The number is NaN or infinite.
    #[error("the {what} is NaN or infinite: send a finite number")]
    NotFinite {
        /// What it was to be.
        what: &'static str,
    },
}
