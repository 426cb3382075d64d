//! Edits, and the reasons for rejecting one.

use crate::tree::TrackKind;

/// One edit of a set: a live event's request with its arguments decoded.
///
/// Positions count from 0. A negative position on the wire is invalid and rejected when the event
/// is decoded.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Edit {
    /// Rename a track.
    TrackName {
        /// The position of the track.
        track: usize,
        /// The name.
        name: String,
    },
    /// Mute or unmute a track.
    TrackMute {
        /// The position of the track.
        track: usize,
        /// Whether to mute it.
        is_muted: bool,
    },
    /// Arm or disarm a track.
    TrackArm {
        /// The position of the track.
        track: usize,
        /// Whether to arm it.
        is_armed: bool,
    },
    /// Solo or unsolo a track.
    TrackSolo {
        /// The position of the track.
        track: usize,
        /// Whether to solo it.
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
    /// Insert a new track before the one at a position, or after the last. Later tracks move up. It
    /// has no slots until they are announced.
    TrackAdded {
        /// Its position.
        track: usize,
        /// The name.
        name: String,
        /// Its kind.
        kind: TrackKind,
    },
    /// Remove a track. Later tracks move down.
    TrackDeleted {
        /// The position of the track.
        track: usize,
    },
    /// Insert a new device before the one at a position among the track's devices, or after the
    /// last. Only its name is known.
    DeviceAdded {
        /// The position of the track.
        track: usize,
        /// Its position among the track's devices.
        device: usize,
        /// The name.
        name: String,
    },
    /// Remove a device.
    DeviceDeleted {
        /// The position of the track.
        track: usize,
        /// The position among the track's devices.
        device: usize,
    },
    /// Set a parameter of a device. Unknown parameters up to it are created.
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
    /// Rename a scene.
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
    /// Launch a scene.
    SceneTriggered {
        /// The row.
        scene: usize,
    },
    /// Insert a new scene before the one in a row, or after the last. Scenes and slots from that
    /// row on move up by one. The new row has no slots until they are announced.
    SceneAdded {
        /// Its row.
        scene: usize,
        /// The name.
        name: String,
    },
    /// Remove a scene with its row of slots. Scenes and slots of later rows move down.
    SceneRemoved {
        /// The row.
        scene: usize,
    },
    /// Set the whole state of a slot; creates it if the track has none in that row.
    ClipSlotState {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// Whether the slot holds a clip. If not, a known clip is removed.
        has_clip: bool,
        /// Whether the slot stops the track while it holds no clip.
        has_stop_button: bool,
        /// 0 stopped, 1 playing, 2 recording.
        playing_status: i32,
    },
    /// Add or remove a slot's stop button.
    ClipSlotStopButton {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// Whether it has one.
        has_stop_button: bool,
    },
    /// A slot plays, records, or stops.
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
    /// Rename a clip.
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
    /// Deactivate or activate a clip.
    ClipMuted {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// Whether to deactivate it.
        is_muted: bool,
    },
    /// Set whether a clip loops.
    ClipLooping {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// Whether it loops.
        is_looped: bool,
    },
    /// Add a new clip to a slot. It replaces any clip there.
    ClipAdded {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
        /// The name.
        name: String,
    },
    /// Remove the clip from a slot.
    ClipRemoved {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
    },
    /// The transport starts or stops.
    TransportPlay {
        /// Whether it starts.
        is_playing: bool,
    },
    /// Set the tempo.
    TransportTempo {
        /// Beats per minute.
        tempo: f64,
    },
    /// The transport's position.
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
        /// The requested position.
        track: usize,
        /// How many there are.
        tracks: usize,
    },
    /// The track has no such device.
    #[error("no device {device} on track {track}: it has {devices}, counted from 0")]
    NoSuchDevice {
        /// The position of the track.
        track: usize,
        /// The requested position.
        device: usize,
        /// How many there are.
        devices: usize,
    },
    /// There is no such scene.
    #[error("no scene {scene}: the set has {scenes}, counted from 0")]
    NoSuchScene {
        /// The requested row.
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
    /// The slot holds no clip, or nothing is known about its clip.
    #[error("no clip is known in scene {scene} of track {track}: announce the clip first")]
    NoSuchClip {
        /// The position of the track.
        track: usize,
        /// The row.
        scene: usize,
    },
    /// A limit is reached: see [`Limits`](crate::Limits).
    #[error("there are {limit} {what} already, as many as there may be: take one out first")]
    Full {
        /// What the limit applies to.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The number is NaN or infinite.
    #[error("the {what} is NaN or infinite: send a finite number")]
    NotFinite {
        /// The name of the value.
        what: &'static str,
    },
}
