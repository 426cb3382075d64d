//! The events that senders may send, by path, and their handlers.

/// Declares the events: variant, path, handler.
macro_rules! event_types {
    ($($variant:ident $path:literal $handler:ident;)*) => {
        /// An event of the protocol's table. Its path is the value of the tag `event_type`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum EventType {
            $(#[doc = concat!("`", $path, "`")] $variant,)*
        }

        impl EventType {
            /// Every event of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The path in the table.
            #[must_use]
            pub const fn path(self) -> &'static str {
                match self { $(Self::$variant => $path,)* }
            }

            /// Its handler.
            #[must_use]
            pub const fn handler(self) -> Handler {
                match self { $(Self::$variant => Handler::$handler,)* }
            }

            fn exactly(path: &str) -> Option<Self> {
                match path {
                    $($path => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

event_types! {
    TrackRenamed "/live/track/renamed" Track;
    TrackMute "/live/track/mute" Track;
    TrackArm "/live/track/arm" Track;
    TrackSolo "/live/track/solo" Track;
    TrackVolume "/live/track/volume" Track;
    TrackPan "/live/track/pan" Track;
    TrackColor "/live/track/color" Track;
    TrackAdded "/live/track/added" Track;
    TrackDeleted "/live/track/deleted" Track;
    DeviceAdded "/live/device/added" Device;
    DeviceDeleted "/live/device/deleted" Device;
    DeviceParam "/live/device/param" Device;
    SceneRenamed "/live/scene/renamed" Scene;
    SceneAdded "/live/scene/added" Scene;
    SceneRemoved "/live/scene/removed" Scene;
    SceneReordered "/live/scene/reordered" Scene;
    SceneColor "/live/scene/color" Scene;
    SceneTriggered "/live/scene/triggered" Scene;
    ClipSlotCreated "/live/clip_slot/created" ClipSlot;
    ClipSlotHasStop "/live/clip_slot/has_stop" ClipSlot;
    ClipSlotPlayingStatus "/live/clip_slot/playing_status" ClipSlot;
    ClipSlotColor "/live/clip_slot/color" ClipSlot;
    ClipName "/live/clip/name" Clip;
    ClipColor "/live/clip/color" Clip;
    ClipMuted "/live/clip/muted" Clip;
    ClipLooping "/live/clip/looping" Clip;
    ClipAdded "/live/clip/added" Clip;
    ClipRemoved "/live/clip/removed" Clip;
    TransportPlay "/live/transport/play" Transport;
    TransportTempo "/live/transport/tempo" Transport;
    TransportPosition "/live/transport/position" Transport;
    CursorTrack "/live/cursor/track" Cursor;
    CursorScene "/live/cursor/scene" Cursor;
    CursorClipSlot "/live/cursor/clip_slot" Cursor;
}

impl EventType {
    /// The event with this path; `None` if the path is not in the table.
    ///
    /// Any path that starts with a device parameter's path is one, whatever follows.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let parameter = Self::DeviceParam;
        if path.starts_with(parameter.path()) {
            return Some(parameter);
        }
        Self::exactly(path)
    }

    /// Whether nodes change their places, in which case held-back changes are sent first.
    pub(crate) const fn moves_nodes(self) -> bool {
        matches!(
            self,
            Self::TrackAdded
                | Self::TrackDeleted
                | Self::DeviceAdded
                | Self::DeviceDeleted
                | Self::SceneAdded
                | Self::SceneRemoved
        )
    }

    /// The value of the tag `event_type`: the path, limited to the table's paths.
    #[must_use]
    pub const fn tag(event_type: Option<Self>) -> &'static str {
        match event_type {
            Some(event_type) => event_type.path(),
            None => "unknown",
        }
    }
}

/// A handler of a group of events: the tag `handler`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Handler {
    /// Tracks: adding and removing them, their names, states and colours.
    Track,
    /// Devices, and their parameters.
    Device,
    /// Scenes.
    Scene,
    /// Clip slots.
    ClipSlot,
    /// Clips in slots.
    Clip,
    /// The transport.
    Transport,
    /// What is selected in Live: forwarded to viewers, not part of the set.
    Cursor,
}

impl Handler {
    /// Every handler.
    pub const ALL: &[Self] = &[
        Self::Track,
        Self::Device,
        Self::Scene,
        Self::ClipSlot,
        Self::Clip,
        Self::Transport,
        Self::Cursor,
    ];

    /// The value of the tag.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Track => "track_handler",
            Self::Device => "device_handler",
            Self::Scene => "scene_handler",
            Self::ClipSlot => "clip_slot_handler",
            Self::Clip => "clip_handler",
            Self::Transport => "transport_handler",
            Self::Cursor => "cursor_handler",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_names_its_own_event() {
        for &event_type in EventType::ALL {
            assert_eq!(EventType::of(event_type.path()), Some(event_type));
        }
    }

    #[test]
    fn parameters_are_known_by_the_start_of_their_path() {
        assert_eq!(EventType::of("/live/device/param/3"), Some(EventType::DeviceParam));
        assert_eq!(EventType::of("/live/device/par"), None);
    }

    #[test]
    fn what_is_not_in_the_table_is_tagged_unknown() {
        for path in ["", "/", "/live/track", "/live/track/mute/", "/live/seq"] {
            assert_eq!(EventType::tag(EventType::of(path)), "unknown", "{path}");
        }
    }
}
