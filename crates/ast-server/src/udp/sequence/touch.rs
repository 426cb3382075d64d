//! What an event changes, to tell whether an older event of the same run would undo a newer one.

use crate::events::event_type::EventType;
use crate::events::request::Args;
use crate::osc::arg::Arg;

/// What an event changes, by the positions in it.
///
/// Positions are only valid between two structural events. They are never translated, because an
/// event older than a structural one is not applied at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Tracks or scenes, which moves everything after them.
    Structure,
    /// The devices of a track, which moves those after them.
    Devices {
        /// The position of the track.
        track: u32,
    },
    /// Values of one node.
    Values {
        /// The positions of the node as the event gives them; 0 if it gives fewer.
        place: [u32; 3],
        /// The values: a bit for each type of event that sets one, at `1 << event_type as u64`.
        values: u64,
    },
}

impl Touch {
    /// What an event would change; `None` if nothing, or if its arguments are invalid.
    #[must_use]
    pub fn of(event_type: EventType, args: &[Arg<'_>]) -> Option<Self> {
        use EventType as E;
        let args = Args(args);
        let values = |positions, values| {
            let mut place = [0; 3];
            for (i, position) in place.iter_mut().enumerate().take(positions) {
                *position = index(args, i)?;
            }
            Some(Self::Values { place, values })
        };
        let own = bit(event_type);
        match event_type {
            E::TrackAdded | E::TrackDeleted | E::SceneAdded | E::SceneRemoved => {
                Some(Self::Structure)
            }
            E::DeviceAdded | E::DeviceDeleted => Some(Self::Devices { track: index(args, 0)? }),
            E::SceneReordered => None,
            E::DeviceParam => values(3, own),
            E::ClipAdded | E::ClipRemoved => values(2, CLIP),
            // Without a clip, nothing about one remains.
            E::ClipSlotCreated => values(2, SLOT | if args.flag(2).ok()? { HELD } else { CLIP }),
            E::ClipSlotHasStop | E::ClipSlotPlayingStatus | E::ClipSlotColor => values(2, own),
            E::ClipName | E::ClipColor | E::ClipMuted | E::ClipLooping => values(2, own),
            E::TransportPlay | E::TransportTempo | E::TransportPosition => values(0, own),
            E::CursorTrack | E::CursorScene | E::CursorClipSlot => values(0, own),
            _ => values(1, own),
        }
    }

    /// Whether this overrides what an older event would change, or moves the place of it.
    #[must_use]
    pub const fn supersedes(self, older: Self) -> bool {
        match (self, older) {
            (Self::Structure, _) => true,
            (Self::Devices { track }, Self::Devices { track: other }) => track == other,
            (Self::Devices { track }, Self::Values { place, values }) => {
                values == PARAMETER && place[0] == track
            }
            (
                Self::Values { place: [a, b, c], values },
                Self::Values { place: [x, y, z], values: others },
            ) => a == x && b == y && c == z && values & others != 0,
            (Self::Values { .. } | Self::Devices { .. }, _) => false,
        }
    }
}

const PARAMETER: u64 = bit(EventType::DeviceParam);
/// What an event that announces a slot says about the slot itself.
const SLOT: u64 = bit(EventType::ClipSlotCreated)
    | bit(EventType::ClipSlotHasStop)
    | bit(EventType::ClipSlotPlayingStatus);
/// Whether a slot holds a clip.
const HELD: u64 = bit(EventType::ClipAdded);
/// Everything about a clip: a new one has its own name, colour and states.
const CLIP: u64 = HELD
    | bit(EventType::ClipName)
    | bit(EventType::ClipColor)
    | bit(EventType::ClipMuted)
    | bit(EventType::ClipLooping);

const fn bit(event_type: EventType) -> u64 {
    1 << event_type as u64
}

fn index(args: Args<'_>, position: usize) -> Option<u32> {
    args.index(position).ok()?.try_into().ok()
}
