//! What is left of an event that arrived after newer ones of its sender.

use live_set::{Clip, Edit, Set};

use crate::events::event_type::EventType;

/// The values of a late event that newer events have set since, and which it must not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stale(u64);

/// Whether a slot holds a clip.
pub(crate) const HAS_CLIP: u64 = bit(EventType::ClipSlotCreated);
/// Which clip that is, and everything about it: a new one has its own name, colour and states.
pub(crate) const CLIP: u64 = bit(EventType::ClipAdded)
    | bit(EventType::ClipName)
    | bit(EventType::ClipColor)
    | bit(EventType::ClipMuted)
    | bit(EventType::ClipLooping);

/// The value that a type of event sets.
pub(crate) const fn bit(event_type: EventType) -> u64 {
    1 << event_type as u64
}

impl Stale {
    /// Everything, because its place has moved.
    pub const MOVED: Self = Self(u64::MAX);

    pub(crate) const fn values(values: u64) -> Self {
        Self(values)
    }

    /// Whether the event applies as it is.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the event's positions refer to a set that was arranged differently.
    #[must_use]
    pub const fn has_moved(self) -> bool {
        self.0 == Self::MOVED.0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, values: u64) -> bool {
        self.0 & values != 0
    }

    /// The edits that are left of an event's edit, if any values of it are stale. Most events set
    /// one value and are dropped; of those that set several, the stale ones keep their present
    /// values.
    pub(crate) fn rest_of(self, edit: Edit, set: &Set) -> Vec<Edit> {
        match edit {
            _ if self.has_moved() => Vec::new(),
            Edit::ClipSlotState { track, scene, has_clip, has_stop_button, playing_status } => {
                // Without a clip, nothing about one remains.
                let clip = if has_clip { HAS_CLIP } else { HAS_CLIP | CLIP };
                let stop = bit(EventType::ClipSlotHasStop);
                let playing = bit(EventType::ClipSlotPlayingStatus);
                // None: an even later event has moved what the newer one referred to.
                let rest = set.slot(track, scene).map(|now| Edit::ClipSlotState {
                    track,
                    scene,
                    has_clip: if self.has(clip) { now.has_clip } else { has_clip },
                    has_stop_button: if self.has(stop) {
                        now.has_stop_button
                    } else {
                        has_stop_button
                    },
                    playing_status: if self.has(playing) {
                        now.playing_status
                    } else {
                        playing_status
                    },
                });
                rest.into_iter().collect()
            }
            Edit::ClipAdded { track, scene, name } if !self.has(bit(EventType::ClipAdded)) => {
                set.slot(track, scene).map_or_else(Vec::new, |slot| {
                    self.rest_of_clip(slot.clip.as_deref(), track, scene, name)
                })
            }
            _ => Vec::new(),
        }
    }

    /// A new clip in place of the present one, of which it takes what newer events have set.
    fn rest_of_clip(
        self,
        present: Option<&Clip>,
        track: usize,
        scene: usize,
        name: String,
    ) -> Vec<Edit> {
        let now = |event_type| present.filter(|_| self.has(bit(event_type)));
        let name = now(EventType::ClipName).map_or(name, |it| it.name.clone());
        let color = now(EventType::ClipColor).map(|it| it.color);
        let muted = now(EventType::ClipMuted).map(|it| it.is_muted);
        let looped = now(EventType::ClipLooping).map(|it| it.is_looped);
        [
            Some(Edit::ClipAdded { track, scene, name }),
            color.map(|color| Edit::ClipColor { track, scene, color }),
            muted.map(|is_muted| Edit::ClipMuted { track, scene, is_muted }),
            looped.map(|is_looped| Edit::ClipLooping { track, scene, is_looped }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
