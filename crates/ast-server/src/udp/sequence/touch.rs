//! What an event changes, to tell what an older event of the same run would undo.

use crate::events::event_type::EventType;
use crate::events::request::Args;
use crate::events::stale::{CLIP, HAS_CLIP, Stale, bit};
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
    /// What an event would change; `None` if its arguments are invalid.
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
            // It changes nothing, but only the structure that it refers to has that row.
            E::SceneReordered => values(1, 0),
            E::DeviceParam => values(3, own),
            E::ClipAdded | E::ClipRemoved => values(2, HAS_CLIP | CLIP),
            // Without a clip, nothing about one remains.
            E::ClipSlotCreated if args.flag(2).ok()? => values(2, SLOT),
            E::ClipSlotCreated => values(2, SLOT | CLIP),
            E::ClipSlotHasStop | E::ClipSlotPlayingStatus | E::ClipSlotColor => values(2, own),
            E::ClipName | E::ClipColor | E::ClipMuted | E::ClipLooping => values(2, own),
            E::TransportPlay | E::TransportTempo | E::TransportPosition => values(0, own),
            E::CursorTrack | E::CursorScene | E::CursorClipSlot => values(0, own),
            _ => values(1, own),
        }
    }

    /// What an older event must not change, because this has changed it or moved its place.
    #[must_use]
    pub fn makes_stale(self, older: Self) -> Stale {
        match (self, older) {
            (Self::Structure, _) => Stale::MOVED,
            (Self::Devices { track }, Self::Devices { track: other }) if track == other => {
                Stale::MOVED
            }
            (Self::Devices { track }, Self::Values { place, values: PARAMETER })
                if place[0] == track =>
            {
                Stale::MOVED
            }
            (Self::Values { place, values }, Self::Values { place: other, values: others })
                if place == other =>
            {
                Stale::values(values & others)
            }
            _ => Stale::default(),
        }
    }
}

const PARAMETER: u64 = bit(EventType::DeviceParam);
/// What an event that announces a slot always sets.
const SLOT: u64 =
    HAS_CLIP | bit(EventType::ClipSlotHasStop) | bit(EventType::ClipSlotPlayingStatus);

fn index(args: Args<'_>, position: usize) -> Option<u32> {
    args.index(position).ok()?.try_into().ok()
}
